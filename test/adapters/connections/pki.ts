import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import * as O from 'fp-ts/lib/Option.js'
import { credentialOf } from '../../../adapters/connections/check.js'
import { type Credential, type Variable, variable } from '../../../adapters/connections/index.js'
import { type Authority, createAuthority, createCertificate } from '../../../adapters/crypto/index.js'
import { secret } from '../../../src/model/secret.js'
import { hour, instant, minute, wholeSecond } from '../../../src/model/time.js'
import { right } from '../outcome.js'

let serial = 0
const nextSerial = () => {
  serial += 1
  return serial.toString(16).padStart(4, '0')
}

export interface Pair {
  readonly pem: string
  readonly key: string
  readonly serial: string
}

export interface Pki {
  readonly authority: Authority
  readonly ca: string
  readonly server: Pair
  /** A client certificate with a new key. Times in ms from now. */
  readonly client: (times?: { readonly from?: number; readonly until?: number }) => Promise<Pair>
  readonly serving: () => Promise<Pair>
}

/** A certificate authority for servers on this host and for clients. */
export const newPki = async (name = 'test CA'): Promise<Pki> => {
  const validity = (from: number, until: number) => ({
    serialNumber: nextSerial(),
    notBefore: wholeSecond(instant(Date.now() + from)),
    notAfter: wholeSecond(instant(Date.now() + until)),
  })
  const authority = await right(createAuthority({ commonName: name, ...validity(-5 * minute, hour) }))
  const issue = async (usages: ReadonlyArray<string>, from: number, until: number): Promise<Pair> => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const times = validity(from, until)
    const pem = await right(
      createCertificate(authority, {
        commonName: 'system:node:one',
        organizations: ['system:nodes'],
        dnsNames: usages.includes('server auth') ? ['localhost'] : [],
        ipAddresses: usages.includes('server auth') ? ['127.0.0.1'] : [],
        uris: [],
        publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
        usages,
        ...times,
      }),
    )
    return {
      pem,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      serial: times.serialNumber,
    }
  }
  const serving = () => issue(['digital signature', 'server auth'], -5 * minute, hour)
  return {
    authority,
    ca: authority.pem,
    server: await serving(),
    serving,
    client: ({ from = -5 * minute, until = hour } = {}) =>
      issue(['digital signature', 'client auth'], from, until),
  }
}

/** A pair as a credential; one that cannot be read is a mistake of the test. */
export const credential = ({ pem, key }: Pair): Credential => {
  const result = credentialOf(pem, { _tag: 'Pem', pem: secret(key) })
  if (result._tag === 'Left') throw new Error(result.left.message)
  return result.right
}

/** A source of credentials that starts with this pair. */
export const credentialSource = (pair: Pair): Variable<O.Option<Credential>> =>
  variable<O.Option<Credential>>(O.some(credential(pair)))
