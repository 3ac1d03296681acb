/** What a rotation notes of itself for those who look at it: counters, the last lines of its log, who follows. */
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Told } from '../../src/describe/snapshot.js'
import type { Step, Transition } from '../../src/describe/transition.js'
import type { ConnectionCounts } from '../../src/metrics/metrics.js'
import { plusConnections } from '../../src/metrics/metrics.js'
import { counted, emptyTally, type Tally } from '../../src/metrics/tally.js'
import { instant } from '../../src/model/time.js'
import type { Count } from '../connections/source.js'

/** So many lines are kept: there may be thousands of rotations. */
const remembered = 8

export interface Observed {
  tally: Tally
  /** The oldest first. */
  recent: ReadonlyArray<Told>
  followers: ReadonlyArray<IO<ReadonlyArray<Count>>>
}

export const nothingObserved = (): Observed => ({ tally: emptyTally, recent: [], followers: [] })

export const noteStep = (seen: Observed, step: Step): void => {
  seen.tally = counted(seen.tally, step)
}

export const noteTransition = (seen: Observed, { at, level, reason, message }: Transition): void => {
  seen.recent = seen.recent
    .slice(1 - remembered)
    .concat({ at: instant(at.getTime()), level, reason, message })
}

/** Counts the connections of one more who follows, until the answer is called. */
export const noteFollower = (seen: Observed, counts: IO<ReadonlyArray<Count>>): IO<void> => {
  seen.followers = seen.followers.concat(counts)
  return () => {
    seen.followers = seen.followers.filter((one) => one !== counts)
  }
}

/** Undefined: nobody follows. */
export const connectionsOf = ({ followers }: Observed): ConnectionCounts | undefined =>
  followers.length === 0
    ? undefined
    : followers.flatMap((counts) => counts().map(countsOf)).reduce(plusConnections, noConnections)

const noConnections: ConnectionCounts = { current: 0, earlier: 0, none: 0 }

const countsOf = ({ certificate, current, connections }: Count): ConnectionCounts => {
  if (O.isNone(certificate)) return { ...noConnections, none: connections }
  return { ...noConnections, [current ? 'current' : 'earlier']: connections }
}
