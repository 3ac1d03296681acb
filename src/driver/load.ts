import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Held } from '../machine/facts.js'
import { expired, type Verification } from '../model/certificate.js'
import type { CryptoError, StoreError, TrustError } from '../model/failure.js'
import type { Draft } from '../model/request.js'
import type { CertificateStore, CryptoBackend, SavedRequest, StoreContents, StoredPair } from '../ports.js'
import { fail, ok, steps } from '../steps.js'
import { type Keyring, keep } from './keyring.js'
import { readiness, type Verifier, verificationOf } from './verify.js'

/** What is usable of the store's contents. */
export interface Found {
  readonly held: O.Option<Held>
  readonly draft: O.Option<Draft>
  /** What was there and could not be used; sentences for people. */
  readonly warnings: ReadonlyArray<string>
}

/** What is read, and what its certificate is compared with. */
export interface LoadPorts extends Verifier {
  readonly store: Pick<CertificateStore, 'load'>
  readonly crypto: CryptoBackend
}

/**
 * Reads the store: the first pair that belongs together and has not expired (else the first that belongs together), and
 * the saved request. Their keys go onto the keyring. A store that cannot be read is an error, not an empty store. A
 * certificate that does not chain to the CAs that are required is used and warned of: what rejects it is the server.
 */
export const load = ({ store, ...verifier }: LoadPorts, keys: Keyring): TE.TaskEither<StoreError, Found> =>
  pipe(
    store.load,
    TE.chainTaskK((contents) => usableOf(verifier, keys, contents)),
  )

const usableOf =
  (verifier: Omit<LoadPorts, 'store'>, keys: Keyring, contents: StoreContents): Task<Found> =>
  async () => {
    const now = verifier.clock.now()
    const warnings = [...contents.warnings]
    const ready = await readiness(verifier)()
    if (E.isLeft(ready)) warnings.push(sentence(ready.left))
    const usable: Array<{ readonly location: string; readonly held: Held }> = []
    for (const pair of contents.pairs) {
      const { location } = pair
      const held = await check(verifier, keys, pair)()
      if (E.isRight(held)) usable.push({ location, held: held.right })
      else warnings.push(`${location} is not used: ${held.left}`)
      if (E.isRight(held) && !expired(held.right.certificate, now)) break
    }
    const { request } = contents
    const draft = O.isSome(request) ? await recall(verifier.crypto, keys, request.value)() : O.none
    if (O.isSome(request) && O.isNone(draft))
      warnings.push(`the saved request ${request.value.draft.name} is not used: its key cannot be`)
    const found = usable.find(({ held }) => !expired(held.certificate, now)) ?? usable[0]
    const verification = found?.held.verification
    if (found !== undefined && verification?._tag === 'Unverified' && verification.required)
      warnings.push(`${found.location} is used, and may be rejected by the server: ${verification.problem}`)
    return { held: O.fromNullable(found?.held), draft, warnings }
  }

const sentence = ({ message, remedy }: CryptoError | TrustError): string => `${message}; ${remedy}`

/** The pair as a held certificate, its key on the keyring; or why it cannot be used. */
const check = (
  verifier: Omit<LoadPorts, 'store'>,
  keys: Keyring,
  pair: StoredPair,
): TE.TaskEither<string, Held> =>
  steps(async function* () {
    const chain = yield* ok(TE.mapLeft(sentence)(verifier.crypto.parseChain(pair.pem)))
    const key = yield* ok(TE.mapLeft(sentence)(verifier.crypto.restoreKey(pair.key)))
    if (key.id !== chain.certificate.keyId) return yield* fail('its key is not the key of its certificate')
    keep(keys, key)
    const verified = await verificationOf(verifier, chain.pem)()
    return {
      ...chain,
      verification: E.getOrElse((): Verification => ({ _tag: 'Unchecked' }))(verified),
      receivedAt: pair.receivedAt,
      rejectedAt: O.none,
      serverUntrustedAt: O.none,
    }
  })

/** The saved request, its key on the keyring; none when the key cannot be used, or is another one's. */
const recall = (crypto: CryptoBackend, keys: Keyring, { draft, key }: SavedRequest): Task<O.Option<Draft>> =>
  pipe(
    crypto.restoreKey(key),
    TE.match(
      () => O.none,
      (restored) => {
        if (restored.id !== draft.keyId) return O.none
        keep(keys, restored)
        return O.some(draft)
      },
    ),
  )
