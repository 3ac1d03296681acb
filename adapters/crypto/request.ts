import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import * as asn1js from 'asn1js'
import { Attribute, CertificationRequest, Extension, Extensions, PublicKeyInfo } from 'pkijs'
import type { Names } from '../../src/model/certificate.js'
import { keyIdOf, spkiOf } from '../platform/x509.js'
import {
  type AlternativeNames,
  decodeAlternativeNames,
  decodeSubject,
  encodeAlternativeNames,
  encodeSubject,
  noAlternativeNames,
  parsed,
} from './names.js'
import { oid } from './oid.js'
import { fromPem, toPem } from './pem.js'
import { isSignedBy, signatureScheme, signatureValue } from './signature.js'
import type { Hash, ParsedRequest } from './types.js'

/** More than any request that an API server takes (its objects are limited to 1.5 MB, base64). */
const maximumRequestSize = 1024 * 1024

/** A request that is to be signed. */
export interface UnsignedRequest {
  /** What the signature is of. */
  readonly content: Uint8Array
  /** None: the algorithm has its own. */
  readonly hash: Hash | undefined
  /** The request, PEM. Throws when the signature is not by the key. */
  readonly signed: (signature: Uint8Array) => string
}

/** A request for the names and the public key. Throws when a name or the key does not do. */
export const unsignedRequest = (publicKey: KeyObject, names: Names): UnsignedRequest => {
  const alternativeNames = encodeAlternativeNames(names)
  const request = new CertificationRequest({
    version: 0,
    subject: encodeSubject(names),
    subjectPublicKeyInfo: new PublicKeyInfo({ schema: parsed(spkiOf(publicKey)) }),
    attributes: alternativeNames === undefined ? [] : [extensionRequest(alternativeNames)],
  })
  const { algorithm, hash } = signatureScheme(publicKey)
  request.signatureAlgorithm = algorithm
  const [content] = request.toSchema(true).valueBlock.value.map((part) => new Uint8Array(part.toBER()))
  if (content === undefined) throw new Error('pkijs has built nothing')
  return {
    content,
    hash,
    signed: (signature) => {
      request.signatureValue = signatureValue(checked(publicKey, hash, content, signature))
      return toPem('CERTIFICATE REQUEST', request.toSchema(true).toBER())
    },
  }
}

/** The signature as it stands in a request. Throws when it is not by the key. */
const checked = (
  key: KeyObject,
  hash: Hash | undefined,
  content: Uint8Array,
  signature: Uint8Array,
): Uint8Array => {
  if (verify(hash, content, key, signature)) return signature
  const isConcatenated =
    key.asymmetricKeyType === 'ec' && verify(hash, content, { key, dsaEncoding: 'ieee-p1363' }, signature)
  if (!isConcatenated) throw new Error('the signature is not by the key that the request is for')
  const half = signature.length / 2
  const value = [signature.subarray(0, half), signature.subarray(half)].map(positive)
  return new Uint8Array(new asn1js.Sequence({ value }).toBER())
}

/** An INTEGER, which is negative where its first bit is set (X.690, 8.3). */
const positive = (number: Uint8Array): asn1js.Integer => {
  const first = number.findIndex((byte) => byte !== 0)
  const trimmed = number.subarray(first)
  return new asn1js.Integer({
    valueHex: Uint8Array.from([...((trimmed[0] ?? 0) > 127 ? [0] : []), ...trimmed]),
  })
}

/** The attribute by which a request asks for extensions (RFC 2985, 5.4.2). */
const extensionRequest = (alternativeNames: ArrayBuffer): Attribute => {
  const extension = new Extension({ extnID: oid.subjectAltName, extnValue: alternativeNames })
  return new Attribute({
    type: oid.extensionRequest,
    values: [new Extensions({ extensions: [extension] }).toSchema()],
  })
}

/** Reads a request, PEM. Rejects when it is none, is too long, or its signature is not by the key it is for. */
export const readRequest = async (pem: string): Promise<ParsedRequest> => {
  if (pem.length > maximumRequestSize) throw new Error(`its ${pem.length} characters are too many`)
  const request = new CertificationRequest({ schema: parsed(fromPem('CERTIFICATE REQUEST', pem)) })
  const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER())
  const publicKey = createPublicKey({ key: spki, type: 'spki', format: 'der' })
  const { tbsView: content, signatureAlgorithm, signatureValue: value } = request
  if (!(await isSignedBy(publicKey, signatureAlgorithm, content, value.valueBlock.valueHexView)))
    throw new Error('its signature is not by the key it is for')
  const subject = decodeSubject(request.subject)
  const { others, ...names } = requestedNames(request)
  return {
    commonName: subject.commonName,
    organizations: subject.organizations,
    ...names,
    otherNames: others,
    otherAttributes: subject.others,
    publicKey: spkiOf(publicKey),
    keyId: keyIdOf(publicKey),
  }
}

const requestedNames = (request: CertificationRequest): AlternativeNames => {
  const requested = request.attributes?.find(({ type }) => type === oid.extensionRequest)
  if (requested === undefined) return noAlternativeNames
  const { extensions } = new Extensions({ schema: requested.values[0] })
  const extension = extensions.find(({ extnID }) => extnID === oid.subjectAltName)
  return extension === undefined
    ? noAlternativeNames
    : decodeAlternativeNames(extension.extnValue.valueBlock.valueHexView)
}
