import type { Milliseconds } from '../../src/model/time.js'
import { hour, second } from '../../src/model/time.js'
import type { Scenario } from '../../src/simulator/scenario.js'

/** What a simulation will take, roughly: for each policy, on one core. */
export interface Estimate {
  readonly time: Milliseconds
  /** Bytes. */
  readonly memory: number
}

// Measured with test/bench/simulator.bench.ts on two cores of 2024.
const perRenewal = 0.004
const perEvent = 0.006
const perSecondOfTime = 0.00003
const bytesPerNode = 2_500
const base = 100_000_000

export const estimate = ({ duration, nodes, signer, outages, approval, policies }: Scenario): Estimate => {
  const { count, restarts, suspensions, autoscaling } = nodes
  const life = Math.max(second, signer.duration * 0.75)
  const joins = autoscaling === undefined ? 1 : 1 + (duration / autoscaling.every) * (1 - autoscaling.lowest)
  const renewals = count * (joins + duration / life)
  const shortest = Math.min(
    ...policies.map((policy) => (policy._tag === 'ClientGo' ? hour : policy.policy.probeInterval || hour)),
  )
  const stopped = [...outages, ...approval.pauses].reduce((sum, { lasting }) => sum + lasting, 0)
  const disturbed =
    count * (joins * 7 + (restarts.length + suspensions.length) * 4 + (2 * stopped) / shortest)
  return {
    time: renewals * perRenewal + disturbed * perEvent + (duration / second) * perSecondOfTime,
    memory: base + count * bytesPerNode,
  }
}
