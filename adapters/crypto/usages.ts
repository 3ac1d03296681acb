/** Usages by the names Kubernetes gives them (`k8s.io/api/certificates/v1`, type KeyUsage). */

/** keyUsage (RFC 5280, 4.2.1.3): the number of each one's bit. */
const keyUsageBits: Readonly<Record<string, number>> = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
}

/** extKeyUsage (RFC 5280, 4.2.1.12). The first name of an identifier is the one that reading it gives. */
const extendedKeyUsageOids: ReadonlyArray<readonly [name: string, oid: string]> = [
  ['any', '2.5.29.37.0'],
  ['server auth', '1.3.6.1.5.5.7.3.1'],
  ['client auth', '1.3.6.1.5.5.7.3.2'],
  ['code signing', '1.3.6.1.5.5.7.3.3'],
  ['email protection', '1.3.6.1.5.5.7.3.4'],
  ['s/mime', '1.3.6.1.5.5.7.3.4'],
  ['ipsec end system', '1.3.6.1.5.5.7.3.5'],
  ['ipsec tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsec user', '1.3.6.1.5.5.7.3.7'],
  ['timestamping', '1.3.6.1.5.5.7.3.8'],
  ['ocsp signing', '1.3.6.1.5.5.7.3.9'],
  ['microsoft sgc', '1.3.6.1.4.1.311.10.3.3'],
  ['netscape sgc', '2.16.840.1.113730.4.1'],
]

/** The name of an extended key usage; one without a name stays a dotted object identifier. */
export const nameOfExtendedKeyUsage = (dotted: string): string =>
  extendedKeyUsageOids.find(([, known]) => known === dotted)?.[0] ?? dotted

/** What a certificate says of its use: the bits of keyUsage and the identifiers of extKeyUsage, in DER's order. */
export interface Usages {
  readonly bits: ReadonlyArray<number>
  readonly extended: ReadonlyArray<string>
}

/** Throws on a name that is no usage. */
export const usagesOf = (names: ReadonlyArray<string>): Usages => {
  const bits = new Set<number>()
  const extended = new Set<string>()
  for (const name of names) {
    const bit = keyUsageBits[name]
    const dotted = extendedKeyUsageOids.find(([known]) => known === name)?.[1]
    if (bit !== undefined) bits.add(bit)
    else if (dotted !== undefined) extended.add(dotted)
    else throw new Error(`"${name}" is no key usage`)
  }
  return { bits: [...bits].sort((a, b) => a - b), extended: [...extended] }
}
