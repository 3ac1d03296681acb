/**
 * The types of what this adapter exports, apart from the modules that make them: their declarations name pkijs, whose
 * own declarations need a browser's types.
 */
import type { KeyId, Names } from '../../src/model/certificate.js'
import type { Secret } from '../../src/model/secret.js'
import type { Instant } from '../../src/model/time.js'

/** By the names of FIPS 180-4. */
export type Hash = 'SHA-256' | 'SHA-384' | 'SHA-512'

/** Signs the content with the hash; none: the algorithm has its own. An EC key answers in DER. Rejects when it cannot. */
export type Signer = (content: Uint8Array, hash: Hash | undefined) => Promise<Uint8Array>

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
