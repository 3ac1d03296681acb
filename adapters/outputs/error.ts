import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { failure, type OutputError } from '../../src/model/failure.js'
import type { Secret } from '../../src/model/secret.js'
import type { TlsCredential } from '../../src/ports.js'
import { being, type Checks, demand, path, record, whole } from '../platform/options.js'
import { objection, reasonOf, remedyOf } from '../platform/system-error.js'
import type { Attributes } from '../platform/write-file.js'

const owner: Checks<NonNullable<Attributes['owner']>> = { uid: whole(0), gid: whole(0) }

const attributes: Checks<Attributes> = {
  mode: being(
    'permissions from 0o400 to 0o770, none of them for others',
    (value) => Number.isInteger(value) && Number(value) >= 0o400 && (Number(value) & ~0o770) === 0,
    'write it in octal, such as 0o640: the private key is in there',
  ),
  owner: record(owner, ['uid', 'gid']),
}

/** Throws what is wrong with what an output is made of: an `Error` with the `code` `InvalidOptions`. */
export const demandOutput = (caller: string, where: unknown, given: unknown): void => {
  demand(caller, path, where, 'the path')
  demand(caller, record(attributes), given)
}

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
