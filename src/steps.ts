/**
 * Fallible steps in a row, written as they are read: the first that fails is the end, and its error the outcome.
 *
 *     const renew = steps(async function* () {
 *       const key = yield* ok(crypto.generateKey(algorithm))
 *       const pem = yield* ok(key.createRequest(template))
 *       return { key, pem }
 *     })
 *
 * What a body has opened it closes itself, before it goes on to `ok`: a `finally` around a step that fails is not run.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** The steps of `body` as an effect; its errors are those of all steps. */
export const steps =
  <E, A>(body: () => AsyncGenerator<E, A>): TaskEither<E, A> =>
  async () => {
    const outcome = await body().next()
    return outcome.done === true ? E.right(outcome.value) : E.left(outcome.value)
  }

/** What a step comes to; where it fails, nothing after it happens. */
export async function* ok<E, A>(step: TaskEither<E, A> | Either<E, A>): AsyncGenerator<E, A> {
  const outcome = typeof step === 'function' ? await step() : step
  if (E.isRight(outcome)) return outcome.right
  for (;;) yield outcome.left
}

/** Ends the steps, with an error: `return yield* fail(error)`. */
export const fail = <E>(error: E): AsyncGenerator<E, never> => ok(E.left(error))

/** The same over `Either`, at once: its steps are those of `okSync`. */
export const stepsSync = <E, A>(body: () => Generator<E, A>): Either<E, A> => {
  const outcome = body().next()
  return outcome.done === true ? E.right(outcome.value) : E.left(outcome.value)
}

/** What a step of `stepsSync` comes to. */
export function* okSync<E, A>(step: Either<E, A>): Generator<E, A> {
  if (E.isRight(step)) return step.right
  for (;;) yield step.left
}
