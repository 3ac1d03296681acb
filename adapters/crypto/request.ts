import { createPublicKey, type KeyObject } from 'node:crypto'
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
import type { ParsedRequest, Signer } from './types.js'

/** More than any request that an API server takes (its objects are limited to 1.5 MB, base64). */
const maximumRequestSize = 1024 * 1024

/** A request for the names, signed by the key, PEM. Rejects when a name or the key does not do. */
export const createRequest = async (publicKey: KeyObject, sign: Signer, names: Names): Promise<string> => {
  const alternativeNames = encodeAlternativeNames(names)
  const request = new CertificationRequest({
    version: 0,
    subject: encodeSubject(names),
    subjectPublicKeyInfo: new PublicKeyInfo({ schema: parsed(spkiOf(publicKey)) }),
    attributes: alternativeNames === undefined ? [] : [extensionRequest(alternativeNames)],
  })
  const { algorithm, hash } = signatureScheme(publicKey)
  request.signatureAlgorithm = algorithm
  request.signatureValue = signatureValue(await sign(toBeSigned(request), hash))
  return toPem('CERTIFICATE REQUEST', request.toSchema(true).toBER())
}

/** CertificationRequestInfo in DER: the first of three parts. */
const toBeSigned = (request: CertificationRequest): Uint8Array => {
  const [info] = request.toSchema(true).valueBlock.value
  return new Uint8Array(info?.toBER() ?? [])
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
