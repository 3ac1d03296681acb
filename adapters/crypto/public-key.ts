import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { KeyId } from '../../src/model/certificate.js'

/** SubjectPublicKeyInfo in DER, of a public key or of a private key's public half. */
export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })

export const keyIdOf = (key: KeyObject): KeyId => createHash('sha256').update(spkiOf(key)).digest('hex')
