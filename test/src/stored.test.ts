import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { secret } from '../../src/model/secret.js'
import { chainIn, decodeRequest, encodePair, encodeRequest, keyIn, storableKey } from '../../src/stored.js'
import { assert, suite } from '../helper/index.js'
import { draft, keyId } from './samples.js'

const test = suite('what a store keeps')

const block = (label: string, text = 'AAAA') => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`
const chain = block('CERTIFICATE', 'BBBB') + block('CERTIFICATE', 'CCCC')

for (const label of ['EC PRIVATE KEY', 'PRIVATE KEY', 'KEY REFERENCE', 'TSS2 KEY'])
  test(`a pair whose key is a ${label} is read again as it was`, () => {
    const key = storableKey(secret(block(label)))
    assert.ok(E.isRight(key))
    const text = encodePair({ pem: chain, key: key.right }).reveal()
    assert.equal(chainIn(text), O.some(chain))
    assert.is(O.toUndefined(keyIn(text))?.reveal(), block(label))
  })

test('a key is found whatever stands before it, a private key before anything else', () => {
  const found = (text: string) => O.toUndefined(keyIn(text))?.reveal()
  const own = block('EC PRIVATE KEY')
  assert.is(found(block('EC PARAMETERS') + own), own)
  assert.is(found(block('KEY REFERENCE') + own), own)
  assert.is(found(`Bag Attributes\n${chain}${own}`), own)
  assert.is(found(chain + block('X509 CRL')), undefined)
  assert.equal(chainIn(own), O.none)
  assert.ok(E.isRight(storableKey(secret(block('EC PARAMETERS') + own))), 'as openssl writes it')
})

for (const [name, text, said] of [
  ['no PEM', 'slot=1', /no block of PEM; give one block of PEM/],
  ['a label of small letters', block('key reference'), /no block of PEM/],
  ['a certificate', block('CERTIFICATE'), /a block of PEM: CERTIFICATE/],
  ['two blocks', block('KEY REFERENCE') + block('KEY REFERENCE'), /2 blocks of PEM/],
] as const)
  test(`a key that would not be found again is refused: ${name}`, () => {
    const refused = storableKey(secret(text))
    assert.ok(E.isLeft(refused))
    assert.match(`${refused.left.message}; ${refused.left.remedy}`, said)
    assert.not.match(refused.left.message, 'slot')
  })

test('a saved request is read again as it was, with white space after it', () => {
  const saved = { draft: draft(keyId(1)), key: secret(block('KEY REFERENCE')) }
  const read = decodeRequest(`${encodeRequest(saved).reveal()}\n  \n`)
  assert.ok(E.isRight(read))
  assert.equal(read.right.draft, saved.draft)
  assert.is(read.right.key.reveal(), saved.key.reveal())
})

for (const [text, said] of [
  ['', 'it is no JSON'],
  ['{"formatVersion":2}', 'its format version is 2, and this program knows only 1'],
  ['{"formatVersion":1,"key":"secret"}', 'template must be a mapping of fields'],
  ['[]', 'it must be a mapping of fields'],
] as const)
  test(`what is no saved request is told without quoting it: ${said}`, () => {
    assert.equal(decodeRequest(text), E.left(said))
  })
