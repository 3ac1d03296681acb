/** Certificates, requests and keys as text that people can read: PEM blocks with JSON instead of base64 in them. */
import { createHash } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { Certificate, KeyId, Names } from '../../src/model/certificate.js'
import { defaultKeyAlgorithm, KeyAlgorithm } from '../../src/model/key-algorithm.js'
import { secret } from '../../src/model/secret.js'
import { type Instant, instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import type { StoredPair } from '../../src/ports.js'

const texts = t.readonlyArray(t.string)

const NamesText = t.type({
  commonName: t.string,
  organizations: texts,
  dnsNames: texts,
  ipAddresses: texts,
  uris: texts,
})
const CertificateText = t.intersection([
  NamesText,
  t.type({
    serialNumber: t.string,
    issuer: t.string,
    keyId: t.string,
    /** RFC 3339. */
    notBefore: t.string,
    notAfter: t.string,
  }),
  t.partial({ extendedKeyUsages: texts, keyAlgorithm: t.string }),
])
/** Of a key of another kind than the default, here and below: of which. */
const RequestText = t.intersection([
  NamesText,
  t.type({ keyId: t.string }),
  t.partial({ keyAlgorithm: t.string }),
])
const KeyText = t.intersection([t.type({ key: t.string }), t.partial({ keyAlgorithm: KeyAlgorithm })])

/** PEM is ASCII: everything else is written as `\u` escapes. */
const block = (label: string, content: unknown): string => {
  const json = JSON.stringify(content, null, 1).replaceAll(
    /[^\n -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `-----BEGIN ${label}-----\n${json}\n-----END ${label}-----\n`
}

/** The first block with this label that holds what the codec says. */
const read =
  <A>(label: string, codec: t.Decoder<unknown, A>) =>
  (pem: string): O.Option<A> => {
    const body = pem.split(`-----BEGIN ${label}-----`)[1]?.split(`-----END ${label}-----`)[0]
    return pipe(
      O.fromNullable(body),
      O.chain((text) => O.tryCatch((): unknown => JSON.parse(text))),
      O.chain((content) => O.fromEither(codec.decode(content))),
    )
  }

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** The id of the key with this name: the hash of the name stands for that of a public key. */
export const keyIdOf = (key: string): KeyId => sha256(key)

/** The private key with this name, PEM. */
export const keyPem = (key: string, keyAlgorithm?: string): string =>
  block('PRIVATE KEY', { key, ...kindOf(keyAlgorithm) })
export const readKey = read('PRIVATE KEY', KeyText)

const kindOf = (keyAlgorithm: string | undefined) =>
  keyAlgorithm === undefined || keyAlgorithm === defaultKeyAlgorithm ? {} : { keyAlgorithm }

const namesOf = ({ commonName, organizations, dnsNames, ipAddresses, uris }: Names): Names => ({
  commonName,
  organizations,
  dnsNames,
  ipAddresses,
  uris,
})

/** A request (in place of PKCS#10) for the names by the key, PEM. */
export const requestPem = (names: Names, keyId: KeyId, keyAlgorithm?: string): string =>
  block('CERTIFICATE REQUEST', { ...namesOf(names), keyId, ...kindOf(keyAlgorithm) })
export const readRequest = read('CERTIFICATE REQUEST', RequestText)

/** A certificate, PEM. */
export const certificatePem = (certificate: Certificate): string => {
  const { serialNumber, issuer, keyId, notBefore, notAfter, extendedKeyUsages } = certificate
  return block('CERTIFICATE', {
    serialNumber,
    issuer,
    ...namesOf(certificate),
    keyId,
    ...kindOf(certificate.keyAlgorithm),
    notBefore: rfc3339(notBefore),
    notAfter: rfc3339(notAfter),
    ...(O.isSome(extendedKeyUsages) ? { extendedKeyUsages: extendedKeyUsages.value } : {}),
  })
}

export const readCertificate = (pem: string): O.Option<Certificate> =>
  pipe(
    read('CERTIFICATE', CertificateText)(pem),
    O.map((text) => ({
      ...namesOf(text),
      serialNumber: text.serialNumber,
      issuer: text.issuer,
      keyId: text.keyId,
      keyAlgorithm: text.keyAlgorithm ?? defaultKeyAlgorithm,
      notBefore: instant(Date.parse(text.notBefore)),
      notAfter: instant(Date.parse(text.notAfter)),
      extendedKeyUsages: O.fromNullable(text.extendedKeyUsages),
    })),
  )

/** CAs by their names, PEM. */
export const authoritiesPem = (names: ReadonlyArray<string>): string =>
  names.map((authority) => block('CERTIFICATE', { authority })).join('')

/** The names in it; none when there is none. */
export const readAuthorities = (pem: string): O.Option<ReadonlyArray<string>> => {
  const names = pem.split(/(?=-----BEGIN CERTIFICATE-----)/).flatMap((text) => {
    const found = read('CERTIFICATE', t.type({ authority: t.string }))(text)
    return O.isSome(found) ? [found.value.authority] : []
  })
  return names.length === 0 ? O.none : O.some(names)
}

/** What a stored pair is made of; whatever is not given is that of a kubelet's client certificate. */
export interface PairParts extends Partial<Omit<Certificate, 'keyId' | 'notBefore' | 'notAfter'>> {
  /** The name of the private key. */
  readonly key: string
  /** The key that the certificate is for, if it is another one. */
  readonly certifiedKey?: string
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** `notBefore` if not given. */
  readonly receivedAt?: Instant
}

/** A certificate with its key, for a store to begin with. */
export const storedPair = (parts: PairParts): StoredPair => {
  const { key, certifiedKey = key, receivedAt = parts.notBefore, ...given } = parts
  const certificate: Certificate = {
    serialNumber: 'a0',
    issuer: 'memory',
    commonName: 'system:node:a',
    organizations: ['system:nodes'],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
    extendedKeyUsages: O.some(['client auth']),
    ...given,
    keyId: keyIdOf(certifiedKey),
    notBefore: wholeSecond(parts.notBefore),
    notAfter: wholeSecond(parts.notAfter),
  }
  return {
    location: `memory:${certificate.serialNumber}`,
    pem: certificatePem(certificate),
    key: secret(keyPem(key)),
    receivedAt,
  }
}
