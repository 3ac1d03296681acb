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
  readonly noteStep: (step: Step) => void
  readonly noteTransition: (transition: Transition) => void
  readonly tally: IO<Tally>
  /** The oldest first. */
  readonly recent: IO<ReadonlyArray<Told>>
  readonly followed: (counts: IO<ReadonlyArray<Count>>) => IO<void>
  /** Undefined: nobody follows. */
  readonly connections: IO<ConnectionCounts | undefined>
}

export const observed = (): Observed => {
  const followers = new Set<IO<ReadonlyArray<Count>>>()
  let tally = emptyTally
  let recent: ReadonlyArray<Told> = []
  return {
    noteStep: (step) => {
      tally = counted(tally, step)
    },
    noteTransition: ({ at, level, reason, message }) => {
      const told = { at: instant(at.getTime()), level, reason, message }
      recent = [...recent.slice(1 - remembered), told]
    },
    tally: () => tally,
    recent: () => recent,
    followed: (counts) => {
      followers.add(counts)
      return () => {
        followers.delete(counts)
      }
    },
    connections: () =>
      followers.size === 0
        ? undefined
        : [...followers].flatMap((counts) => counts().map(countsOf)).reduce(plusConnections, noConnections),
  }
}

const noConnections: ConnectionCounts = { current: 0, earlier: 0, none: 0 }

const countsOf = ({ certificate, current, connections }: Count): ConnectionCounts => {
  if (O.isNone(certificate)) return { ...noConnections, none: connections }
  return { ...noConnections, [current ? 'current' : 'earlier']: connections }
}
