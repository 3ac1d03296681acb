import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  cryptoErrors,
  keyIdOf,
  keyPem,
  type MemoryPorts,
  memoryPorts,
  storedPair,
  storeErrors,
  trustErrors,
} from '../../../adapters/memory/index.js'
import { keyring } from '../../../src/driver/keyring.js'
import { type Found, load } from '../../../src/driver/load.js'
import { secret } from '../../../src/model/secret.js'
import { day } from '../../../src/model/time.js'
import type { StoreContents } from '../../../src/ports.js'
import { assert, suite } from '../../helper/index.js'
import { at, draft, noon } from '../samples.js'

const test = suite('load')

const loadFrom = async (
  store: Partial<StoreContents>,
  broken = false,
  change: (ports: MemoryPorts) => void = () => {},
): Promise<Found> => {
  const ports = memoryPorts({ now: noon, store })
  const { crypto } = ports
  change(ports)
  if (broken)
    crypto.inject({ when: (operation) => operation === 'restoreKey', answer: cryptoErrors.keyUnavailable })
  const found = await load(ports, keyring())()
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}
const pair = (key: string, notAfter = at(day), certifiedKey = key) => ({
  ...storedPair({ key, certifiedKey, notBefore: at(-day), notAfter, serialNumber: key }),
  location: `/pki/${key}.pem`,
})
const serialOf = ({ held }: Found) => O.toUndefined(held)?.certificate.serialNumber

test('takes the first pair that has not expired', async () => {
  const found = await loadFrom({ pairs: [pair('a', at(-1)), pair('b'), pair('c')] })
  assert.equal([serialOf(found), found.warnings], ['b', []])
})

test('takes the first pair when all have expired', async () => {
  assert.is(serialOf(await loadFrom({ pairs: [pair('a', at(-1)), pair('b', at(-2))] })), 'a')
})

test('passes over a pair whose key is not the certificate’s, and says so', async () => {
  const found = await loadFrom({ pairs: [pair('a', at(day), 'x'), pair('b')] })
  assert.equal(
    [serialOf(found), found.warnings],
    ['b', ['/pki/a.pem is not used: its key is not the key of its certificate']],
  )
})

test('passes over what is no certificate, and says so', async () => {
  const found = await loadFrom({ pairs: [{ ...pair('a'), pem: 'zeros' }], warnings: ['the store said so'] })
  assert.equal(found.held, O.none)
  assert.is(found.warnings[0], 'the store said so')
  assert.match(found.warnings[1] ?? '', '/pki/a.pem is not used: this is no certificate')
})

test('passes over a pair whose key cannot be had, and says what to do', async () => {
  const found = await loadFrom({ pairs: [pair('a')] }, true)
  assert.equal(found.held, O.none)
  assert.match(found.warnings.join(), 'insert the token')
})

test('takes up the saved request with its key', async () => {
  const saved = draft(keyIdOf('b'))
  const found = await loadFrom({ request: O.some({ draft: saved, key: secret(keyPem('b')) }) })
  assert.equal(found.draft, O.some(saved))
})

test('passes over a saved request with another key, and says so', async () => {
  const saved = draft(keyIdOf('b'))
  const found = await loadFrom({ request: O.some({ draft: saved, key: secret(keyPem('c')) }) })
  assert.equal(found.draft, O.none)
  assert.match(found.warnings.join(), `the saved request ${saved.name} is not used`)
})

test('takes a store that cannot be read for an error, not for an empty one', async () => {
  const ports = memoryPorts({ now: noon })
  ports.store.inject({ answer: storeErrors.unreadable })
  assert.ok(E.isLeft(await load(ports, keyring())()))
})

const comparing =
  (required: boolean, ...authorities: ReadonlyArray<string>) =>
  ({ trust }: MemoryPorts) =>
    trust.set({ required, authorities: O.some(authorities) })
const verification = ({ held }: Found) => O.toUndefined(held)?.verification

test('says where the certificate leads', async () => {
  const pairs = [pair('a')]
  assert.equal(verification(await loadFrom({ pairs })), { _tag: 'Unchecked' })
  assert.equal(verification(await loadFrom({ pairs }, false, comparing(true, 'x', 'memory'))), {
    _tag: 'Verified',
  })
  const expected = await loadFrom({ pairs }, false, comparing(false, 'x'))
  assert.equal(verification(expected), {
    _tag: 'Unverified',
    required: false,
    problem: 'it does not chain to a CA in memory: no CA there is called memory',
  })
  assert.equal(expected.warnings, [], 'it may be as it should be, and has been so')
})

test('uses a certificate that does not chain to the CAs that are required, and says so', async () => {
  const found = await loadFrom({ pairs: [pair('a')] }, false, comparing(true, 'x'))
  assert.ok(O.isSome(found.held))
  assert.equal(found.warnings, [
    '/pki/a.pem is used, and may be rejected by the server: it does not chain to a CA in memory: no CA there is called memory',
  ])
})

test('says that the CAs cannot be read where they are required, and uses the certificate', async () => {
  for (const required of [true, false]) {
    const found = await loadFrom({ pairs: [pair('a')] }, false, ({ trust }) => {
      trust.set({ required })
      trust.inject({ answer: trustErrors.unreadable })
    })
    assert.equal(verification(found), { _tag: 'Unchecked' })
    assert.equal(
      found.warnings,
      required ? ['the CAs cannot be read: permission denied (memory); make them readable'] : [],
    )
  }
})
