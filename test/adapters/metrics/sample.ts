import * as O from 'fp-ts/lib/Option.js'
import { noFacts } from '../../../src/machine/facts.js'
import { type Metrics, measure, sumOf } from '../../../src/metrics/metrics.js'
import { emptyTally, type Tally } from '../../../src/metrics/tally.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { at, held, template } from '../../src/samples.js'

const tally: Tally = {
  ...emptyTally,
  submitted: 5,
  outcomes: { denied: 2, issued: 3 },
  failures: { Unreachable: 1, Denied: 2 },
  renewalFailures: 3,
  installed: 3,
}

const server = measure(
  defaultPolicy,
  noFacts(O.some({ ...template, usages: ['server auth'] })),
  {
    ...emptyTally,
    renewalFailures: 1,
    replacedAges: { counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1], sum: 124_500_000 },
  },
  at(0),
)

const client = measure(defaultPolicy, { ...noFacts(O.some(template)), held: O.some(held()) }, tally, at(0))

/** Those of a client certificate that works, with some of everything, and what is known of a serving certificate. */
export const busyMetrics: Metrics = {
  ...sumOf(client, server),
  states: client.states,
  usable: 1,
  connections: { current: 1, earlier: 2, none: 0 },
  hooks: { runs: { succeeded: 1, failed: 1, timed_out: 0 }, failing: 1 },
  eventLoopDelay: { mean: 0.001, p99: 0.01, max: 0.1 },
}
