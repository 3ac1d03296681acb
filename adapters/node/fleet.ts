/** Any number of rotations in one process, on one agenda. */
import { pipe } from 'fp-ts/lib/function.js'
import * as T from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { agenda } from '../../src/driver/agenda.js'
import { defaultLimits, type Limits, limit } from '../../src/driver/limits.js'
import { driver } from '../../src/driver/rotation.js'
import { countersOf, type Metrics, noMetrics, sumOf } from '../../src/metrics/metrics.js'
import type { Clock } from '../../src/ports.js'
import { wallClock } from '../platform/clock.js'
import { errorOf, run } from '../platform/promise.js'
import { invalid, type RotationOptions, unknownOption } from './options.js'
import { type SharedRequests, sharedRequests } from './shared-requests.js'
import { type RunningRotation, type StartError, startOn } from './start.js'

/** What the rotations of a fleet share. */
export interface FleetOptions {
  /** How much of what is costly runs at one time; what is left out is as in `defaultLimits`. */
  readonly limits?: Partial<Limits>
  /** In place of the wall clock. */
  readonly clock?: Clock
}

/**
 * Rotations that share one agenda with one timer, bounds on what runs at one time, and the connections and the watch of
 * a bootstrap or external credential. One at rest costs its facts and its key. What one waits for delays no other.
 */
export interface Fleet {
  /** Starts a rotation, as `startRotation` does. */
  readonly start: (options: RotationOptions) => Promise<RunningRotation>
  readonly startTask: (options: RotationOptions) => TE.TaskEither<StartError, RunningRotation>
  /** Those that have been started and have not ended. */
  readonly rotations: () => ReadonlyArray<RunningRotation>
  /** What can be measured of all of them as one; counters keep what those had that have ended. */
  readonly metrics: () => Metrics
  /** Ends them all, and waits for their end. */
  readonly stop: () => Promise<void>
  readonly stopTask: T.Task<void>
}

/**
 * A fleet without rotations yet. It holds nothing open; without rotations nothing has to be closed. Throws for an option
 * that there is none of: an `Error` with the `code` `InvalidOptions`.
 */
export const openFleet = (options: FleetOptions = {}): Fleet => {
  const { limits = {}, clock = wallClock } = options
  const problem =
    unknownOption('', options, { limits, clock }) ?? unknownOption('limits.', limits, defaultLimits)
  if (problem !== undefined) throw errorOf(problem)
  return fleetOn(clock, limits, sharedRequests())
}

/** Starts a rotation: opens the certificate directory, reads what is there, and keeps a certificate alive from then on. */
export const startRotationTask = (options: RotationOptions): TE.TaskEither<StartError, RunningRotation> => {
  const clock = options.ports?.clock ?? wallClock
  return startOn(driver(clock), { clock })(options)
}

/** The same as a promise, which rejects with an `Error` that has a `code`: the `_tag` of a `StartError`. */
export const startRotation = (options: RotationOptions): Promise<RunningRotation> =>
  run(startRotationTask(options))

/** Directories that are opened at one time. */
const startsAtOnce = 32

const fleetOn = (clock: Clock, limits: Partial<Limits>, requests: SharedRequests): Fleet => {
  const members = new Set<RunningRotation>()
  let before = noMetrics(clock.now())
  const start = startOn(driver(clock, limits), { clock, requests })
  // Where thousands start at once, what is in the middle of it takes far more memory than what is at rest.
  const oneOfFew = limit(startsAtOnce, agenda(clock), clock)

  const startTask: Fleet['startTask'] = (options) => {
    const given = options.ports?.clock
    if (given !== undefined && given !== clock)
      return TE.left(
        invalid('ports.clock is not the clock of the fleet', 'give the clock to openFleet, or leave it out'),
      )
    return pipe(
      oneOfFew(start(options)),
      TE.map((member) => {
        members.add(member)
        const leave = () => {
          members.delete(member)
          before = sumOf(before, countersOf(member.metrics()))
        }
        member.endedTask().then(leave, leave)
        return member
      }),
    )
  }

  const stopTask: T.Task<void> = pipe(
    T.fromIO(() => [...members]),
    T.chain(T.traverseArray(({ stopTask: stop }) => stop)),
    T.map(() => undefined),
  )

  return {
    start: (options) => run(startTask(options)),
    startTask,
    rotations: () => [...members],
    metrics: () =>
      [...members].reduce((sum, member) => sumOf(sum, member.metrics()), { ...before, at: clock.now() }),
    stop: stopTask,
    stopTask,
  }
}
