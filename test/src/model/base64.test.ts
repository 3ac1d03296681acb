import fc from 'fast-check'
import { textFromBase64 } from '../../../src/model/base64.js'
import { assert, sample, seed, suite } from '../../helper/index.js'

const test = suite('base64')

test('reads what Node writes, one character a byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      assert.is(textFromBase64(buffer.toString('base64')), buffer.toString('latin1'))
    }),
    { numRuns: sample(200, 20_000), seed },
  )
})

test('passes over line ends, padding and what is not of the alphabet', () => {
  assert.is(textFromBase64('aGVs\r\nbG8=\n'), 'hello')
  assert.is(textFromBase64(' aG-Vs bG8'), 'hello')
  assert.is(textFromBase64(''), '')
})
