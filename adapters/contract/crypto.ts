import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Names } from '../../src/model/certificate.js'
import { defaultKeyAlgorithm } from '../../src/model/key-algorithm.js'
import { pemBlocks } from '../../src/model/pem.js'
import { secret } from '../../src/model/secret.js'
import { instant } from '../../src/model/time.js'
import type { CryptoBackend } from '../../src/ports.js'
import { storableKey } from '../../src/stored.js'
import { type Check, ensure, refused, same, worked } from './check.js'

const names: Names = {
  commonName: 'system:node:worker-1',
  organizations: ['system:nodes'],
  dnsNames: ['worker-1.example.com'],
  ipAddresses: ['192.0.2.1'],
  uris: [],
}
const noNames: Names = { ...names, dnsNames: [], ipAddresses: [] }

/** A backend, and who signs its requests: PKCS#10 in PEM; the certificate and its CA, PEM. */
export interface CryptoSubject {
  readonly crypto: CryptoBackend
  readonly issue: (request: string) => Promise<{ readonly certificate: string; readonly authority: string }>
}

/** What every crypto backend does. */
export const cryptoContract = ({ crypto, issue }: CryptoSubject): ReadonlyArray<Check> => [
  {
    name: 'keys are new each time, and are called by 64 hexadecimal digits',
    run: async () => {
      const [one, other] = [
        await worked('generateKey', crypto.generateKey(defaultKeyAlgorithm)),
        await worked('generateKey', crypto.generateKey(defaultKeyAlgorithm)),
      ]
      ensure(one.id !== other.id, 'two keys are called the same')
      for (const { id } of [one, other]) ensure(/^[0-9a-f]{64}$/.test(id), `a key is called ${id}`)
    },
  },
  {
    name: 'a key is found again by what is stored of it, which a store takes',
    run: async () => {
      const key = await worked('generateKey', crypto.generateKey(defaultKeyAlgorithm))
      const stored = storableKey(await worked('forStorage', key.forStorage))
      if (E.isLeft(stored)) throw new Error(stored.left.message)
      same('its id', (await worked('restoreKey', crypto.restoreKey(stored.right))).id, key.id)
    },
  },
  {
    name: 'a request is one PEM block, and its certificate is for the key and the names',
    run: async () => {
      for (const wanted of [names, noNames]) {
        const key = await worked('generateKey', crypto.generateKey(defaultKeyAlgorithm))
        const request = await worked('createRequest', key.createRequest(wanted))
        same(
          'its blocks',
          pemBlocks(request).map(({ label }) => label),
          ['CERTIFICATE REQUEST'],
        )
        const { certificate, authority } = await issue(request)
        const chain = await worked('parseChain', crypto.parseChain(`some text\n${certificate}`))
        const { commonName, organizations, dnsNames, ipAddresses, uris, keyId, notAfter } = chain.certificate
        same('the names', { commonName, organizations, dnsNames, ipAddresses, uris }, wanted)
        same('the key', keyId, key.id)
        const before = instant(Math.min(notAfter, Date.now()))
        same(
          'what is wrong with it',
          await worked('verifyChain', crypto.verifyChain(chain.pem, authority, before)),
          O.none,
        )
      }
    },
  },
  {
    name: 'what cannot be read is an error, and nothing is thrown',
    run: async () => {
      for (const text of ['', 'no PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n']) {
        await refused('restoreKey', crypto.restoreKey(secret(text)))
        same('what parseChain says', await refused('parseChain', crypto.parseChain(text)), 'Malformed')
      }
    },
  },
  {
    name: 'sha256 is in lower-case hexadecimal, of UTF-8',
    run: async () =>
      same(
        'that of ü',
        await crypto.sha256('ü')(),
        '607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f',
      ),
  },
]
