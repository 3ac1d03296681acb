import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import type { NewPair } from '../../../adapters/filesystem/changes.js'
import { pemBlocks } from '../../../src/model/pem.js'
import { secret } from '../../../src/model/secret.js'
import { kubeletClientTemplate } from '../../../src/model/template.js'
import { type Instant, instant } from '../../../src/model/time.js'
import type { SavedRequest, StoreContents, StoredPair } from '../../../src/ports.js'

/** The store reads no certificate, so these are none: blocks with a name in them, by which a pair can be known. */
const block = (label: string, name: string): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(name).toString('base64')}\n-----END ${label}-----\n`

export const chainPem = (name: string): string => block('CERTIFICATE', name) + block('CERTIFICATE', 'CA')
export const keyPem = (name: string): string => block('EC PRIVATE KEY', name)
export const pairPem = (name: string): string => chainPem(name) + keyPem(name)

export const noon: Instant = instant(Date.UTC(2026, 10, 23, 12))

export const pair = (name: string, receivedAt: Instant = noon): NewPair => ({
  certificate: {
    commonName: name,
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
    serialNumber: '1',
    issuer: 'CA',
    keyId: name,
    notBefore: receivedAt,
    notAfter: receivedAt,
    extendedKeyUsages: O.none,
  },
  pem: chainPem(name),
  key: secret(keyPem(name)),
  receivedAt,
})

export const request = (name: string): SavedRequest => ({
  draft: {
    name: `csr-${name}`,
    keyId: name,
    template: { ...kubeletClientTemplate('worker-1'), expirationSeconds: 3600 },
    pem: block('CERTIFICATE REQUEST', name),
  },
  key: secret(keyPem(name)),
})

/** The name in a block of the text. */
const nameIn = (text: string): string => {
  const [, body = ''] = (pemBlocks(text)[0]?.text ?? '').split('\n')
  return Buffer.from(body, 'base64').toString()
}

/** A pair's name, when certificate and key are each other's. */
export const nameOf = ({ pem, key }: Pick<StoredPair, 'pem' | 'key'>): string =>
  nameIn(pem) === nameIn(key.reveal())
    ? nameIn(pem)
    : `${nameIn(pem)} with the key of ${nameIn(key.reveal())}`

/** The name of the pair that a file holds, read as a client of the directory would. */
export const nameInFile = (path: string): string => {
  const text = readFileSync(path, 'utf8')
  const key = pemBlocks(text).find(({ label }) => label === 'EC PRIVATE KEY')
  return nameOf({ pem: text, key: secret(key?.text ?? '') })
}

export const names = ({ pairs }: StoreContents): ReadonlyArray<string> => pairs.map(nameOf)

export const requestName = (contents: StoreContents): string | undefined =>
  O.isSome(contents.request) ? contents.request.value.draft.name : undefined

/** What lies in the directory, without its lock. */
export const files = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory)
    .filter((name) => !name.includes('.lock-'))
    .sort()

export const current = (directory: string): string => join(directory, 'kubelet-client-current.pem')
