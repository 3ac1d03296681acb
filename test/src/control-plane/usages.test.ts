import { knownUsages, sameUsages } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('usages')

test('knows the 23 usages of the API, each once, in the order in which errors list them', () => {
  assert.is(new Set(knownUsages).size, 23)
  assert.equal(knownUsages, [...knownUsages].sort())
})

test('compares usages as sets', () => {
  assert.is(sameUsages(['a', 'b'], ['b', 'a', 'a']), true)
  assert.is(sameUsages(['a'], ['a', 'b']), false)
  assert.is(sameUsages(['a', 'b'], ['a']), false)
})
