import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { failure, type OutputError } from '../../src/model/failure.js'
import type { Secret } from '../../src/model/secret.js'
import type { TlsCredential } from '../../src/ports.js'
import { objection, reasonOf, remedyOf } from '../platform/system-error.js'

/** Writes an output; what the operating system has against it, or we have, is an error of the output. */
export const writing =
  (name: string, write: () => Promise<void>): TaskEither<OutputError, void> =>
  async () => {
    try {
      return E.right(await write())
    } catch (thrown) {
      const remedy = remedyOf(thrown) ?? 'let this user write there, on a disk with room'
      return E.left(failure('OutputUnwritable', 'soon', `writing ${name}: ${reasonOf(thrown)}`, remedy))
    }
  }

/** The key as PEM; an objection where it cannot be exported. */
export const pemKeyOf = ({ key }: TlsCredential): Secret => {
  if (key._tag === 'Pem') return key.pem
  throw objection('the private key cannot be exported', 'have an output of your own that can name it')
}
