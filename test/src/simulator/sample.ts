import { defaultPolicy } from '../../../src/model/policy.js'
import { day, endOfTime, hour, instant, minute, second } from '../../../src/model/time.js'
import type { NamedPolicy, Scenario } from '../../../src/simulator/scenario.js'

export const ours: NamedPolicy = { _tag: 'Machine', name: 'default', policy: defaultPolicy }
export const clientGoPolicy: NamedPolicy = { _tag: 'ClientGo', name: 'client-go' }

/** Ten nodes that join a cluster at once and live a month of nothing in particular; from a Monday on. */
export const scenarioOf = (differences: Partial<Scenario> = {}): Scenario => ({
  title: 'a month',
  seed: 1,
  start: instant(Date.UTC(2026, 0, 5)),
  duration: 30 * day,
  nodes: {
    count: 10,
    joinOver: 0,
    autoscaling: undefined,
    clockSkew: 0,
    restarts: [],
    suspensions: [],
  },
  bootstrapTokensUntil: endOfTime,
  signer: {
    duration: 8760 * hour,
    backdating: 5 * minute,
    kubernetes: '1.22',
    authorityEnd: endOfTime,
    perSecond: 20,
  },
  approval: {
    delay: 0,
    distribution: 'constant',
    hours: undefined,
    pauses: [],
    denied: 0,
    perSecond: 10,
  },
  api: { requestsPerSecond: 400, seats: 20, queue: 1_000, latency: 10, watches: 10_000, retryAfter: second },
  outages: [],
  authorities: [],
  policies: [ours],
  ...differences,
})
