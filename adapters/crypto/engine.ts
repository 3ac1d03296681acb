import { type KeyObject, webcrypto } from 'node:crypto'
import { CryptoEngine } from 'pkijs'
import type { Hash } from './types.js'

/** What pkijs computes with: handed to each call, so that no engine has to be set for the whole process. */
export const engine = new CryptoEngine({ name: 'node', crypto: webcrypto })

/** The hash to sign with: SHA-256, for the larger NIST curves the one of their strength (RFC 5480, 4). */
export const hashFor = (key: KeyObject): Hash => {
  const curve = key.asymmetricKeyDetails?.namedCurve
  return curve === 'secp384r1' ? 'SHA-384' : curve === 'secp521r1' ? 'SHA-512' : 'SHA-256'
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** The private key as WebCrypto takes it. Rejects for other keys than RSA and EC on a NIST curve. */
export const forSigning = async (key: KeyObject): Promise<CryptoKey> => {
  const namedCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  const algorithm =
    key.asymmetricKeyType === 'ec' && namedCurve !== undefined
      ? { name: 'ECDSA', namedCurve }
      : key.asymmetricKeyType === 'rsa'
        ? { name: 'RSASSA-PKCS1-v1_5', hash: hashFor(key) }
        : undefined
  if (algorithm === undefined)
    throw new Error(`a key of type ${key.asymmetricKeyType} on this curve cannot sign here`)
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}
