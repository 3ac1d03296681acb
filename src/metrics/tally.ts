/** What has happened since a rotation was started, counted: a fold over its steps. Nothing in it grows with time. */
import { SemigroupSum } from 'fp-ts/lib/number.js'
import * as O from 'fp-ts/lib/Option.js'
import { zipWith } from 'fp-ts/lib/ReadonlyArray.js'
import type { Step } from '../describe/transition.js'
import type { Event } from '../machine/event.js'
import type { Facts } from '../machine/facts.js'
import { failureOf } from '../machine/ongoing.js'
import type { FailureTag } from '../model/failure.js'
import { type Milliseconds, second } from '../model/time.js'

/** How a request ended. */
export const requestOutcomes = ['issued', 'denied', 'signer_failed', 'gone', 'defective'] as const
export type RequestOutcome = (typeof requestOutcomes)[number]

/** Upper bounds in seconds: those of the kubelet (`pkg/kubelet/certificate/kubelet.go`). */
export const ageBuckets = [
  60, 3_600, 14_400, 86_400, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000, 124_416_000,
] as const

/** Observations by bucket, each in one; the last bucket has no bound. */
export interface Histogram {
  readonly counts: ReadonlyArray<number>
  readonly sum: number
}

export interface Tally {
  /** Requests that the API took. */
  readonly submitted: number
  readonly outcomes: Readonly<Partial<Record<RequestOutcome, number>>>
  readonly failures: Readonly<Partial<Record<FailureTag, number>>>
  /** Failures on the way to a certificate: all but those of probes. */
  readonly renewalFailures: number
  /** Certificates stored and put to use. */
  readonly installed: number
  /** How old the certificates were that were replaced, in seconds since their `notBefore`. */
  readonly replacedAges: Histogram
}

export const noAges: Histogram = { counts: [...ageBuckets, 0].map(() => 0), sum: 0 }

export const emptyTally: Tally = {
  submitted: 0,
  outcomes: {},
  failures: {},
  renewalFailures: 0,
  installed: 0,
  replacedAges: noAges,
}

/** The tally after a step; the same record when there was nothing to count. */
export const counted = (tally: Tally, { event, before, after }: Step): Tally => {
  // What does not fit leaves the facts as they are, and did not happen to this rotation.
  if (event === undefined || before === after) return tally
  const failure = failureOf(before, event, after)
  const known = failure === undefined ? tally : withFailure(tally, event, failure.failure._tag)
  switch (event._tag) {
    case 'Submitted':
      return { ...known, submitted: known.submitted + 1 }
    case 'Observed': {
      const outcome = outcomeOf(event, after)
      return outcome === undefined ? known : { ...known, outcomes: more(known.outcomes, outcome) }
    }
    case 'Installed':
      return {
        ...known,
        installed: known.installed + 1,
        replacedAges: O.isNone(before.held)
          ? known.replacedAges
          : observed(known.replacedAges, event.at - before.held.value.certificate.notBefore),
      }
    default:
      return known
  }
}

const withFailure = (tally: Tally, { _tag }: Event, kind: FailureTag): Tally => ({
  ...tally,
  failures: more(tally.failures, kind),
  renewalFailures: tally.renewalFailures + (_tag === 'ProbeFailed' ? 0 : 1),
})

const outcomeOf = (
  { observation }: Extract<Event, { readonly _tag: 'Observed' }>,
  { next }: Facts,
): RequestOutcome | undefined => {
  switch (observation._tag) {
    case 'Issued':
      return O.isSome(next) && next.value._tag === 'Delivered' ? 'issued' : 'defective'
    case 'Unreadable':
      return 'defective'
    case 'Denied':
      return 'denied'
    case 'Failed':
      return 'signer_failed'
    case 'Gone':
      return 'gone'
    case 'Pending':
    case 'Approved':
    case 'Unverifiable':
      return undefined
  }
}

type Counts<Name extends string> = Readonly<Partial<Record<Name, number>>>

const more = <Name extends string>(counts: Counts<Name>, name: Name, by = 1): Counts<Name> => ({
  ...counts,
  [name]: (counts[name] ?? 0) + by,
})

const observed = ({ counts, sum }: Histogram, age: Milliseconds): Histogram => {
  const seconds = age / second
  const found = ageBuckets.findIndex((bound) => seconds <= bound)
  const bucket = found === -1 ? ageBuckets.length : found
  return { counts: counts.map((count, index) => count + (index === bucket ? 1 : 0)), sum: sum + seconds }
}

/** Two tallies as one. */
export const plusTally = (one: Tally, other: Tally): Tally => ({
  submitted: one.submitted + other.submitted,
  outcomes: plusCounts(one.outcomes, other.outcomes),
  failures: plusCounts(one.failures, other.failures),
  renewalFailures: one.renewalFailures + other.renewalFailures,
  installed: one.installed + other.installed,
  replacedAges: plusHistogram(one.replacedAges, other.replacedAges),
})

export const plusHistogram = (one: Histogram, other: Histogram): Histogram => ({
  counts: zipWith(one.counts, other.counts, SemigroupSum.concat),
  sum: one.sum + other.sum,
})

const plusCounts = <Name extends string>(one: Counts<Name>, other: Counts<Name>): Counts<Name> => {
  let sum = one
  for (const name in other) sum = more<Name>(sum, name, other[name])
  return sum
}
