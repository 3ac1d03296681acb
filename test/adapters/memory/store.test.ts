import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { memoryStore, readCertificate, storedPair, storeErrors } from '../../../adapters/memory/index.js'
import { type CertificateStore, day, instant, kubeletClientTemplate, secret } from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('memory store')

const start = instant(Date.parse('2026-01-01T00:00:00Z'))
type Pair = Parameters<CertificateStore['install']>[0]
const pair = (serialNumber: string): Pair => {
  const stored = storedPair({
    key: serialNumber,
    serialNumber,
    notBefore: start,
    notAfter: instant(start + day),
  })
  const certificate = readCertificate(stored.pem)
  if (O.isNone(certificate)) throw new Error('no certificate')
  return { ...stored, certificate: certificate.value }
}
const saved = {
  draft: { name: 'csr-1', keyId: 'k', template: kubeletClientTemplate('a'), pem: 'p' },
  key: secret('s'),
}

test('keeps the current pair and the one before it', async () => {
  const store = memoryStore()
  for (const serialNumber of ['01', '02', '03', '03']) await store.install(pair(serialNumber))()
  assert.equal(
    store.contents().pairs.map(({ location }) => location),
    ['memory:03', 'memory:02'],
  )
})

test('keeps one request until it is discarded or its certificate installed', async () => {
  const store = memoryStore()
  await store.saveRequest(saved)()
  assert.equal(store.contents().request, O.some(saved))
  await store.discardRequest()
  assert.equal(store.contents().request, O.none)
  await store.saveRequest(saved)()
  await store.install(pair('01'))()
  assert.equal(store.contents().request, O.none)
})

test('answers what it was told to hold', async () => {
  const store = memoryStore({ warnings: ['odd'] })
  store.put({ request: O.some(saved) })
  const loaded = await store.load()
  assert.equal(loaded, E.right({ pairs: [], request: O.some(saved), warnings: ['odd'] }))
})

test('fails as it is told, with or without effect, and writes down what came of each call', async () => {
  const store = memoryStore()
  const mend = store.inject({ when: ({ operation }) => operation === 'install', answer: storeErrors.full })
  assert.equal(await store.install(pair('01'))(), E.left(storeErrors.full))
  assert.is(store.contents().pairs.length, 0)
  mend()
  store.inject({ times: 1, answer: storeErrors.full, afterwards: true })
  assert.equal(await store.install(pair('01'))(), E.left(storeErrors.full))
  assert.is(store.contents().pairs.length, 1)
  await store.install(pair('01'))()
  store.inject({ answer: 'silence' })
  void store.saveRequest(saved)()
  assert.equal(
    store.records.map(({ operation, subject, answer }) => `${operation} ${subject}: ${answer}`),
    [
      'install 01: StoreUnwritable',
      'install 01: StoreUnwritable',
      'install 01: ok',
      'saveRequest csr-1: silence',
    ],
  )
})
