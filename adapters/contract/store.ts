import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { StoreError } from '../../src/model/failure.js'
import { type Secret, secret } from '../../src/model/secret.js'
import { kubeletClientTemplate } from '../../src/model/template.js'
import { after, instant, second } from '../../src/model/time.js'
import type { CertificateStore, SavedRequest } from '../../src/ports.js'
import { type Check, ensure, same, worked } from './check.js'

/** A new and empty store for each check. */
export interface StoreSubject {
  readonly store: CertificateStore
  /** The same store as another process finds it once this one has ended. */
  readonly reopen: () => Promise<CertificateStore>
  /** What a second process gets while the first one has the store. */
  readonly another: () => Promise<E.Either<StoreError, CertificateStore>>
  readonly close: () => Promise<void>
}

const block = (label: string, name: string): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(name).toString('base64')}\n-----END ${label}-----\n`
const keyOf = (name: string, label = 'PRIVATE KEY'): Secret => secret(block(label, name))
const noon = instant(Date.UTC(2026, 10, 23, 12))

const request = (name: string, key = keyOf(name)): SavedRequest => ({
  draft: {
    name: `csr-${name}`,
    keyId: name,
    template: { ...kubeletClientTemplate('worker-1'), expirationSeconds: 3600 },
    pem: block('CERTIFICATE REQUEST', name),
  },
  key,
})

const pair = (
  name: string,
  receivedAt = noon,
  key = keyOf(name),
): Parameters<CertificateStore['install']>[0] => ({
  certificate: {
    commonName: name,
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
    serialNumber: Buffer.from(name).toString('hex'),
    issuer: 'CA',
    keyId: name,
    notBefore: receivedAt,
    notAfter: after(receivedAt, 3_600 * second),
    extendedKeyUsages: O.none,
  },
  pem: block('CERTIFICATE', name) + block('CERTIFICATE', 'CA'),
  key,
  receivedAt,
})

/** What there is, keys in the open. */
const contents = async (store: CertificateStore) => {
  const { pairs, request: saved } = await worked('load', store.load)
  return {
    pairs: pairs.map(({ pem, key, receivedAt }) => ({ pem, key: key.reveal(), receivedAt })),
    request: O.isSome(saved) ? { draft: saved.value.draft, key: saved.value.key.reveal() } : undefined,
  }
}
const shown = ({ pem, key, receivedAt }: ReturnType<typeof pair>) => ({ pem, key: key.reveal(), receivedAt })
const shownRequest = ({ draft, key }: SavedRequest) => ({ draft, key: key.reveal() })

/** What every certificate store does. `open` makes a new and empty one. */
export const storeContract = (open: () => Promise<StoreSubject>): ReadonlyArray<Check> => {
  const check = (name: string, body: (subject: StoreSubject) => Promise<void>): Check => ({
    name,
    run: async () => {
      const subject = await open()
      try {
        await body(subject)
      } finally {
        await subject.close()
      }
    },
  })
  return [
    check('an empty store has nothing, and discards nothing', async ({ store }) => {
      await worked('discardRequest', store.discardRequest)
      same('what is there', await contents(store), { pairs: [], request: undefined })
    }),
    check(
      'a saved request is found by the next process, in place of an earlier one',
      async ({ store, reopen }) => {
        await worked('saveRequest', store.saveRequest(request('a')))
        await worked('saveRequest', store.saveRequest(request('b')))
        same('the request', (await contents(await reopen())).request, shownRequest(request('b')))
      },
    ),
    check('a discarded request is forgotten, and may be discarded again', async ({ store, reopen }) => {
      await worked('saveRequest', store.saveRequest(request('a')))
      await worked('discardRequest', store.discardRequest)
      await worked('discardRequest', store.discardRequest)
      same('the request', (await contents(await reopen())).request, undefined)
    }),
    check(
      'an installed pair is found by the next process, and the request is forgotten',
      async ({ store, reopen }) => {
        await worked('saveRequest', store.saveRequest(request('a')))
        await worked('install', store.install(pair('a')))
        same('what is there', await contents(await reopen()), {
          pairs: [shown(pair('a'))],
          request: undefined,
        })
      },
    ),
    check(
      'the pair that was installed last is the first, and again is the same as once',
      async ({ store, reopen }) => {
        const [first, next] = [pair('a'), pair('b', after(noon, 5 * second))]
        for (const each of [first, next, next]) await worked('install', store.install(each))
        const { pairs } = await contents(await reopen())
        same('the first pair', pairs[0], shown(next))
        same('how often it is there', pairs.filter(({ pem }) => pem === next.pem).length, 1)
      },
    ),
    check(
      'a key in a block of any label is found again, or refused before anything is asked for',
      async ({ store, reopen }) => {
        const key = keyOf('slot 1', 'KEY REFERENCE')
        const saved = await store.saveRequest(request('a', key))()
        if (E.isLeft(saved))
          return ensure(saved.left._tag === 'StoreUnwritable', `it is refused as ${saved.left._tag}`)
        await worked('install', store.install(pair('a', noon, key)))
        same('the key', (await contents(await reopen())).pairs[0]?.key, key.reveal())
      },
    ),
    check(
      'a second writer is refused, or leaves a certificate with its own key',
      async ({ store, another }) => {
        const other = await another()
        if (E.isLeft(other))
          return ensure(other.left._tag === 'StoreLocked', `it is refused as ${other.left._tag}`)
        const names = ['a', 'b', 'c', 'd', 'e', 'f']
        await Promise.all(
          names.map((name, index) =>
            (index % 2 === 0 ? store : other.right).install(pair(name, after(noon, index * second)))(),
          ),
        )
        for (const one of [store, other.right]) {
          const [current] = (await contents(one)).pairs
          const own = names.map((name) => pair(name)).find(({ pem }) => pem === current?.pem)
          same('the key of the certificate', current?.key, own?.key.reveal())
        }
      },
    ),
  ]
}
