import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { KeyId } from '../../src/certificate.js'

/** The key id of a public key, or of a private key's public half. */
export const keyIdOf = (key: KeyObject): KeyId => keyIdOfSpki(spkiOf(key))

/** SubjectPublicKeyInfo in DER. */
export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })

export const keyIdOfSpki = (spki: Uint8Array): KeyId => createHash('sha256').update(spki).digest('hex')
