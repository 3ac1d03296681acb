import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  certificatePem,
  keyIdOf,
  keyPem,
  memoryCrypto,
  memoryStore,
  type PairParts,
  storedPair,
  storeErrors,
} from '../../adapters/memory/index.js'
import { keyring } from '../../src/keyring.js'
import { loading } from '../../src/loading.js'
import type { StoreContents } from '../../src/ports.js'
import { secret } from '../../src/secret.js'
import { kubeletClientTemplate } from '../../src/template.js'
import { after, day, instant } from '../../src/time.js'
import { assert, suite } from '../helper/index.js'

const test = suite('loading')

const now = instant(Date.parse('2026-01-10T00:00:00Z'))
const pair = (serialNumber: string, parts: Partial<PairParts> = {}) =>
  storedPair({
    key: `key of ${serialNumber}`,
    serialNumber,
    notBefore: after(now, -day),
    notAfter: after(now, day),
    ...parts,
  })
const ended = { notBefore: after(now, -3 * day), notAfter: after(now, -day) }

/** What is found in a store with these contents, and the keys on the keyring then. */
const load = async (contents: Partial<StoreContents>) => {
  const keys = keyring()
  const found = await loading(memoryStore(contents), memoryCrypto(), keys, now)()
  if (E.isLeft(found)) throw new Error(found.left.message)
  const held = O.toUndefined(found.right.held)
  return { ...found.right, held, serial: held?.certificate.serialNumber, keys }
}

test('takes the first pair that belongs together and has not ended', async () => {
  const { serial, warnings, keys } = await load({ pairs: [pair('01', ended), pair('02'), pair('03')] })
  assert.is(serial, '02')
  assert.equal(warnings, [])
  assert.ok(keys.key(keyIdOf('key of 02')))
})

test('takes the first that belongs together when all have ended', async () => {
  const { serial } = await load({ pairs: [pair('01', ended), pair('02', ended)] })
  assert.is(serial, '01')
})

test('takes one that is not valid yet: its time will come', async () => {
  const early = { notBefore: after(now, day), notAfter: after(now, 2 * day) }
  assert.is((await load({ pairs: [pair('01', early)] })).serial, '01')
})

test('keeps when a pair was received, and knows of no refusal', async () => {
  const receivedAt = after(now, -day / 2)
  const { held } = await load({ pairs: [pair('01', { receivedAt })] })
  assert.is(held?.receivedAt, receivedAt)
  assert.equal(held?.rejectedAt, O.none)
})

test('passes over what cannot be used, and says where it lies and why', async () => {
  const { serial, warnings } = await load({
    pairs: [
      pair('01', { certifiedKey: 'another key' }),
      { ...pair('02'), pem: 'no certificate' },
      { ...pair('03'), key: secret('no key') },
      pair('04'),
    ],
    warnings: ['a file that is not ours'],
  })
  assert.is(serial, '04')
  assert.is(warnings.length, 4)
  assert.is(warnings[0], 'a file that is not ours')
  assert.is(warnings[1], 'memory:01 is not used: its key is not the key of its certificate')
  assert.match(warnings[2] ?? '', /^memory:02 is not used: .*certificate/)
  assert.match(warnings[3] ?? '', /^memory:03 is not used: .*private key/)
})

test('finds nothing in an empty store', async () => {
  const { held, draft, warnings } = await load({})
  assert.equal([held, draft, warnings], [undefined, O.none, []])
})

const template = kubeletClientTemplate('a')
const draft = { name: 'csr-1', keyId: keyIdOf('next'), template, pem: 'request' }

test('takes up a saved request with its key', async () => {
  const found = await load({ request: O.some({ draft, key: secret(keyPem('next')) }) })
  assert.equal(found.draft, O.some(draft))
  assert.ok(found.keys.key(draft.keyId))
  assert.equal(found.warnings, [])
})

test('leaves a saved request whose key is another one, or unreadable', async () => {
  for (const key of [keyPem('another'), 'no key']) {
    const found = await load({ request: O.some({ draft, key: secret(key) }) })
    assert.equal(found.draft, O.none)
    assert.equal(found.warnings, ['the saved request csr-1 is not used: its key cannot be'])
    assert.is(found.keys.key(draft.keyId), undefined)
  }
})

test('takes a store that cannot be read for an error, not for an empty one', async () => {
  const store = memoryStore()
  store.inject({ answer: storeErrors.unreadable })
  assert.equal(await loading(store, memoryCrypto(), keyring(), now)(), E.left(storeErrors.unreadable))
})

test('keeps a chain as it was stored, intermediates included', async () => {
  const leaf = pair('01')
  const { held } = await load({ pairs: [leaf] })
  if (held === undefined) return assert.unreachable('nothing was found')
  const chain = `${leaf.pem}${certificatePem({ ...held.certificate, serialNumber: 'ca' })}`
  assert.is((await load({ pairs: [{ ...leaf, pem: chain }] })).held?.pem, chain)
})
