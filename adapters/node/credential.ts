import type { TlsCredential } from '../../src/ports.js'

/** What `node:tls`, `node:https` and everything built on them take to present a client certificate. */
export interface TlsOptions {
  /** PEM: the certificate, then its intermediates. */
  readonly cert: string
  /** PEM; absent when the key stays in an OpenSSL engine. */
  readonly key?: string
  readonly privateKeyEngine?: string
  readonly privateKeyIdentifier?: string
}

/** A client certificate and the means to use it. Its private key shows only in what `tls()` answers. */
export interface Credential {
  /** PEM: the certificate, then its intermediates. */
  readonly certificate: string
  /** Lower-case hexadecimal. */
  readonly serialNumber: string
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
  readonly notBefore: Date
  readonly notAfter: Date
  /** SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal: a new one with each rotation. */
  readonly keyId: string
  /** For `https.request(url, { ...credential.tls() })` and the like; undefined where TLS cannot use the key. */
  readonly tls: () => TlsOptions | undefined
}

/** The same credential for those who know nothing of the core. */
export const credentialFrom = ({ certificate, pem, key }: TlsCredential): Credential => ({
  certificate: pem,
  serialNumber: certificate.serialNumber,
  commonName: certificate.commonName,
  organizations: certificate.organizations,
  notBefore: new Date(certificate.notBefore),
  notAfter: new Date(certificate.notAfter),
  keyId: certificate.keyId,
  tls: () => {
    switch (key._tag) {
      case 'Pem':
        return { cert: pem, key: key.pem.reveal() }
      case 'Engine':
        return { cert: pem, privateKeyEngine: key.engine, privateKeyIdentifier: key.identifier }
      case 'NotUsableHere':
        return undefined
    }
  },
})
