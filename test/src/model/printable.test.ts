import { printable } from '../../../src/model/printable.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('printable')

test('leaves a line as it is', () => {
  assert.is(printable('request csr-1 was denied (Über: 否)'), 'request csr-1 was denied (Über: 否)')
})

test('takes out what moves a cursor, ends a line, or turns text round', () => {
  assert.is(printable('a\r\nb\u001b[2Jc\u202ed\u2028e\u0000f'), 'a b [2Jc d e f')
})

test('cuts off what is too long, whatever it is made of', () => {
  assert.is(printable('x'.repeat(30), 10), `${'x'.repeat(10)}…`)
  assert.is(printable('\n'.repeat(30), 10), ' …')
  assert.is(printable('x'.repeat(10), 10), 'x'.repeat(10))
})
