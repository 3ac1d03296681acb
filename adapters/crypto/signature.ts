/** Signatures of requests and certificates: checked by OpenSSL, named as X.509 names them. */
import { constants, type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import * as asn1js from 'asn1js'
import { AlgorithmIdentifier, RSASSAPSSParams } from 'pkijs'
import { nameOfKind } from './kinds.js'
import { oid } from './oid.js'
import type { Hash } from './types.js'

/** How a key signs. */
export interface SignatureScheme {
  readonly algorithm: AlgorithmIdentifier
  readonly hash: Hash | undefined
}

/**
 * How a key, the public or the private half, signs here: RSA with PKCS#1 v1.5 and SHA-256, EC keys with the hash of their
 * strength (RFC 5480, 4), the others as they do. Throws for any other key.
 */
export const signatureScheme = (key: KeyObject): SignatureScheme => {
  const name = nameOfKind(key)
  if (name.startsWith('RSA-'))
    return scheme('SHA-256', oid.rsaWith['SHA-256'], { algorithmParams: new asn1js.Null() })
  switch (name) {
    case 'ECDSA-P256':
      return scheme('SHA-256', oid.ecdsaWith['SHA-256'])
    case 'ECDSA-P384':
      return scheme('SHA-384', oid.ecdsaWith['SHA-384'])
    case 'ECDSA-P521':
      return scheme('SHA-512', oid.ecdsaWith['SHA-512'])
    case 'Ed25519':
      return scheme(undefined, oid.ed25519)
    case 'ML-DSA-44':
      return scheme(undefined, oid.mlDsa['ML-DSA-44'])
    case 'ML-DSA-65':
      return scheme(undefined, oid.mlDsa['ML-DSA-65'])
    case 'ML-DSA-87':
      return scheme(undefined, oid.mlDsa['ML-DSA-87'])
  }
  throw new Error(`a key ${name} cannot sign here`)
}

const scheme = (
  hash: Hash | undefined,
  algorithmId: string,
  parameters: { readonly algorithmParams?: asn1js.Null } = {},
): SignatureScheme => ({ hash, algorithm: new AlgorithmIdentifier({ algorithmId, ...parameters }) })

/** A signature as it stands in a request or a certificate. */
export const signatureValue = (signature: Uint8Array): asn1js.BitString =>
  new asn1js.BitString({ valueHex: new Uint8Array(signature) })

const verifyInThread = promisify<
  string | null | undefined,
  NodeJS.ArrayBufferView,
  Parameters<typeof verify>[2],
  NodeJS.ArrayBufferView,
  boolean
>(verify)

/** Whether the signature of the content is by the key. Rejects for an algorithm that is not known. */
export const isSignedBy = async (
  publicKey: KeyObject,
  { algorithmId, algorithmParams }: AlgorithmIdentifier,
  content: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> => {
  if (algorithmId === oid.rsaPss) {
    const { hashAlgorithm, saltLength } = new RSASSAPSSParams({ schema: algorithmParams })
    const key = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
    return verifyInThread(hashOf[hashAlgorithm.algorithmId] ?? 'SHA-1', content, key, signature)
  }
  const [family, hash] = algorithms[algorithmId] ?? []
  if (family === undefined) throw new Error(`the signature algorithm ${algorithmId} is not known`)
  return nameOfKind(publicKey).startsWith(family) && verifyInThread(hash, content, publicKey, signature)
}

/** Signature algorithms: what the key's kind begins with, and the hash. */
const algorithms: Readonly<Record<string, readonly [family: string, hash?: Hash]>> = {
  [oid.rsaWith['SHA-256']]: ['RSA-', 'SHA-256'],
  [oid.rsaWith['SHA-384']]: ['RSA-', 'SHA-384'],
  [oid.rsaWith['SHA-512']]: ['RSA-', 'SHA-512'],
  [oid.ecdsaWith['SHA-256']]: ['ECDSA-', 'SHA-256'],
  [oid.ecdsaWith['SHA-384']]: ['ECDSA-', 'SHA-384'],
  [oid.ecdsaWith['SHA-512']]: ['ECDSA-', 'SHA-512'],
  [oid.ed25519]: ['Ed25519'],
  [oid.mlDsa['ML-DSA-44']]: ['ML-DSA-44'],
  [oid.mlDsa['ML-DSA-65']]: ['ML-DSA-65'],
  [oid.mlDsa['ML-DSA-87']]: ['ML-DSA-87'],
}

const hashOf: Readonly<Record<string, Hash>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
}
