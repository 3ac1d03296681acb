/** Keys that are kept elsewhere: a handle from a public key and a signing function, and the worked example of a vault. */
import { createPrivateKey, generateKeyPairSync, KeyObject, sign, webcrypto } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { cryptoContract } from '../../../adapters/contract/index.js'
import {
  createAuthority,
  cryptoBackend,
  type Hash,
  keyHandleFrom,
  parseRequest,
  referenceIn,
  signerBy,
} from '../../../adapters/crypto/index.js'
import { memoryStore } from '../../../adapters/memory/index.js'
import { after, day, failure, instant, second, wholeSecond } from '../../../src/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { rotating, until, world } from '../node/world.js'
import { left, right } from '../outcome.js'
import { type Vault, vaultCrypto } from './examples/vault.js'

const test = suite('keys that are kept elsewhere')

const names = {
  commonName: 'worker-1',
  organizations: ['a'],
  dnsNames: ['worker-1.example'],
  ipAddresses: [],
  uris: [],
}
const spki = { type: 'spki', format: 'pem' } as const
const digest = (hash: Hash = 'SHA-256') => hash.replace('-', '')

for (const kind of ['P-256', 'P-384', 'P-521', 'RSA'] as const)
  for (const dsaEncoding of ['der', 'ieee-p1363'] as const)
    test(`sign a request that holds, by ${kind} with a signature in ${dsaEncoding}`, async () => {
      const { publicKey, privateKey } =
        kind === 'RSA'
          ? generateKeyPairSync('rsa', { modulusLength: 2048 })
          : generateKeyPairSync('ec', { namedCurve: kind })
      const key = await right(
        keyHandleFrom({
          publicKey: publicKey.export(spki).toString(),
          sign: async (data, hash) => sign(digest(hash), data, { key: privateKey, dsaEncoding }),
          reference: 'slot 1, grün',
        }),
      )
      // Signatures by EC keys differ each time, and so does what has to be in front of their numbers.
      for (let count = 0; count < 8; count += 1) {
        const request = await right(parseRequest(await right(key.createRequest(names))))
        assert.is(request.keyId, key.id)
        assert.equal(request.dnsNames, names.dnsNames)
      }
      assert.equal(referenceIn(await right(key.forStorage)), O.some('slot 1, grün'))
      assert.is((await right(key.forTls))._tag, 'NotUsableHere')
    })

test('are refused when the signature is by another key, and when they do not sign', async () => {
  const [one, other] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  if (one === undefined || other === undefined) throw new Error('no keys')
  const publicKey = one.publicKey.export(spki).toString()
  const reference = '1'
  const wrong = await right(
    keyHandleFrom({ publicKey, reference, sign: async (data) => sign('SHA256', data, other.privateKey) }),
  )
  assert.match((await left(wrong.createRequest(names))).message, /signature is not by the key/)
  const gone = await right(
    keyHandleFrom({
      publicKey,
      reference,
      sign: () => {
        throw new Error('no token in slot 1')
      },
    }),
  )
  const failed = await left(gone.createRequest(names))
  assert.is(failed._tag, 'KeyUnavailable')
  assert.is(failed.retry, 'soon')
  assert.match(failed.message, /does not sign: no token in slot 1/)
  const none = await left(keyHandleFrom({ publicKey: 'none', reference, sign: async () => Buffer.of() }))
  assert.match(none.message, /public key cannot be read/)
})

test('are told from keys in what a store kept', async () => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  assert.equal(referenceIn(await right(key.forStorage)), O.none)
})

/** Keys that WebCrypto does not let out, which outlive the rotation. */
const newVault = () => {
  const keys = new Map<string, webcrypto.CryptoKeyPair>()
  const named = (name: string): webcrypto.CryptoKeyPair => {
    const found = keys.get(name)
    if (found === undefined) throw new Error(`there is no key ${name}`)
    return found
  }
  const vault: Vault = {
    create: async () => {
      const name = `slot ${keys.size + 1}-${performance.now()}`
      keys.set(
        name,
        await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']),
      )
      return name
    },
    publicKey: async (name) => KeyObject.from(named(name).publicKey).export(spki).toString(),
    sign: async (name, data, hash) =>
      new Uint8Array(
        await webcrypto.subtle.sign(
          { name: 'ECDSA', hash: hash ?? 'SHA-256' },
          named(name).privateKey,
          new Uint8Array(data),
        ),
      ),
    destroy: async (name) => {
      keys.delete(name)
    },
  }
  return { vault, keys }
}

const now = wholeSecond(instant(Date.now()))
const life = { serialNumber: '01', notBefore: after(now, -day), notAfter: after(now, day) }
const contract = cryptoContract({
  crypto: vaultCrypto(newVault().vault),
  issue: async (request) => {
    const authority = await right(createAuthority({ ...life, commonName: 'CA' }))
    const certificate = await right(signerBy(authority)(request, { ...life, usages: ['client auth'] }))
    return { certificate, authority: authority.pem }
  },
})
for (const { name, run } of contract) test(`keep the contract of a crypto backend: ${name}`, run)

test('keep a certificate alive with another credential, are found after a restart, and are forgotten', async (context) => {
  const there = await world(context)
  const { vault, keys } = newVault()
  const options = {
    kubeconfig: there.bootstrapKubeconfig,
    ports: { crypto: vaultCrypto(vault) },
    policy: { authenticateWith: 'external', submitInterval: second },
  } as const
  const first = await rotating(context, there, options)
  const issued = await first.issued()
  assert.is(issued.tls(), undefined)
  const files = await readdir(there.certDir)
  const stored = await Promise.all(
    files.map((name) => readFile(join(there.certDir, name), 'utf8').catch(() => '')),
  )
  assert.match(stored.join(''), 'KEY REFERENCE')
  assert.not.match(stored.join(''), 'PRIVATE KEY')
  assert.throws(() => createPrivateKey(stored.join('')))
  await first.stop()

  const again = await rotating(context, there, options)
  assert.is((await again.issued()).serialNumber, issued.serialNumber, 'no other was asked for')
  assert.is(keys.size, 1)
  again.rotateNow()
  await eventually('it is renewed', () => again.current()?.keyId !== issued.keyId)
  await eventually('the old key is forgotten', () => keys.size === 1)
  assert.equal(again.warned, [])
})

test('cannot authenticate their own renewal, which says what can', async (context) => {
  const there = await world(context)
  const { vault } = newVault()
  const rotation = await rotating(context, there, {
    ports: { crypto: vaultCrypto(vault) },
    policy: { submitInterval: second },
  })
  await until(rotation, 'Issued')
  rotation.rotateNow()
  const told = await eventually('it is told', () =>
    rotation.seen.find(({ reason }) => reason === 'NoCredential'),
  )
  assert.match(told.message, /TLS cannot use the private key.*authenticateWith: 'external'/)
})

test('are not left behind by requests that could not be saved', async (context) => {
  const there = await world(context)
  const { vault, keys } = newVault()
  const full = failure('StoreUnwritable', 'soon', 'the disk is full', 'make room')
  const store = memoryStore()
  store.inject({ when: ({ operation }) => operation === 'saveRequest', answer: full, times: 2 })
  const rotation = await rotating(context, there, {
    ports: { crypto: vaultCrypto(vault), store },
    policy: { submitInterval: second, retrySoon: { initial: 10, maximum: 20 } },
  })
  await rotation.issued()
  assert.is(rotation.seen.filter(({ reason }) => reason === 'StoreUnwritable').length, 2)
  assert.is(keys.size, 1)
})
