import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIPv4 } from 'node:net'

// The cluster's own certificates, in plain DER (X.690) by node:crypto alone: what is under test must not
// vouch for itself, so nothing of src/ or adapters/ is used here.

/** What a certificate says; `notBefore` and `notAfter` are UTC instants in milliseconds. */
export interface CertificateSpec {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** IPv4 only: the cluster lives on 127.0.0.1. */
  readonly ipAddresses?: readonly string[]
  readonly notBefore?: number
  readonly notAfter?: number
}

/** A certificate and its key (PKCS #8), both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** A certification authority: a self-signed certificate that can {@link issue} others. */
export interface Authority extends KeyPair {
  readonly commonName: string
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const size: number[] = []
  for (let rest = content.length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff)
  const length = content.length < 0x80 ? [content.length] : [0x80 | size.length, ...size]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts)
const octets = (content: Uint8Array): Buffer => der(0x04, content)
const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), content)
const yes = der(0x01, Buffer.from([0xff]))
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

const name = (commonName: string, organizations: readonly string[]): Buffer => {
  const attribute = (type: string, value: string): Buffer =>
    set(sequence(oid(type), der(0x0c, Buffer.from(value, 'utf8'))))
  return sequence(
    ...organizations.map((value) => attribute('55040a', value)),
    attribute('550403', commonName),
  )
}

/** RFC 5280 wants UTCTime for every year before 2050. */
const utcTime = (instant: number): Buffer => {
  const digits = new Date(instant).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`, 'ascii'))
}

const extension = (id: string, content: Uint8Array, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(content))

const constraints = (authority: boolean): Buffer[] =>
  authority
    ? [
        extension('551d13', sequence(yes), true), // basicConstraints: cA
        extension('551d0f', bits(Buffer.from([0x06]), 1), true), // keyUsage: keyCertSign, cRLSign
      ]
    : [
        extension('551d0f', bits(Buffer.from([0x80]), 7), true), // keyUsage: digitalSignature
        // extendedKeyUsage: both, because etcd's gateway is a client of etcd with the server's certificate
        extension('551d25', sequence(oid('2b06010505070301'), oid('2b06010505070302'))),
      ]

const alternativeNames = (spec: CertificateSpec): Buffer[] => {
  const addresses = (spec.ipAddresses ?? []).map((address) => {
    if (!isIPv4(address)) throw new Error(`${address} is not an IPv4 address`)
    return der(0x87, Buffer.from(address.split('.').map(Number)))
  })
  const names = (spec.dnsNames ?? []).map((value) => der(0x82, Buffer.from(value, 'ascii')))
  return names.length + addresses.length === 0 ? [] : [extension('551d11', sequence(...names, ...addresses))]
}

const day = 24 * 60 * 60 * 1000

const certify = (
  spec: CertificateSpec,
  publicKey: KeyObject,
  issuer: { readonly commonName: string; readonly key: KeyObject },
  authority: boolean,
): string => {
  const notBefore = spec.notBefore ?? Date.now() - 60 * 60 * 1000
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([0x40]), randomBytes(15)), // serialNumber, positive
    ecdsaWithSha256,
    name(issuer.commonName, []),
    sequence(utcTime(notBefore), utcTime(spec.notAfter ?? notBefore + 365 * day)),
    name(spec.commonName, spec.organizations ?? []),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...constraints(authority), ...alternativeNames(spec))),
  )
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.key)))
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const newKey = (): {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
} => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A new EC P-256 key for signing service account tokens, PEM; 1.20 takes no private key for a public one. */
export const createSigningKey = (): { readonly publicKey: string; readonly privateKey: string } => {
  const { publicKey, privateKey } = newKey()
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: toPem(privateKey),
  }
}

const toPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Makes a certification authority, good for a year unless `spec` says otherwise. */
export const createAuthority = (spec: CertificateSpec): Authority => {
  const { publicKey, privateKey } = newKey()
  const issuer = { commonName: spec.commonName, key: privateKey }
  return {
    commonName: spec.commonName,
    certificate: certify(spec, publicKey, issuer, true),
    key: toPem(privateKey),
  }
}

/** Issues a certificate for TLS servers and clients, with a new key. */
export const issue = (authority: Authority, spec: CertificateSpec): KeyPair => {
  const { publicKey, privateKey } = newKey()
  const issuer = {
    commonName: authority.commonName,
    key: createPrivateKey(authority.key),
  }
  return {
    certificate: certify(spec, publicKey, issuer, false),
    key: toPem(privateKey),
  }
}

/** The value of the DER element at `offset`, and where the next one begins. */
const element = (bytes: Buffer, offset: number): { readonly start: number; readonly end: number } => {
  const first = bytes[offset + 1] ?? 0
  const size = first < 0x80 ? 0 : first & 0x7f
  const start = offset + 2 + size
  return { start, end: start + (size === 0 ? first : bytes.readUIntBE(offset + 2, size)) }
}

/** The public key of a PKCS #10 request (RFC 2986): what follows its version and its subject. */
const publicKeyOf = (request: string): KeyObject => {
  const bytes = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const version = element(bytes, element(bytes, 0).start).start
  const subject = element(bytes, version).end
  const key = element(bytes, subject).end
  return createPublicKey({
    key: bytes.subarray(key, element(bytes, key).end),
    format: 'der',
    type: 'spki',
  })
}

/** Issues a certificate for the key of a PKCS #10 request (PEM); everything else is as `spec` says. PEM. */
export const issueFor = (authority: Authority, request: string, spec: CertificateSpec): string =>
  certify(
    spec,
    publicKeyOf(request),
    { commonName: authority.commonName, key: createPrivateKey(authority.key) },
    false,
  )
