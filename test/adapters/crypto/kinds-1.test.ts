import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cryptoBackend, parseRequest } from '../../../adapters/crypto/index.js'
import { keyAlgorithms } from '../../../src/model/key-algorithm.js'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { testKinds } from './kinds.js'
import { openssl, withoutOpenssl } from './openssl.js'

const test = suite('kinds of keys')

const everywhere = keyAlgorithms.filter((algorithm) => !algorithm.startsWith('ML-DSA-'))

testKinds(test, everywhere)

test('requests that openssl signed are read, RSA-PSS too; one by an algorithm of the past is not', {
  skip: withoutOpenssl,
}, async ({ temporaryDirectory }) => {
  const file = join(await temporaryDirectory(), 'key.pem')
  openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', file])
  const { id } = await right(cryptoBackend.restoreKey(secret(readFileSync(file, 'utf8'))))
  const request = (...args: ReadonlyArray<string>) =>
    openssl(['req', '-new', '-key', file, '-subj', '/CN=a', ...args])
  const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32', '-sha384']
  for (const args of [[], ['-sha512'], pss])
    assert.is((await right(parseRequest(request(...args)))).keyId, id)
  const error = await left(parseRequest(request('-md5')))
  assert.match(error.message, /the signature algorithm 1\.2\.840\.113549\.1\.1\.4 is not known/)
})

test('that this Node has not are an error that says what has them', async () => {
  const made = await cryptoBackend.generateKey('ML-DSA-44')()
  if (made._tag === 'Right') return
  assert.is(made.left._tag, 'KeyUnavailable')
  assert.match(made.left.message, /^no private key ML-DSA-44 could be made: /)
  assert.match(made.left.remedy, /^ML-DSA needs a Node\.js with OpenSSL 3\.5; this one has 3\./)
})
