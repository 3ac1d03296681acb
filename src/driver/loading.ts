import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Held } from '../machine/state.js'
import { expired, type Verification } from '../model/certificate.js'
import type { CryptoError, StoreError, TrustError } from '../model/failure.js'
import type { Draft } from '../model/request.js'
import type { CertificateStore, CryptoBackend, SavedRequest, StoredPair } from '../ports.js'
import type { Keyring } from './keyring.js'
import { readiness, type Verifier, verificationOf } from './verification.js'

/** What is usable of the store's contents. */
export interface Found {
  readonly held: O.Option<Held>
  readonly draft: O.Option<Draft>
  /** What was there and could not be used; sentences for people. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * Reads the store: the first pair that belongs together and has not ended (else the first that belongs together), and
 * the saved request. Their keys go onto the keyring. A store that cannot be read is an error, not an empty store. A
 * certificate that does not lead to the CAs that are required is used and warned of: what refuses it is the server.
 */
export const loading =
  ({ store, ...verifier }: LoadingPorts, keys: Keyring): TaskEither<StoreError, Found> =>
  async () => {
    const now = verifier.clock.now()
    const contents = await store.load()
    if (E.isLeft(contents)) return contents
    const warnings = [...contents.right.warnings]
    const ready = await readiness(verifier)
    if (E.isLeft(ready)) warnings.push(sentence(ready.left))
    const usable: Array<{ readonly location: string; readonly held: Held }> = []
    for (const pair of contents.right.pairs) {
      const { location } = pair
      const held = await check(verifier, keys, pair)
      if (E.isRight(held)) usable.push({ location, held: held.right })
      else warnings.push(`${location} is not used: ${held.left}`)
      if (E.isRight(held) && !expired(held.right.certificate, now)) break
    }
    const draft = O.isSome(contents.right.request)
      ? await recall(verifier.crypto, keys, contents.right.request.value)
      : O.none
    if (O.isSome(contents.right.request) && O.isNone(draft))
      warnings.push(
        `the saved request ${contents.right.request.value.draft.name} is not used: its key cannot be`,
      )
    const found = usable.find(({ held }) => !expired(held.certificate, now)) ?? usable[0]
    const verification = found?.held.verification
    if (found !== undefined && verification?._tag === 'Unverified' && verification.required)
      warnings.push(`${found.location} is used, and may be refused by the server: ${verification.problem}`)
    return E.right({ held: O.fromNullable(found?.held), draft, warnings })
  }

/** What is read, and what its certificate is compared with. */
export interface LoadingPorts extends Verifier {
  readonly store: Pick<CertificateStore, 'load'>
  readonly crypto: CryptoBackend
}

const sentence = ({ message, remedy }: CryptoError | TrustError): string => `${message}; ${remedy}`

const check = async (
  verifier: Omit<LoadingPorts, 'store'>,
  keys: Keyring,
  pair: StoredPair,
): Promise<E.Either<string, Held>> => {
  const chain = await verifier.crypto.parseChain(pair.pem)()
  if (E.isLeft(chain)) return E.left(sentence(chain.left))
  const key = await verifier.crypto.restoreKey(pair.key)()
  if (E.isLeft(key)) return E.left(sentence(key.left))
  if (key.right.id !== chain.right.certificate.keyId)
    return E.left('its key is not the key of its certificate')
  keys.keep(key.right)
  const verified = await verificationOf(verifier, chain.right.pem)
  const verification: Verification = E.isRight(verified) ? verified.right : { _tag: 'Unchecked' }
  return E.right({ ...chain.right, verification, receivedAt: pair.receivedAt, rejectedAt: O.none })
}

const recall = async (
  crypto: CryptoBackend,
  keys: Keyring,
  { draft, key }: SavedRequest,
): Promise<O.Option<Draft>> => {
  const restored = await crypto.restoreKey(key)()
  if (E.isLeft(restored) || restored.right.id !== draft.keyId) return O.none
  keys.keep(restored.right)
  return O.some(draft)
}
