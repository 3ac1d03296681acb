import type { X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type Extension, ExtKeyUsage, Certificate as PkiCertificate } from 'pkijs'
import type { Certificate, CertificateChain } from '../../src/model/certificate.js'
import { type Instant, instant } from '../../src/model/time.js'
import { type Bounds, certificateBlocks, chainBounds, keyIdOf, readCertificates } from '../platform/x509.js'
import { nameOfKind } from './kinds.js'
import { decodeAlternativeNames, decodeSubject, noAlternativeNames, parsed } from './names.js'
import { oid } from './oid.js'
import { nameOfExtendedKeyUsage } from './usages.js'

/** Reads the `CERTIFICATE` blocks of a PEM text, the leaf first. Rejects when there is none, or there is too much. */
export const readChain = async (pem: string): Promise<CertificateChain> => {
  const [leaf] = certificatesOf(pem, chainBounds)
  return { certificate: certificateOf(leaf), pem: certificateBlocks(pem).join('') }
}

/** OpenSSL, which is what TLS will use, has to be able to read each of them. Throws when it cannot, or there is none. */
export const certificatesOf = (pem: string, bounds: Bounds) => {
  const certificates = readCertificates(pem, bounds)
  if (E.isLeft(certificates)) throw new Error(certificates.left)
  return certificates.right
}

const certificateOf = (x509: X509Certificate): Certificate => {
  const certificate = new PkiCertificate({ schema: parsed(x509.raw) })
  const { commonName, organizations } = decodeSubject(certificate.subject)
  const extensions = certificate.extensions ?? []
  const objection = objectionTo(extensions)
  if (objection !== undefined) throw new Error(objection)
  const value = (id: string): O.Option<Uint8Array> => extensionValue(extensions, id)
  const alternativeNames = value(oid.subjectAltName)
  const { dnsNames, ipAddresses, uris } = O.isSome(alternativeNames)
    ? decodeAlternativeNames(alternativeNames.value)
    : noAlternativeNames
  const issuer = decodeSubject(certificate.issuer).commonName
  return {
    commonName,
    organizations,
    dnsNames,
    ipAddresses,
    uris,
    serialNumber: x509.serialNumber.toLowerCase(),
    issuer: issuer === '' ? x509.issuer.replaceAll('\n', ', ') : issuer,
    keyId: keyIdOf(x509.publicKey),
    keyAlgorithm: nameOfKind(x509.publicKey),
    notBefore: timeOf(x509.validFrom),
    notAfter: timeOf(x509.validTo),
    extendedKeyUsages: O.map((der: Uint8Array) =>
      new ExtKeyUsage({ schema: parsed(der) }).keyPurposes.map(nameOfExtendedKeyUsage),
    )(value(oid.extKeyUsage)),
  }
}

/**
 * Why no server would believe a certificate with these extensions, whoever signed it: one is there twice, or is critical
 * and none of those that servers know (RFC 5280, 4.2). OpenSSL reads such a certificate all the same.
 */
const objectionTo = (extensions: ReadonlyArray<Extension>): string | undefined => {
  const twice = extensions.find(({ extnID }, at) => extensions.findIndex((e) => e.extnID === extnID) < at)
  if (twice !== undefined) return `its extension ${twice.extnID} is there twice`
  const unknown = extensions.find(({ extnID, critical }) => critical && !/^2\.5\.29\.\d+$/.test(extnID))
  return unknown === undefined ? undefined : `no server knows its critical extension ${unknown.extnID}`
}

/** OpenSSL's judgement, since it is stricter than asn1js: what it cannot read it prints in words. */
export const timeOf = (printed: string): Instant => {
  const milliseconds = Date.parse(printed)
  if (Number.isNaN(milliseconds)) throw new Error('a date in the certificate is damaged')
  return instant(milliseconds)
}

/** The value of an extension, DER. */
export const extensionOf = (x509: X509Certificate, id: string): O.Option<Uint8Array> =>
  extensionValue(new PkiCertificate({ schema: parsed(x509.raw) }).extensions ?? [], id)

const extensionValue = (extensions: ReadonlyArray<Extension>, id: string): O.Option<Uint8Array> => {
  const extension = extensions.find(({ extnID }) => extnID === id)
  return extension === undefined ? O.none : O.some(extension.extnValue.valueBlock.valueHexView)
}
