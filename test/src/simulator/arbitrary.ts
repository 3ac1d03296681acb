/** Scenarios of all kinds, small enough to live through thousands of them. */
import fc from 'fast-check'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, endOfTime, hour, type Milliseconds, minute, second } from '../../../src/model/time.js'
import type { NamedPolicy, Scenario } from '../../../src/simulator/scenario.js'
import { scenarioOf } from './sample.js'

const ms = (min: Milliseconds, max: Milliseconds) => fc.integer({ min, max })
const moment = fc.oneof(ms(0, 3 * hour), ms(0, 2 * day))
const part = fc.constantFrom(1, 0.5, 0.1)
const some = <A>(item: fc.Arbitrary<A>) => fc.array(item, { maxLength: 2 })

export const policies: fc.Arbitrary<NamedPolicy> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<NamedPolicy>({ _tag: 'ClientGo', name: 'client-go' }) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        probeInterval: fc.constantFrom(0, 17 * second, minute, minute, 10 * minute),
        renewFrom: fc.constantFrom(0.1, 0.5, 0.7),
        renewTo: fc.constantFrom(0.7, 0.9),
        authenticateWith: fc.constantFrom('held' as const, 'held' as const, 'external' as const),
        rotate: fc.constantFrom(true, true, true, false),
      })
      .map((some): NamedPolicy => ({ _tag: 'Machine', name: 'ours', policy: { ...defaultPolicy, ...some } })),
  },
)

export const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.integer(),
    duration: fc.oneof(ms(minute, 3 * hour), ms(minute, 3 * hour), ms(hour, day)),
    count: ms(1, 6),
    joinOver: fc.constantFrom(0, hour),
    autoscaling: fc.constantFrom(undefined, undefined, { lowest: 0.3, every: 6 * hour }),
    clockSkew: fc.constantFrom(0, 0, second, 5 * minute),
    restarts: some(fc.record({ at: moment, over: ms(0, hour), part })),
    suspensions: some(fc.record({ at: moment, over: ms(0, hour), part, lasting: ms(1, 10 * hour) })),
    signing: fc.constantFrom(2 * minute, 10 * minute, hour, day),
    kubernetes: fc.constantFrom('1.20' as const, '1.22' as const, '1.22' as const),
    approval: fc.record({
      delay: fc.constantFrom(0, 0, 20 * minute),
      distribution: fc.constantFrom('constant' as const, 'exponential' as const),
      hours: fc.constantFrom(undefined, undefined, { from: 9 * hour, to: 17 * hour, days: [1, 2, 3, 4, 5] }),
      pauses: some(fc.record({ at: moment, lasting: ms(1, day) })),
      denied: fc.constantFrom(0, 0, 0.3),
      perSecond: fc.constantFrom(1, 100),
    }),
    api: fc.record({
      requestsPerSecond: fc.constantFrom(1, 20, 400),
      seats: fc.constantFrom(1, 10),
      queue: fc.constantFrom(0, 2, 100),
      latency: fc.constantFrom(1, 10, 300),
      watches: fc.constantFrom(1, 100),
      retryAfter: fc.constantFrom(second, minute),
    }),
    outages: some(
      fc.record({
        of: fc.constantFrom('api' as const, 'network' as const, 'controller-manager' as const),
        at: moment,
        lasting: ms(1, 5 * hour),
        part,
        starting: fc.constantFrom(0, 0, 20 * second, 2 * minute),
      }),
    ),
    authorities: some(fc.record({ at: moment, overlap: fc.constantFrom(0, 5 * hour) })),
    tokens: fc.constantFrom(endOfTime, hour),
    authorityEnd: fc.constantFrom(endOfTime, endOfTime, day),
  })
  .map((drawn) =>
    scenarioOf({
      seed: drawn.seed,
      duration: drawn.duration,
      nodes: {
        count: drawn.count,
        joinOver: drawn.joinOver,
        autoscaling: drawn.autoscaling,
        clockSkew: drawn.clockSkew,
        restarts: drawn.restarts,
        suspensions: drawn.suspensions,
      },
      bootstrapTokensUntil: drawn.tokens,
      signer: {
        duration: drawn.signing,
        backdating: 5 * minute,
        kubernetes: drawn.kubernetes,
        authorityEnd: drawn.authorityEnd,
        perSecond: 20,
      },
      approval: drawn.approval,
      api: drawn.api,
      outages: drawn.outages,
      authorities: [...drawn.authorities].sort((one, other) => one.at - other.at),
    }),
  )
