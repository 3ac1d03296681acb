import { pemBlocks } from '../../../src/model/pem.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('PEM')

const block = (label: string, body = 'AAAA') => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`

test('is read with text around its blocks, and whatever its line ends', () => {
  const text = `words\n${block('CERTIFICATE')}more words\n${block('EC PRIVATE KEY', 'BB\nCC')}`
  const blocks = [
    { label: 'CERTIFICATE', text: block('CERTIFICATE') },
    { label: 'EC PRIVATE KEY', text: block('EC PRIVATE KEY', 'BB\nCC') },
  ]
  assert.equal(pemBlocks(text), blocks)
  assert.equal(pemBlocks(text.replaceAll('\n', '\r\n').trim()), blocks)
})

test('leaves out blocks that do not end, or end as something else', () => {
  const torn = '-----BEGIN CERTIFICATE-----\nAAAA\n'
  assert.equal(pemBlocks(torn), [])
  assert.equal(pemBlocks(`${torn}-----END X-----\n-----END CERTIFICATE-----\n`), [])
  assert.equal(pemBlocks(torn + block('X')), [{ label: 'X', text: block('X') }])
})

test('is read in time proportional to its length', () => {
  assert.is(pemBlocks(block('X').repeat(200_000)).length, 200_000)
  assert.equal(pemBlocks('-----BEGIN X-----\n'.repeat(500_000)), [])
})
