import * as O from 'fp-ts/lib/Option.js'
import { secret } from '../../../src/model/secret.js'
import { instant } from '../../../src/model/time.js'
import type { OutputContent, TlsKey } from '../../../src/ports.js'

const block = (label: string, text: string): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(text).toString('base64')}\n-----END ${label}-----\n`

export const certificateOf = (name: string): string => block('CERTIFICATE', name)
export const keyOf = (name: string): string => block('EC PRIVATE KEY', name)

/** What a rotation has that holds the certificate of this name. */
export const content = (
  name: string,
  more: { readonly ca?: string; readonly key?: TlsKey } = {},
): OutputContent => ({
  credential: {
    certificate: {
      commonName: name,
      organizations: [],
      dnsNames: [],
      ipAddresses: [],
      uris: [],
      serialNumber: name,
      issuer: 'ca',
      keyId: name,
      notBefore: instant(0),
      notAfter: instant(1),
      extendedKeyUsages: O.none,
    },
    pem: certificateOf(name),
    key: more.key ?? { _tag: 'Pem', pem: secret(keyOf(name)) },
  },
  cluster: O.some({
    server: 'https://api:6443',
    certificateAuthority: O.fromNullable(more.ca),
    tlsServerName: O.some('kubernetes'),
    insecureSkipTlsVerify: false,
    proxyUrl: O.none,
  }),
})
