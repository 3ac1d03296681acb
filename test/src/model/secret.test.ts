import { inspect } from 'node:util'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('secret')

test('shows its text to whoever reveals it, and to nobody else', () => {
  const key = secret('top secret')
  assert.is(key.reveal(), 'top secret')
  for (const seen of [inspect(key, { depth: null, showHidden: true }), JSON.stringify({ key }), String(key)])
    assert.not.match(seen, 'top secret')
})
