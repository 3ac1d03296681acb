import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  authoritiesPem,
  certificatePem,
  cryptoErrors,
  keyIdOf,
  keyPem,
  memoryCrypto,
  readCertificate,
  storedPair,
} from '../../../adapters/memory/index.js'
import { instant, kubeletClientTemplate, minute, secret } from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('memory crypto')

const start = instant(Date.parse('2026-01-01T00:00:00Z'))
const right = <A>(answer: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(answer)) throw new Error(answer.left.message)
  return answer.right
}

test('generates other keys each time, and the same in each run', async () => {
  const ids = async () => {
    const { generateKey } = memoryCrypto()
    return [right(await generateKey('ECDSA-P256')()).id, right(await generateKey('ECDSA-P256')()).id]
  }
  const [first, second] = await ids()
  assert.is.not(first, second)
  assert.match(first ?? '', /^[0-9a-f]{64}$/)
  assert.equal(await ids(), [first, second])
})

test('restores a key from what it gave to keep', async () => {
  const crypto = memoryCrypto()
  const key = right(await crypto.generateKey('ECDSA-P256')())
  assert.is(right(await crypto.restoreKey(right(await key.forStorage()))()).id, key.id)
  assert.is(right(await crypto.restoreKey(secret(keyPem('any')))()).id, keyIdOf('any'))
})

test('reads back a certificate whatever its names, with text around it', async () => {
  const pair = storedPair({
    key: 'k',
    notBefore: start,
    notAfter: instant(start + minute),
    commonName: 'knoten "ä" 雪',
    dnsNames: ['a.example'],
    extendedKeyUsages: O.none,
  })
  assert.match(pair.pem, /^[\n -~]*$/)
  const { certificate } = right(await memoryCrypto().parseChain(`leaf\n${pair.pem}rest`)())
  assert.is(certificate.commonName, 'knoten "ä" 雪')
  assert.equal(certificate.dnsNames, ['a.example'])
  assert.is(certificate.notAfter, start + minute)
  assert.equal(readCertificate(certificatePem(certificate)), O.some(certificate))
})

test('says what it cannot read', async () => {
  const { parseChain, restoreKey, verifyChain } = memoryCrypto()
  const answers = [
    await parseChain('nothing')(),
    await restoreKey(secret('nothing'))(),
    await verifyChain('nothing', 'nothing', start)(),
  ]
  assert.equal(
    answers.map((answer) => (E.isLeft(answer) ? answer.left._tag : 'read')),
    ['Malformed', 'Malformed', 'Malformed'],
  )
})

test('fails as it is told, as often as it is told', async () => {
  const crypto = memoryCrypto()
  crypto.inject({
    when: (operation) => operation === 'createRequest',
    times: 1,
    answer: cryptoErrors.keyUnavailable,
  })
  const key = right(await crypto.generateKey('ECDSA-P256')())
  const request = key.createRequest(kubeletClientTemplate('a'))
  assert.equal(await request(), E.left(cryptoErrors.keyUnavailable))
  assert.ok(E.isRight(await request()))
})

test('gives TLS the kind of key that was asked for', async () => {
  const crypto = memoryCrypto({ tlsKey: () => ({ _tag: 'NotUsableHere', reason: 'in hardware' }) })
  const key = right(await crypto.generateKey('ECDSA-P256')())
  assert.equal(right(await key.forTls()), { _tag: 'NotUsableHere', reason: 'in hardware' })
})

test('tells by its issuer whether a certificate chains to a CA', async () => {
  const { pem } = storedPair({ key: 'k', notBefore: start, notAfter: instant(start + minute), issuer: 'b' })
  const { verifyChain } = memoryCrypto()
  assert.equal(right(await verifyChain(pem, authoritiesPem(['a', 'b']), start)()), O.none)
  assert.equal(
    right(await verifyChain(pem, authoritiesPem(['a']), start)()),
    O.some('no CA there is called b'),
  )
})
