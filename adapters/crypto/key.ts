import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { CryptoError } from '../../src/model/failure.js'
import { pemBlocks } from '../../src/model/pem.js'
import { type Secret, secret } from '../../src/model/secret.js'
import type { KeyHandle } from '../../src/ports.js'
import { keyIdOf } from '../platform/x509.js'
import { attempt, malformed } from './outcome.js'
import type { Signer } from './types.js'

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
  (key: KeyObject): Signer =>
  (content, hash) =>
    signInThread(hash, content, key)

/** The handle of a private key that is in memory. */
export const keyHandle = (key: KeyObject): KeyHandle => ({
  id: keyIdOf(key),
  createRequest: (names) =>
    attempt(
      `a request for ${JSON.stringify(names.commonName)} cannot be made`,
      'check the names: IP addresses, and DNS names and URIs in printable ASCII',
      async () => (await import('./request.js')).createRequest(createPublicKey(key), signerBy(key), names),
    ),
  forStorage: TE.fromIO(() => keyPem(key)),
  forTls: TE.fromIO(() => ({ _tag: 'Pem', pem: keyPem(key) })),
})
