import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import * as asn1js from 'asn1js'
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  Time,
  TimeType,
} from 'pkijs'
import { defaultKeyAlgorithm } from '../../src/model/key-algorithm.js'
import type { Instant } from '../../src/model/time.js'
import { spkiOf } from '../platform/x509.js'
import { keyPem, signerBy } from './key.js'
import { newKey } from './kinds.js'
import { encodeAlternativeNames, encodeSubject, parsed } from './names.js'
import { oid } from './oid.js'
import { fromPem, toPem } from './pem.js'
import { signatureScheme, signatureValue } from './signature.js'
import type { Authority, AuthorityParameters, CertificateParameters, Validity } from './types.js'
import { usagesOf } from './usages.js'

/** A self-signed authority with a new key. Rejects when a parameter does not do. */
export const newAuthority = async (parameters: AuthorityParameters): Promise<Authority> => {
  const key = await newKey(defaultKeyAlgorithm)
  const name = encodeSubject({ commonName: parameters.commonName, organizations: [] })
  const spki = spkiOf(key)
  const certificate = unsigned(parameters, name, name, spki, [
    keyUsage(usagesOf(['digital signature', 'key encipherment', 'cert sign']).bits),
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: true }).toSchema()),
    extension(oid.subjectKeyIdentifier, false, new asn1js.OctetString({ valueHex: keyIdentifier(spki) })),
  ])
  return { pem: await signed(certificate, key), key: keyPem(key) }
}

/**
 * A certificate by the authority, PEM, the leaf alone, with what Kubernetes' signers put into one: names, usages,
 * "no authority". Rejects when a parameter does not do.
 */
export const newCertificate = async (
  authority: Authority,
  parameters: CertificateParameters,
): Promise<string> => {
  const issuer = new Certificate({ schema: parsed(fromPem('CERTIFICATE', authority.pem)) })
  const { bits, extended } = usagesOf(parameters.usages)
  const alternativeNames = encodeAlternativeNames(parameters)
  const issuerSpki = spkiOf(createPublicKey(authority.pem))
  const certificate = unsigned(parameters, issuer.subject, encodeSubject(parameters), parameters.publicKey, [
    ...(bits.length === 0 ? [] : [keyUsage(bits)]),
    ...(extended.length === 0
      ? []
      : [extension(oid.extKeyUsage, false, new ExtKeyUsage({ keyPurposes: [...extended] }).toSchema())]),
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: false }).toSchema()),
    extension(
      oid.authorityKeyIdentifier,
      false,
      new AuthorityKeyIdentifier({
        keyIdentifier: new asn1js.OctetString({ valueHex: keyIdentifier(issuerSpki) }),
      }).toSchema(),
    ),
    ...(alternativeNames === undefined
      ? []
      : [new Extension({ extnID: oid.subjectAltName, extnValue: alternativeNames })]),
  ])
  return signed(certificate, createPrivateKey(authority.key.reveal()))
}

const unsigned = (
  { serialNumber, notBefore, notAfter }: Validity,
  issuer: RelativeDistinguishedNames,
  subject: RelativeDistinguishedNames,
  publicKey: Uint8Array,
  extensions: Array<Extension>,
): Certificate =>
  new Certificate({
    version: 2,
    serialNumber: serial(serialNumber),
    issuer: new RelativeDistinguishedNames({ schema: issuer.toSchema() }),
    subject,
    notBefore: time(notBefore),
    notAfter: time(notAfter),
    subjectPublicKeyInfo: new PublicKeyInfo({ schema: parsed(publicKey) }),
    extensions,
  })

const signed = async (certificate: Certificate, key: KeyObject): Promise<string> => {
  const { algorithm, hash } = signatureScheme(key)
  certificate.signature = algorithm
  certificate.signatureAlgorithm = algorithm
  certificate.signatureValue = signatureValue(
    await signerBy(key)(new Uint8Array(certificate.encodeTBS().toBER()), hash),
  )
  return toPem('CERTIFICATE', certificate.toSchema(true).toBER())
}

const serial = (hexadecimal: string): asn1js.Integer => {
  if (!/^[0-9a-f]{1,40}$/i.test(hexadecimal) || /^0+$/.test(hexadecimal))
    throw new Error(`"${hexadecimal.slice(0, 50)}" is no serial number`)
  const bytes = Buffer.from(hexadecimal.padStart(hexadecimal.length + (hexadecimal.length % 2), '0'), 'hex')
  const trimmed = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  const sign = (trimmed[0] ?? 0) > 127 ? [0] : []
  return new asn1js.Integer({ valueHex: Uint8Array.from([...sign, ...trimmed]) })
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). */
const time = (at: Instant): Time => {
  const value = new Date(at)
  const year = value.getUTCFullYear()
  const type = year >= 1950 && year < 2050 ? TimeType.UTCTime : TimeType.GeneralizedTime
  return new Time({ type, value })
}

const extension = (extnID: string, critical: boolean, value: asn1js.BaseBlock): Extension =>
  new Extension({ extnID, critical, extnValue: value.toBER() })

/** A named bit list: trailing zero bits are left out (X.690, 11.2.2). */
const keyUsage = (bits: ReadonlyArray<number>): Extension => {
  const last = Math.max(...bits)
  const bytes = new Uint8Array(Math.floor(last / 8) + 1)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (128 >> (bit & 7))
  return extension(oid.keyUsage, true, new asn1js.BitString({ valueHex: bytes, unusedBits: 7 - (last % 8) }))
}

/** The leading 160 bits of the SHA-256 of the public key (RFC 7093, 2, method 1). */
const keyIdentifier = (spki: Uint8Array): Uint8Array => {
  const { subjectPublicKey } = new PublicKeyInfo({ schema: parsed(spki) })
  return createHash('sha256').update(subjectPublicKey.valueBlock.valueHexView).digest().subarray(0, 20)
}
