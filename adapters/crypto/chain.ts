import { X509Certificate } from 'node:crypto'
import * as O from 'fp-ts/lib/Option.js'
import { type Extension, ExtKeyUsage, Certificate as PkiCertificate } from 'pkijs'
import type { Certificate, CertificateChain } from '../../src/model/certificate.js'
import { type PemBlock, pemBlocks } from '../../src/model/pem.js'
import { type Instant, instant } from '../../src/model/time.js'
import { decodeAlternativeNames, decodeSubject, noAlternativeNames, parsed } from './names.js'
import { oid } from './oid.js'
import { keyIdOf } from './public-key.js'
import { nameOfExtendedKeyUsage } from './usages.js'

/** A certificate of a few hundred names takes 20 kB; a chain has three or four. */
const maximumChainSize = 256 * 1024
const maximumCertificates = 16

/** Reads the `CERTIFICATE` blocks of a PEM text, the leaf first. Rejects when there is none, or there is too much. */
export const readChain = async (pem: string): Promise<CertificateChain> => {
  const blocks = blocksOf(pem, maximumChainSize, maximumCertificates)
  const [leaf] = blocks.map(openssl)
  if (leaf === undefined) throw new Error('there is no CERTIFICATE block')
  return { certificate: certificateOf(leaf), pem: blocks.map(({ text }) => text).join('') }
}

/** The certificates of a chain, the leaf first. Throws when there is too much, or one is damaged. */
export const chainOf = (pem: string): ReadonlyArray<X509Certificate> =>
  certificatesOf(pem, maximumChainSize, maximumCertificates)

/** OpenSSL, which is what TLS will use, has to be able to read each of them. */
export const certificatesOf = (
  pem: string,
  maximumSize: number,
  maximumCount: number,
): ReadonlyArray<X509Certificate> => blocksOf(pem, maximumSize, maximumCount).map(openssl)

const blocksOf = (pem: string, maximumSize: number, maximumCount: number): ReadonlyArray<PemBlock> => {
  if (pem.length > maximumSize) throw new Error(`its ${pem.length} characters are too many`)
  const blocks = pemBlocks(pem).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length > maximumCount) throw new Error(`${blocks.length} certificates are too many`)
  return blocks
}

const openssl = ({ text }: PemBlock, index: number): X509Certificate => {
  try {
    return new X509Certificate(text)
  } catch {
    throw new Error(`certificate ${index + 1} is damaged`)
  }
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
