/** A worked example: a crypto port whose keys never leave the place where they are made (a token, an agent, a service). */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { cryptoBackend, type Hash, keyHandleFrom, referenceIn } from '../../../../adapters/crypto/index.js'
import {
  type CryptoBackend,
  type CryptoError,
  failure,
  type KeyAlgorithm,
  type KeyHandle,
} from '../../../../src/index.js'

/** What such a place offers. */
export interface Vault {
  /** Makes a key of this kind; its name. */
  readonly create: (algorithm: KeyAlgorithm) => Promise<string>
  /** SubjectPublicKeyInfo, PEM. Rejects when there is no such key. */
  readonly publicKey: (name: string) => Promise<string>
  readonly sign: (name: string, data: Uint8Array, hash: Hash | undefined) => Promise<Uint8Array>
  readonly destroy: (name: string) => Promise<void>
}

/** Keys in a vault; certificates are read as always. */
export const vaultCrypto = (vault: Vault): CryptoBackend => ({
  ...cryptoBackend,
  generateKey: (algorithm) =>
    pipe(
      TE.tryCatch(
        () => vault.create(algorithm),
        () => unavailable(`a key ${algorithm} cannot be made`),
      ),
      TE.chain(handleOf(vault)),
    ),
  // What is in the store after the first start may be a key that a kubelet wrote, or one of before.
  restoreKey: (stored) =>
    pipe(
      referenceIn(stored),
      TE.fromOption(() => unavailable('what is stored names no key')),
      TE.chain(handleOf(vault)),
    ),
})

const handleOf =
  (vault: Vault) =>
  (name: string): TE.TaskEither<CryptoError, KeyHandle> =>
    pipe(
      TE.tryCatch(
        () => vault.publicKey(name),
        () => unavailable(`there is no key ${name}`),
      ),
      TE.chain((publicKey) =>
        keyHandleFrom({
          publicKey,
          sign: (data, hash) => vault.sign(name, data, hash),
          reference: name,
          forget: () => vault.destroy(name),
        }),
      ),
    )

const unavailable = (what: string): CryptoError =>
  failure('KeyUnavailable', 'soon', `${what} in the vault`, 'see that the vault is there')
