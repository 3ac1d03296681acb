/** A kubeconfig, and the files that it names, as they change: read again while somebody follows what they say. */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { second } from '../../src/model/time.js'
import type { Source } from '../connections/source.js'
import type { KubeconfigError } from '../kubernetes/index.js'

/** As often as files are looked at that are followed, ms. */
const interval = 10 * second

export interface Watched<A> {
  readonly source: Source<A>
  readonly close: IO<void>
}

/**
 * The source, with a look at its files every ten seconds as long as it has listeners: `read` tells it what it finds. What
 * cannot be read is told once; what was there before serves on.
 */
export const watch = <A>(
  source: Source<A>,
  read: TaskEither<KubeconfigError, unknown>,
  warn: (message: string) => void,
): Watched<A> => {
  let followers = 0
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isReading = false
  let told = ''
  const look = async () => {
    // A file system that hangs is waited for, and not asked again and again.
    if (isReading) return
    isReading = true
    const found = await read()
    isReading = false
    const problem = E.isLeft(found)
      ? `${found.left.message}; what it said before serves on; ${found.left.remedy}`
      : ''
    if (problem !== '' && problem !== told && timer !== undefined) warn(problem)
    told = problem
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    source: {
      current: source.current,
      subscribe: (listener) => {
        const unsubscribe = source.subscribe(listener)
        followers += 1
        if (!isClosed) timer ??= setInterval(() => void look(), interval).unref()
        let isOver = false
        return () => {
          if (isOver) return
          isOver = true
          unsubscribe()
          followers -= 1
          if (followers === 0) stop()
        }
      },
    },
    close: () => {
      isClosed = true
      stop()
    },
  }
}
