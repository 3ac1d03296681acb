import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { KeyId, Names } from '../../src/model/certificate.js'
import { type CryptoError, failure } from '../../src/model/failure.js'
import { pemBlocks } from '../../src/model/pem.js'
import { type Secret, secret } from '../../src/model/secret.js'
import type { KeyHandle } from '../../src/ports.js'
import { ok, steps } from '../../src/steps.js'
import { keyIdOf } from '../platform/x509.js'
import { attempt, malformed, reasonOf } from './outcome.js'
import { fromPem, toPem } from './pem.js'
import type { KeyParts } from './types.js'

/** An RSA key of 16384 bits takes 13 kB. */
const maximumKeySize = 32 * 1024

const keyLabels = ['EC PRIVATE KEY', 'PRIVATE KEY', 'RSA PRIVATE KEY']

/**
 * PEM as client-go writes it (`MarshalPrivateKeyToPEM`, util/keyutil/key.go): SEC 1 (`EC PRIVATE KEY`, RFC 5915) for EC
 * keys, PKCS#1 (`RSA PRIVATE KEY`, RFC 8017) for RSA keys; PKCS#8 for others.
 */
export const keyPem = (key: KeyObject): Secret => {
  const type = key.asymmetricKeyType === 'ec' ? 'sec1' : key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8'
  return secret(key.export({ type, format: 'pem' }).toString())
}

/** The first private key in a PEM text: SEC 1, PKCS#1 or PKCS#8, not encrypted. */
export const readKey = (stored: Secret): TE.TaskEither<CryptoError, KeyObject> => {
  const text = stored.reveal()
  const remedy = 'give an unencrypted private key in PEM: EC PRIVATE KEY, PRIVATE KEY or RSA PRIVATE KEY'
  if (text.length > maximumKeySize)
    return TE.left(malformed(`a private key of ${text.length} characters is too long to be one`, remedy))
  const block = pemBlocks(text).find(({ label }) => keyLabels.includes(label))
  if (block === undefined) return TE.left(malformed('there is no private key in this PEM text', remedy))
  return attempt(`the private key in the ${block.label} block cannot be read`, remedy, async () =>
    createPrivateKey(block.text),
  )
}

const signInThread = promisify<string | null | undefined, NodeJS.ArrayBufferView, KeyObject, Buffer>(sign)

/** Signs by a key in memory, in a thread of its own: RSA keys take their time. */
export const signerBy =
  (key: KeyObject): KeyParts['sign'] =>
  (content, hash) =>
    signInThread(hash, content, key)

/** The handle of a private key that is in memory: as PEM, since OpenSSL takes kilobytes for a key. */
export const keyHandle = (key: KeyObject): KeyHandle => handleOf(keyIdOf(key), keyPem(key))

const handleOf = (id: KeyId, pem: Secret): KeyHandle => ({
  id,
  createRequest: (names) => {
    const key = createPrivateKey(pem.reveal())
    return requestFor(names, createPublicKey(key), signerBy(key))
  },
  forStorage: async () => E.right(pem),
  forTls: async () => E.right({ _tag: 'Pem', pem }),
})

const requestFor = (
  names: Names,
  publicKey: KeyObject,
  signer: KeyParts['sign'],
): ReturnType<KeyHandle['createRequest']> => {
  const doing = `a request for ${JSON.stringify(names.commonName)} cannot be made`
  return steps(async function* () {
    const request = yield* ok(
      attempt(doing, 'check the names: IP addresses, and DNS names and URIs in printable ASCII', async () =>
        (await import('./request.js')).unsignedRequest(publicKey, names),
      ),
    )
    const signature = yield* ok(
      TE.tryCatch(async () => signer(request.content, request.hash), keyUnavailable(doing)),
    )
    return yield* ok(
      attempt(doing, 'see that the key signs that is the other half of the public key', async () =>
        request.signed(signature),
      ),
    )
  })
}

const keyUnavailable =
  (doing: string) =>
  (thrown: unknown): CryptoError =>
    failure(
      'KeyUnavailable',
      'soon',
      `${doing}: the key does not sign: ${reasonOf(thrown)}`,
      'see that the token or service with the key is there',
    )

/**
 * The handle of a private key that is kept elsewhere and signs by a function. PKCS#10 is built here; the signature is
 * checked before the request counts.
 */
export const keyHandleFrom = (parts: KeyParts): TE.TaskEither<CryptoError, KeyHandle> =>
  attempt(
    'the public key cannot be read',
    'give SubjectPublicKeyInfo in PEM (PUBLIC KEY) of a key that OpenSSL knows here',
    async () => {
      const publicKey = createPublicKey(parts.publicKey)
      const reason = 'the key is kept elsewhere and cannot be exported'
      return {
        id: keyIdOf(publicKey),
        createRequest: (names) => requestFor(names, publicKey, parts.sign),
        forStorage: TE.right(secret(toPem(referenceLabel, Buffer.from(parts.reference)))),
        forTls: TE.right(parts.tls ?? { _tag: 'NotUsableHere', reason }),
        ...(parts.forget === undefined ? {} : { forget: parts.forget }),
      }
    },
  )

const referenceLabel = 'KEY REFERENCE'

/** What `reference` of `keyHandleFrom` was, in what a store kept; none: something else is there, a key perhaps. */
export const referenceIn = (stored: Secret): O.Option<string> =>
  O.tryCatch(() => fromPem(referenceLabel, stored.reveal()).toString())
