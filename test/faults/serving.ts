import { createPublicKey } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import {
  type Authority,
  createAuthority,
  createCertificate,
  cryptoBackend,
} from '../../adapters/crypto/index.js'
import { after, day, hour, instant, wholeSecond } from '../../src/model/time.js'
import { right } from '../adapters/outcome.js'

const now = wholeSecond(instant(Date.now()))

/** A CA of somebody's own. */
export const authority = (commonName: string): Promise<Authority> =>
  right(
    createAuthority({
      commonName,
      serialNumber: '4a',
      notBefore: after(now, -day),
      notAfter: after(now, day),
    }),
  )

/** The certificate of a server on loopback, and its key, as TLS takes them; hours from now. */
export const serving = async (
  issuer: Authority,
  { from = -1, to = 20, name }: { readonly from?: number; readonly to?: number; readonly name?: string } = {},
): Promise<SecureContextOptions> => {
  const handle = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const key = (await right(handle.forStorage)).reveal()
  const cert = await right(
    createCertificate(issuer, {
      commonName: 'server',
      organizations: [],
      dnsNames: name === undefined ? ['localhost'] : [name],
      ipAddresses: name === undefined ? ['127.0.0.1'] : [],
      uris: [],
      usages: ['digital signature', 'server auth'],
      serialNumber: '4b',
      notBefore: after(now, from * hour),
      notAfter: after(now, to * hour),
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    }),
  )
  return { cert, key }
}
