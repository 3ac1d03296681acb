/** Any number of rotations in one process, on one agenda. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as T from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { agenda } from '../../src/driver/agenda.js'
import { type Limits, limit } from '../../src/driver/limits.js'
import { driver } from '../../src/driver/rotation.js'
import { countersOf, type Metrics, noMetrics, sumOf } from '../../src/metrics/metrics.js'
import type { Clock } from '../../src/ports.js'
import { wallClock } from '../platform/clock.js'
import { type Checks, demand, record, whole } from '../platform/options.js'
import { run } from '../platform/promise.js'
import { clock as aClock, checkedOptions, invalid, type RotationOptions } from './options.js'
import { type SharedRequests, sharedRequests } from './shared-requests.js'
import { type RunningRotation, type StartError, startOn } from './start.js'

const limits: Checks<Limits> = { handshakes: whole(1), keys: whole(1), installs: whole(1) }
const fleetOptions: Checks<FleetOptions> = { limits: record(limits), clock: aClock }

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
  /** Ends them all, and waits for their end; none can be started then. */
  readonly stop: () => Promise<void>
  readonly stopTask: T.Task<void>
}

/**
 * A fleet without rotations yet. It holds nothing open; without rotations nothing has to be closed. Throws for an option
 * that there is none of: an `Error` with the `code` `InvalidOptions`.
 */
export const openFleet = (options: FleetOptions = {}): Fleet => {
  demand('openFleet', record(fleetOptions), options)
  const { limits = {}, clock = wallClock } = options
  return fleetOn(clock, limits, sharedRequests())
}

/** Starts a rotation: opens the certificate directory, reads what is there, and keeps a certificate alive from then on. */
export const startRotationTask = (options: RotationOptions): TE.TaskEither<StartError, RunningRotation> =>
  pipe(
    TE.fromEither(checkedOptions(options)),
    TE.chain((checked) => {
      const clock = checked.ports?.clock ?? wallClock
      return startOn(driver(clock), { clock })(checked)
    }),
  )

/** The same as a promise, which rejects with an `Error` that has a `code`: the `_tag` of a `StartError`. */
export const startRotation = (options: RotationOptions): Promise<RunningRotation> =>
  run(startRotationTask(options))

/** Directories that are opened at one time. */
const startsAtOnce = 32

const fleetOn = (clock: Clock, limits: Partial<Limits>, requests: SharedRequests): Fleet => {
  const members = new Set<RunningRotation>()
  let before = noMetrics(clock.now())
  let isStopped = false
  const start = startOn(driver(clock, limits), { clock, requests })
  // Where thousands start at once, what is in the middle of it takes far more memory than what is at rest.
  const oneOfFew = limit(startsAtOnce, agenda(clock), clock)

  const checked = (options: RotationOptions) => {
    if (isStopped) return E.left(invalid('the fleet was stopped', 'open another one: openFleet()'))
    return pipe(
      checkedOptions(options),
      E.filterOrElse(
        ({ ports }) => ports?.clock === undefined || ports.clock === clock,
        () =>
          invalid(
            'ports.clock is not the clock of the fleet',
            'give the clock to openFleet, or leave it out',
          ),
      ),
    )
  }

  const startTask: Fleet['startTask'] = (options) =>
    pipe(
      oneOfFew(
        pipe(
          TE.fromIOEither(() => checked(options)),
          TE.chain(start),
        ),
      ),
      TE.map((member) => {
        members.add(member)
        const leave = () => {
          members.delete(member)
          before = sumOf(before, countersOf(member.metrics()))
        }
        member.endedTask().then(leave, leave)
        return member
      }),
      // The fleet may have been stopped meanwhile.
      TE.chainFirstTaskK(({ stopTask: stop }) => (isStopped ? stop : T.of(undefined))),
    )

  const stopTask: T.Task<void> = pipe(
    T.fromIO(() => {
      isStopped = true
      return [...members]
    }),
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
