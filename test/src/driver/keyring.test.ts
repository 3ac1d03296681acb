import * as E from 'fp-ts/lib/Either.js'
import { cryptoErrors, keyIdOf, memoryCrypto } from '../../../adapters/memory/index.js'
import {
  abandon,
  credentialOf,
  keep,
  keyOf,
  keyring,
  makeReady,
  retain,
} from '../../../src/driver/keyring.js'
import { assert, suite } from '../../helper/index.js'
import { chain } from '../samples.js'

const test = suite('keyring')

/** A keyring with one key of the crypto backend. */
const withKey = async (crypto = memoryCrypto()) => {
  const keys = keyring()
  const made = await crypto.generateKey('ECDSA-P256')()
  if (E.isLeft(made)) throw new Error(made.left.message)
  keep(keys, made.right)
  return { keys, own: chain({ keyId: made.right.id }) }
}

test('makes a certificate ready for TLS with its key', async () => {
  const { keys, own } = await withKey()
  assert.is(credentialOf(keys, own.certificate), undefined)
  await makeReady(keys, own)()
  assert.is(credentialOf(keys, own.certificate)?.pem, own.pem)
  assert.is(credentialOf(keys, own.certificate)?.key._tag, 'Pem')
})

test('leaves a certificate alone whose key it does not have', async () => {
  const { keys } = await withKey()
  const stranger = chain({ keyId: keyIdOf('somebody else') })
  await makeReady(keys, stranger)()
  assert.is(credentialOf(keys, stranger.certificate), undefined)
})

test('says why a key cannot be used for TLS', async () => {
  const crypto = memoryCrypto()
  crypto.inject({ when: (operation) => operation === 'forTls', answer: cryptoErrors.keyUnavailable })
  const { keys, own } = await withKey(crypto)
  await makeReady(keys, own)()
  assert.equal(credentialOf(keys, own.certificate)?.key, {
    _tag: 'NotUsableHere',
    reason: cryptoErrors.keyUnavailable.message,
  })
})

test('asks a key once for each certificate', async () => {
  const { keys, own } = await withKey()
  await makeReady(keys, own)()
  const first = credentialOf(keys, own.certificate)
  await makeReady(keys, own)()
  assert.is(credentialOf(keys, own.certificate), first)
})

test('has a key forgotten when it drops it, and one that came to nothing, once each', async () => {
  const crypto = memoryCrypto()
  const forgotten: Array<string> = []
  const made = async (name: string) => {
    const key = await crypto.generateKey('ECDSA-P256')()
    if (E.isLeft(key)) throw new Error(key.left.message)
    return {
      ...key.right,
      forget: async () => {
        forgotten.push(name)
      },
    }
  }
  const keys = keyring()
  const [held, next, lost] = [await made('held'), await made('next'), await made('lost')]
  keep(keys, held)
  keep(keys, next)
  abandon(keys, held)
  abandon(keys, lost)
  retain(keys, [next.id])
  retain(keys, [next.id])
  assert.equal(forgotten, ['lost', 'held'])
})

test("a key that cannot be forgotten is its owner's trouble", async () => {
  const keys = keyring()
  const unhandled: Array<unknown> = []
  const hear = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', hear)
  const key = await memoryCrypto().generateKey('ECDSA-P256')()
  if (E.isLeft(key)) throw new Error(key.left.message)
  keep(keys, { ...key.right, forget: () => Promise.reject(new Error('the token is gone')) })
  retain(keys, [])
  await new Promise<void>((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', hear)
  assert.equal(unhandled, [])
})

test('forgets every key but those to retain', async () => {
  const { keys, own } = await withKey()
  await makeReady(keys, own)()
  retain(keys, [own.certificate.keyId])
  assert.ok(keyOf(keys, own.certificate.keyId))
  retain(keys, [])
  assert.is(keyOf(keys, own.certificate.keyId), undefined)
  assert.is(credentialOf(keys, own.certificate), undefined)
})
