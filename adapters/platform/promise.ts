import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Failure } from '../../src/model/failure.js'

/** A failure as an `Error`: its message and remedy, and its `_tag` as the `code`. */
export const errorOf = ({ _tag, message, remedy }: Failure<string>): Error & { readonly code: string } =>
  Object.assign(new Error(`${message}; ${remedy}`), { code: _tag })

/** What an effect came to. Throws `errorOf` its failure. */
export const resultOf = <A>(outcome: E.Either<Failure<string>, A>): A => {
  if (E.isRight(outcome)) return outcome.right
  throw errorOf(outcome.left)
}

/** Runs an effect: the promise form of everything that answers a `TaskEither`. It rejects with `errorOf` the failure. */
export const run = async <A>(task: TaskEither<Failure<string>, A>): Promise<A> => resultOf(await task())
