import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { StoreError } from '../../src/model/failure.js'
import type { CertificateStore, StoreContents } from '../../src/ports.js'
import { type Faults, faults, type Inject, struck } from './faults.js'

/** A call of the store. */
export interface StoreCall {
  readonly operation: 'load' | 'saveRequest' | 'discardRequest' | 'install'
  /** The request's name or the certificate's serial number. */
  readonly subject?: string
}

/** A call, and what came of it: `ok`, the error's tag, or `silence`. */
export interface StoreRecord extends StoreCall {
  readonly answer: string
}

/** A certificate store that outlives the rotations which use it, as a disk does. */
export interface MemoryStore extends CertificateStore {
  readonly contents: IO<StoreContents>
  /** Puts something else into it, as somebody with an editor would. */
  readonly put: (contents: Partial<StoreContents>) => void
  /** Every call so far; it grows. */
  readonly records: ReadonlyArray<StoreRecord>
  readonly inject: Inject<StoreCall, StoreError>
}

/** A store with these contents, empty if nothing is given. It keeps the current pair and the one before it. */
export const memoryStore = (initial: Partial<StoreContents> = {}): MemoryStore => {
  const injected: Faults<StoreCall, StoreError> = faults()
  const records: Array<StoreRecord> = []
  let contents: StoreContents = { pairs: [], request: O.none, warnings: [], ...initial }

  const does = async <A>(call: StoreCall, work: () => A): Promise<E.Either<StoreError, A>> => {
    const index = records.push({ ...call, answer: 'silence' }) - 1
    const answer = await struck(injected, call, () => E.right(work()))
    records[index] = { ...call, answer: E.isRight(answer) ? 'ok' : answer.left._tag }
    return answer
  }

  return {
    contents: () => contents,
    put: (some) => {
      contents = { ...contents, ...some }
    },
    records,
    inject: injected.inject,
    load: () => does({ operation: 'load' }, () => contents),
    saveRequest: (saved) => () =>
      does({ operation: 'saveRequest', subject: saved.draft.name }, () => {
        contents = { ...contents, request: O.some(saved) }
      }),
    discardRequest: () =>
      does({ operation: 'discardRequest' }, () => {
        contents = { ...contents, request: O.none }
      }),
    install:
      ({ certificate, pem, key, receivedAt }) =>
      () =>
        does({ operation: 'install', subject: certificate.serialNumber }, () => {
          const location = `memory:${certificate.serialNumber}`
          const others = contents.pairs.filter((pair) => pair.pem !== pem).slice(0, 1)
          contents = {
            ...contents,
            pairs: [{ location, pem, key, receivedAt }, ...others],
            request: O.none,
          }
        }),
  }
}
