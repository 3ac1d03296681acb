/** What a thread does: it lives through a scenario with one policy. */
import type { Milliseconds } from '../../src/model/time.js'
import { fleet } from '../../src/simulator/fleet.js'
import { type PolicyReport, reportOf } from '../../src/simulator/report.js'
import type { Scenario } from '../../src/simulator/scenario.js'

export interface Work {
  readonly _tag: 'SimulatorWork'
  readonly scenario: Scenario
  readonly index: number
  /** Not 0: it is to end with what is known. */
  readonly stop: Int32Array
}

/** Whether a thread was started for this. */
export const isWork = (data: unknown): data is Work =>
  typeof data === 'object' && data !== null && '_tag' in data && data._tag === 'SimulatorWork'

export type Message =
  | { readonly _tag: 'Progress'; readonly simulated: Milliseconds }
  | { readonly _tag: 'Done'; readonly report: PolicyReport }

export const work = ({ scenario, index, stop }: Work, tell: (message: Message) => void): void => {
  const policy = scenario.policies[index]
  if (policy === undefined) return
  const lived = fleet(scenario, policy)
  let told = performance.now()
  while (lived.advance(5_000) && Atomics.load(stop, 0) === 0) {
    if (performance.now() - told < 200) continue
    told = performance.now()
    tell({ _tag: 'Progress', simulated: lived.now() })
  }
  lived.end()
  tell({ _tag: 'Done', report: reportOf(scenario, policy, lived) })
}
