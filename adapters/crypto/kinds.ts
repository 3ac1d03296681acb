/** Kinds of keys as `node:crypto` makes them and tells them apart. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import type { KeyAlgorithm } from '../../src/model/key-algorithm.js'

/** A new private key, made in a thread of its own. Rejects where OpenSSL has no such keys. */
export const newKey = (algorithm: KeyAlgorithm): Promise<KeyObject> =>
  new Promise((resolve, reject) => {
    const made = (error: Error | null, _: KeyObject, key: KeyObject) =>
      error === null ? resolve(key) : reject(error)
    switch (algorithm) {
      case 'ECDSA-P256':
        return generateKeyPair('ec', { namedCurve: 'prime256v1' }, made)
      case 'ECDSA-P384':
        return generateKeyPair('ec', { namedCurve: 'secp384r1' }, made)
      case 'ECDSA-P521':
        return generateKeyPair('ec', { namedCurve: 'secp521r1' }, made)
      case 'RSA-2048':
        return generateKeyPair('rsa', { modulusLength: 2048 }, made)
      case 'RSA-3072':
        return generateKeyPair('rsa', { modulusLength: 3072 }, made)
      case 'RSA-4096':
        return generateKeyPair('rsa', { modulusLength: 4096 }, made)
      case 'ML-DSA-44':
        return generateKeyPair('ml-dsa-44', {}, made)
      case 'ML-DSA-65':
        return generateKeyPair('ml-dsa-65', {}, made)
      case 'ML-DSA-87':
        return generateKeyPair('ml-dsa-87', {}, made)
      case 'Ed25519':
        return generateKeyPair('ed25519', {}, made)
    }
  })

const curves: Readonly<Record<string, KeyAlgorithm>> = {
  prime256v1: 'ECDSA-P256',
  secp384r1: 'ECDSA-P384',
  secp521r1: 'ECDSA-P521',
}

/** The `KeyAlgorithm` of a key, or what else it is called. */
export const nameOfKind = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string => {
  const type: string = asymmetricKeyType ?? 'unknown'
  const { namedCurve = '', modulusLength } = asymmetricKeyDetails ?? {}
  if (type === 'ec') return curves[namedCurve] ?? `ECDSA-${namedCurve}`
  if (type === 'rsa') return `RSA-${modulusLength}`
  return type === 'ed25519' ? 'Ed25519' : type.toUpperCase()
}
