import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** Runs a task that has to succeed, and answers its result. */
export const right = async <A>(task: TaskEither<{ readonly message: string }, A>): Promise<A> => {
  const outcome = await task()
  if (E.isLeft(outcome)) throw new Error(`failed: ${outcome.left.message}`)
  return outcome.right
}

/** Runs a task that has to fail, and answers its error. */
export const left = async <E>(task: TaskEither<E, unknown>): Promise<E> => {
  const outcome = await task()
  if (E.isRight(outcome)) throw new Error('it succeeded, and should have failed')
  return outcome.left
}
