import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { expired } from './certificate.js'
import type { CryptoError, StoreError } from './failure.js'
import type { Keyring } from './keyring.js'
import type { CertificateStore, CryptoBackend, SavedRequest, StoredPair } from './ports.js'
import type { Draft } from './request.js'
import type { Held } from './state.js'
import type { Instant } from './time.js'

/** What is usable of the store's contents. */
export interface Found {
  readonly held: O.Option<Held>
  readonly draft: O.Option<Draft>
  /** What was there and could not be used; sentences for people. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * Reads the store: the first pair that belongs together and has not ended (else the first that belongs together), and
 * the saved request. Their keys go onto the keyring. A store that cannot be read is an error, not an empty store.
 */
export const loading =
  (
    store: Pick<CertificateStore, 'load'>,
    crypto: CryptoBackend,
    keys: Keyring,
    now: Instant,
  ): TaskEither<StoreError, Found> =>
  async () => {
    const contents = await store.load()
    if (E.isLeft(contents)) return contents
    const warnings = [...contents.right.warnings]
    const usable: Array<Held> = []
    for (const pair of contents.right.pairs) {
      const held = await check(crypto, keys, pair)
      if (E.isRight(held)) usable.push(held.right)
      else warnings.push(`${pair.location} is not used: ${held.left}`)
      if (E.isRight(held) && !expired(held.right.certificate, now)) break
    }
    const draft = O.isSome(contents.right.request)
      ? await recall(crypto, keys, contents.right.request.value)
      : O.none
    if (O.isSome(contents.right.request) && O.isNone(draft))
      warnings.push(
        `the saved request ${contents.right.request.value.draft.name} is not used: its key cannot be`,
      )
    const held = usable.find(({ certificate }) => !expired(certificate, now)) ?? usable[0]
    return E.right({ held: O.fromNullable(held), draft, warnings })
  }

const check = async (
  crypto: CryptoBackend,
  keys: Keyring,
  pair: StoredPair,
): Promise<E.Either<string, Held>> => {
  const reason = ({ message, remedy }: CryptoError) => `${message}; ${remedy}`
  const chain = await crypto.parseChain(pair.pem)()
  if (E.isLeft(chain)) return E.left(reason(chain.left))
  const key = await crypto.restoreKey(pair.key)()
  if (E.isLeft(key)) return E.left(reason(key.left))
  if (key.right.id !== chain.right.certificate.keyId)
    return E.left('its key is not the key of its certificate')
  keys.keep(key.right)
  return E.right({ ...chain.right, receivedAt: pair.receivedAt, rejectedAt: O.none })
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
