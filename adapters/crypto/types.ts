/**
 * The types of what this adapter exports, apart from the modules that make them: their declarations name pkijs, whose
 * own declarations need a browser's types.
 */
import type { Task } from 'fp-ts/lib/Task.js'
import type { KeyId, Names } from '../../src/model/certificate.js'
import type { Secret } from '../../src/model/secret.js'
import type { Instant } from '../../src/model/time.js'
import type { TlsKey } from '../../src/ports.js'

/** What to sign with: RSASSA-PKCS1-v1_5 by an RSA key, ECDSA by one on a NIST curve. */
export type Hash = 'SHA-256' | 'SHA-384' | 'SHA-512'

/** A subject attribute other than CN and O. */
export interface OtherAttribute {
  /** Dotted object identifier. */
  readonly type: string
  readonly value: string
}

/** A certification request (PKCS#10, RFC 2986) whose signature is by the key it is for. */
export interface ParsedRequest extends Names {
  readonly emailAddresses: ReadonlyArray<string>
  /** Alternative names that are no DNS name, IP address, URI or email address: how many. */
  readonly otherNames: number
  /** Subject attributes other than CN and O. */
  readonly otherAttributes: ReadonlyArray<OtherAttribute>
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly keyId: KeyId
}

/** A private key that is kept elsewhere: in a token, an agent, a service. */
export interface KeyParts {
  /** SubjectPublicKeyInfo, PEM: of any kind of key that OpenSSL knows here. */
  readonly publicKey: string
  /**
   * The signature of the data by the key, with the hash; none: Ed25519 and ML-DSA have their own. Of ECDSA in DER, or r and s one after the other as PKCS#11 has them. What it
   * rejects with is told as `KeyUnavailable`, and tried again.
   */
  readonly sign: (data: Uint8Array, hash: Hash | undefined) => Promise<Uint8Array>
  /** What finds the key again: any text. It is stored beside the certificate; `referenceIn` reads it. */
  readonly reference: string
  /** Where TLS can use the key all the same, by an OpenSSL engine; `NotUsableHere` if not given. */
  readonly tls?: TlsKey
  readonly forget?: Task<void>
}

/** A certificate authority: its certificate, PEM, and its private key. */
export interface Authority {
  readonly pem: string
  readonly key: Secret
}

export interface Validity {
  /** Positive, hexadecimal, at most 20 bytes (RFC 5280, 4.1.2.2). */
  readonly serialNumber: string
  /** Whole seconds. */
  readonly notBefore: Instant
  /** Whole seconds. */
  readonly notAfter: Instant
}

export interface AuthorityParameters extends Validity {
  readonly commonName: string
}

export interface CertificateParameters extends Validity, Names {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** By their Kubernetes names, as in `spec.usages`. */
  readonly usages: ReadonlyArray<string>
}
