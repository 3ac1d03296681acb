import { SocketAddress } from 'node:net'
import * as asn1js from 'asn1js'
import * as O from 'fp-ts/lib/Option.js'
import { AttributeTypeAndValue, RelativeDistinguishedNames } from 'pkijs'
import { canonicalAddress } from '../../src/model/address.js'
import type { Names } from '../../src/model/certificate.js'
import { oid } from './oid.js'
import type { OtherAttribute } from './types.js'

/** The subject's attributes, as Go's `pkix.Name` reads them: the last CN counts. */
export interface Subject {
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
  readonly others: ReadonlyArray<OtherAttribute>
}

/** subjectAltName (RFC 5280, 4.2.1.6). */
export interface AlternativeNames extends Pick<Names, 'dnsNames' | 'ipAddresses' | 'uris'> {
  readonly emailAddresses: ReadonlyArray<string>
  /** Names of other kinds: how many. */
  readonly others: number
}

export const noAlternativeNames: AlternativeNames = {
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  emailAddresses: [],
  others: 0,
}

/** Go's `asn1.Marshal`: PrintableString where the characters allow it, UTF8String otherwise. */
const directoryString = (value: string): asn1js.PrintableString | asn1js.Utf8String =>
  /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value)
    ? new asn1js.PrintableString({ value })
    : new asn1js.Utf8String({ value })

const attribute = (type: string, value: string): asn1js.Sequence =>
  new AttributeTypeAndValue({ type, value: directoryString(value) }).toSchema()

const byBytes = (a: asn1js.Sequence, b: asn1js.Sequence): number =>
  Buffer.compare(Buffer.from(a.toBER()), Buffer.from(b.toBER()))

/**
 * A subject in Kubernetes' order, as Go's `pkix.Name.ToRDNSequence` puts it: all organisations in one set, then the
 * common name. (pkijs on its own would write everything as one set.)
 */
export const encodeSubject = ({
  commonName,
  organizations,
}: Pick<Names, 'commonName' | 'organizations'>): RelativeDistinguishedNames => {
  const sets = [
    organizations.map((organization) => attribute(oid.organization, organization)).sort(byBytes),
    commonName === '' ? [] : [attribute(oid.commonName, commonName)],
  ]
  const sequence = new asn1js.Sequence({
    value: sets.filter((set) => set.length > 0).map((value) => new asn1js.Set({ value })),
  })
  return new RelativeDistinguishedNames({ schema: parsed(sequence.toBER()) })
}

export const decodeSubject = (name: RelativeDistinguishedNames): Subject => {
  const attributes = name.typesAndValues.map(({ type, value }) => ({
    type,
    value: value instanceof asn1js.BaseStringBlock ? value.getValue() : '',
  }))
  const of = (type: string) => attributes.filter((a) => a.type === type).map((a) => a.value)
  return {
    commonName: of(oid.commonName).at(-1) ?? '',
    organizations: of(oid.organization),
    others: attributes.filter((a) => a.type !== oid.commonName && a.type !== oid.organization),
  }
}

/** The context-specific tags of GeneralName. */
const tag = { email: 1, dns: 2, uri: 6, ip: 7 } as const

/** The value of subjectAltName in DER, or undefined for no names. Throws on a name that X.509 cannot carry. */
export const encodeAlternativeNames = (
  names: Pick<Names, 'dnsNames' | 'ipAddresses' | 'uris'>,
): ArrayBuffer | undefined => {
  const value = [
    ...names.dnsNames.map((name) => generalName(tag.dns, ascii('DNS name', name))),
    ...names.ipAddresses.map((address) => generalName(tag.ip, addressBytes(address))),
    ...names.uris.map((uri) => generalName(tag.uri, ascii('URI', uri))),
  ]
  return value.length === 0 ? undefined : new asn1js.Sequence({ value }).toBER()
}

const generalName = (tagNumber: number, valueHex: Uint8Array): asn1js.Primitive =>
  new asn1js.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex })

/** IA5String: a name in another script has to come as Punycode or percent-encoded. */
const ascii = (what: string, text: string): Uint8Array => {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error(`${what} ${JSON.stringify(text)} is not printable ASCII`)
  return Buffer.from(text, 'latin1')
}

const addressBytes = (text: string): Uint8Array => {
  const canonical = canonicalAddress(text)
  if (O.isNone(canonical)) throw new Error(`${JSON.stringify(text)} is no IP address`)
  return canonical.value.includes(':')
    ? Uint8Array.from(
        canonical.value.split(':').flatMap((group) => {
          const value = Number.parseInt(group, 16)
          return [value >> 8, value & 255]
        }),
      )
    : Uint8Array.from(canonical.value.split('.').map(Number))
}

const addressText = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new Error(`an IP address of ${bytes.length} bytes`)
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

export const decodeAlternativeNames = (der: Uint8Array): AlternativeNames => {
  const sequence = parsed(der)
  if (!(sequence instanceof asn1js.Sequence)) throw new Error('subjectAltName is no sequence')
  const names = sequence.valueBlock.value.map((name) => ({
    kind: name.idBlock.tagClass === 3 ? name.idBlock.tagNumber : -1,
    bytes: name instanceof asn1js.Primitive ? name.valueBlock.valueHexView : new Uint8Array(),
  }))
  const of = (kind: number) => names.filter((name) => name.kind === kind)
  const texts = (kind: number) => of(kind).map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
  const known: ReadonlyArray<number> = Object.values(tag)
  return {
    dnsNames: texts(tag.dns),
    ipAddresses: of(tag.ip).map(({ bytes }) => addressText(bytes)),
    uris: texts(tag.uri),
    emailAddresses: texts(tag.email),
    others: names.filter(({ kind }) => !known.includes(kind)).length,
  }
}

/** Reads DER (the parser limits depth and number of nodes itself); throws when it is none, or when something follows. */
export const parsed = (der: ArrayBuffer | Uint8Array): ReturnType<typeof asn1js.fromBER>['result'] => {
  const { offset, result } = asn1js.fromBER(der)
  if (offset === -1) throw new Error(result.error === '' ? 'no DER' : result.error)
  if (offset !== der.byteLength) throw new Error('something follows the DER')
  return result
}
