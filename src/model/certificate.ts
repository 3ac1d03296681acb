import type { Option } from 'fp-ts/lib/Option.js'
import type { Instant } from './time.js'

/** SHA-256 of a public key's SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER, 64 lower-case hexadecimal digits. */
export type KeyId = string

/** Whom and where a certificate or a request names: the subject's CN and O, and the subjectAltName entries. */
export interface Names {
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
  readonly dnsNames: ReadonlyArray<string>
  readonly ipAddresses: ReadonlyArray<string>
  readonly uris: ReadonlyArray<string>
}

/** What the core knows of an X.509 certificate (RFC 5280). Never a private key. */
export interface Certificate extends Names {
  /** Lower-case hexadecimal, as OpenSSL prints it but for its case. */
  readonly serialNumber: string
  /** The issuer's common name, or its whole name where it has none; for people. */
  readonly issuer: string
  readonly keyId: KeyId
  /** The kind of its key: a `KeyAlgorithm`, or another name; absent: not known. */
  readonly keyAlgorithm?: string
  /** Inclusive; whole seconds. */
  readonly notBefore: Instant
  /** Whole seconds. */
  readonly notAfter: Instant
  /** extKeyUsage by its Kubernetes names (`client auth`, `server auth`, or a dotted OID); none: the extension is absent. */
  readonly extendedKeyUsages: Option<ReadonlyArray<string>>
}

/** A certificate with the text it came as: the leaf first, then its intermediates, PEM `CERTIFICATE` blocks. */
export interface CertificateChain {
  readonly certificate: Certificate
  readonly pem: string
}

/** Where a chain leads, compared to the CAs that are known. */
export type Verification =
  /** No CA is known to compare it with. */
  | { readonly _tag: 'Unchecked' }
  | { readonly _tag: 'Verified' }
  /** `problem`: a clause for people. `required`: a certificate has to chain to these CAs; otherwise it is only expected to. */
  | { readonly _tag: 'Unverified'; readonly problem: string; readonly required: boolean }

/** A chain, and where it leads: as it was found when it was read. */
export interface CheckedChain extends CertificateChain {
  readonly verification: Verification
}

/** Past its end: at `notAfter` itself it no longer counts, so that a wait until then is a wait for something. */
export const expired = (certificate: Certificate, now: Instant): boolean => now >= certificate.notAfter

export const notYetValid = (certificate: Certificate, now: Instant): boolean => now < certificate.notBefore
