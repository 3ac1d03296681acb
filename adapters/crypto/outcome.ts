import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type CryptoError, failure } from '../../src/model/failure.js'

/** Input that cannot be used: what it is, what is wrong with it, and what a person can do. */
export const malformed = (message: string, remedy: string): CryptoError =>
  failure('Malformed', 'later', message, remedy)

/**
 * Runs what may throw (parsers of foreign bytes do) and answers its error as a value. The reason keeps to one short
 * line: it comes from libraries, and what they say may contain what they were given.
 */
export const attempt = <A>(
  doing: string,
  remedy: string,
  run: () => Promise<A>,
): TaskEither<CryptoError, A> =>
  TE.tryCatch(run, (thrown) => malformed(`${doing}: ${reasonOf(thrown)}`, remedy))

/** What went wrong, in one short line. */
export const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : 'an unknown error'
  return (text.split('\n')[0] ?? '').slice(0, 200)
}
