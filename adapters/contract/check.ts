import { isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'

/** A sentence about a port, and whether it is true: `run` rejects with an `Error` that says what is not as it should be. */
export interface Check {
  readonly name: string
  readonly run: () => Promise<void>
}

export const ensure = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise)
}

export const same = (what: string, actual: unknown, expected: unknown): void =>
  ensure(
    isDeepStrictEqual(actual, expected),
    `${what} is ${excerpt(actual)} and should be ${excerpt(expected)}`,
  )

const excerpt = (value: unknown): string => String(JSON.stringify(value)).slice(0, 200)

/** The value of what should work. */
export const worked = async <A>(
  what: string,
  task: TaskEither<{ readonly _tag: string; readonly message?: string }, A>,
): Promise<A> => {
  const outcome = await task()
  if (E.isRight(outcome)) return outcome.right
  throw new Error(`${what} failed: ${outcome.left._tag}: ${outcome.left.message ?? ''}`)
}

/** The `_tag` of the error of what should not work. */
export const refused = async (
  what: string,
  task: TaskEither<{ readonly _tag: string }, unknown>,
): Promise<string> => {
  const outcome = await task()
  if (E.isLeft(outcome)) return outcome.left._tag
  throw new Error(`${what} should be an error, and worked`)
}
