import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { inspect } from 'node:util'
import { cryptoBackend } from '../../../adapters/crypto/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { openssl, withoutOpenssl } from './openssl.js'

const test = suite('private keys')

test('are stored as the kubelet stores them, and are the same key when restored', async () => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const stored = await right(key.forStorage)
  assert.match(stored.reveal(), /^-----BEGIN EC PRIVATE KEY-----\n[^-]*-----END EC PRIVATE KEY-----\n$/)
  const restored = await right(cryptoBackend.restoreKey(stored))
  assert.is(restored.id, key.id)
  assert.is(createPrivateKey(stored.reveal()).asymmetricKeyDetails?.namedCurve, 'prime256v1')
  const tls = await right(restored.forTls)
  assert.is(tls._tag === 'Pem' ? tls.pem.reveal() : tls._tag, stored.reveal())
})

test('are named by the SHA-256 of their public key', async () => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const pem = (await right(key.forStorage)).reveal()
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  assert.is(key.id, createHash('sha256').update(spki).digest('hex'))
})

test('are new each time', async () => {
  const [first, second] = [
    await right(cryptoBackend.generateKey('ECDSA-P256')),
    await right(cryptoBackend.generateKey('ECDSA-P256')),
  ]
  assert.is.not(first.id, second.id)
})

test('written by others are read, EC and RSA, in every usual form', { skip: withoutOpenssl }, async () => {
  const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
  for (const [algorithm, label] of [
    [curve, 'EC PRIVATE KEY'],
    [rsa, 'RSA PRIVATE KEY'],
  ] as const) {
    const pkcs8 = openssl(['genpkey', ...algorithm]).replaceAll(/^[.+*\n]+(?=-)/gm, '')
    const traditional = openssl(['pkey', '-traditional'], pkcs8)
    assert.match(traditional, label)
    const key = await right(cryptoBackend.restoreKey(secret(`some words\n${pkcs8}`)))
    assert.is((await right(cryptoBackend.restoreKey(secret(traditional)))).id, key.id)
    assert.is((await right(cryptoBackend.restoreKey(await right(key.forStorage)))).id, key.id)
  }
})

test('with their curve written before them are read', { skip: withoutOpenssl }, async () => {
  const pem = openssl(['ecparam', '-name', 'prime256v1', '-genkey'])
  assert.match(pem, 'BEGIN EC PARAMETERS')
  assert.is((await right(cryptoBackend.restoreKey(secret(pem)))).id.length, 64)
})

test('show nothing of themselves in errors or when printed', async () => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const stored = await right(key.forStorage)
  const body = stored.reveal().split('\n').slice(1, -2)
  const damaged = stored.reveal().replace(body[0] ?? '', `${body[0]?.slice(0, -4)}`)
  const error = await left(cryptoBackend.restoreKey(secret(damaged)))
  const shown = inspect([key, stored, error, await right(key.forTls)], { depth: 9, showHidden: true })
  for (const line of body) assert.not.match(shown, line.slice(0, 20))
  assert.match(error.message, /the private key in the EC PRIVATE KEY block cannot be read/)
})

test('that are none, encrypted or endless are refused with a reason', { skip: withoutOpenssl }, async () => {
  const encrypted = openssl(['genpkey', '-algorithm', 'ED25519', '-aes256', '-pass', 'pass:x'])
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['', /there is no private key in this PEM text/],
    [encrypted, /there is no private key in this PEM text/],
    ['-----BEGIN PRIVATE KEY-----\n'.repeat(1_000_000), /too long to be one/],
    ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', /cannot be read/],
  ]
  for (const [text, message] of cases) {
    const error = await left(cryptoBackend.restoreKey(secret(text)))
    assert.is(error._tag, 'Malformed')
    assert.match(error.message, message)
  }
})

test('hash text in UTF-8', async () => {
  const expected = createHash('sha256').update(Buffer.from('Zoë')).digest('hex')
  assert.is(await cryptoBackend.sha256('Zoë')(), expected)
})
