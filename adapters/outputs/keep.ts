import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { after, inWords, type Milliseconds, minute, second } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'

/** What is kept in line with something: an output, a hook. */
export interface Follower<A> {
  readonly name: string
  /** Again is the same as once. */
  readonly write: (content: A) => TaskEither<Failure<string>, void>
}

/** An output that is being kept. At rest it costs nothing. */
export interface Kept {
  /** There may be something new to write: looks, and writes it. */
  readonly update: IO<void>
  /** Writes what has not been tried yet, and ends, after five seconds at most. */
  readonly stop: Task<void>
}

const longestDelay: Milliseconds = 10 * minute

const longestFarewell: Milliseconds = 5 * second

/** After 1, 2, 4, … seconds. */
const delayAfter = (failures: number): Milliseconds => Math.min(second * 2 ** (failures - 1), longestDelay)

/**
 * Keeps an output in line with what there is to write: one write at a time, the newest content only, again after a
 * failure. It begins with the first `update`.
 */
export const keepOutput = <A>(
  output: Follower<A>,
  content: IO<O.Option<A>>,
  clock: Clock,
  warn: (message: string) => void,
  onWritten: (content: A) => void = () => {},
): Kept => {
  let isDue = false
  let isStopped = false
  let isOver = false
  let told = ''
  let running: Promise<void> | undefined
  let pause = interruption()

  const run = async (): Promise<void> => {
    for (let failures = 0; isDue; ) {
      isDue = false
      const wanted = content()
      if (O.isNone(wanted)) return
      const written = await attempt(output, wanted.value)
      if (E.isRight(written)) {
        failures = 0
        told = ''
        onWritten(wanted.value)
        continue
      }
      failures += 1
      const { message, remedy } = written.left
      const delay = delayAfter(failures)
      const next = isStopped ? '' : `; it is tried again in ${inWords(delay)}, then ever more slowly`
      if (message !== told && !isOver) warn(`${message}; ${remedy}${next}`)
      told = message
      if (isStopped) return
      isDue = true
      pause = interruption()
      await clock.sleepUntil(after(clock.now(), delay), pause.signal)()
    }
  }

  const update = () => {
    isDue = true
    pause.interrupt()
    running ??= run().finally(() => {
      running = undefined
      // Something came while the last look found nothing.
      if (isDue) update()
    })
  }

  return {
    update,
    stop: async () => {
      isStopped = true
      pause.interrupt()
      if (running === undefined) return
      // Nobody waits for an output that hangs.
      const patience = interruption()
      const late = clock.sleepUntil(after(clock.now(), longestFarewell), patience.signal)()
      await Promise.race([running, late])
      isOver = true
      patience.interrupt()
    },
  }
}

/** No port throws by its contract; one that does has failed, and ends nothing. */
const attempt = async <A>(
  { name, write }: Follower<A>,
  content: A,
): Promise<E.Either<Failure<string>, void>> => {
  try {
    return await write(content)()
  } catch {
    return E.left(
      failure('OutputUnwritable', 'soon', `writing ${name}: it threw an error`, 'mend the output'),
    )
  }
}
