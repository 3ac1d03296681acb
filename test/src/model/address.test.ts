import * as O from 'fp-ts/lib/Option.js'
import { canonicalAddress, sameAddress } from '../../../src/model/address.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('address')

const same: ReadonlyArray<readonly [string, string]> = [
  ['::1', '0:0:0:0:0:0:0:1'],
  ['::1', '::0001'],
  ['FE80::A', 'fe80:0:0:0:0:0:0:a'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['1::', '1:0:0:0:0:0:0:0'],
  ['::', '0:0:0:0:0:0:0:0'],
  ['not an address', 'not an address'],
]
for (const [a, b] of same)
  test(`takes ${a} and ${b} for one`, () => {
    assert.ok(sameAddress(a, b))
    assert.ok(sameAddress(b, a))
  })

const different: ReadonlyArray<readonly [string, string]> = [
  ['10.0.0.1', '10.0.0.2'],
  ['::1', '::2'],
  ['10.0.0.1', '::10.0.0.1'],
  ['10.0.0.1', 'worker-1'],
  ['10.0.0.1', '10.0.0.01'],
]
for (const [a, b] of different)
  test(`takes ${a} and ${b} for two`, () => {
    assert.not(sameAddress(a, b))
    assert.not(sameAddress(b, a))
  })

const none = [
  '',
  '1.2.3',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4.5',
  ':',
  ':::',
  '1::2::3',
  '1:2:3',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  'g::',
  '1:2:3:4:5:6:7::8:9',
  '::1.2.3',
  '1.2.3.4::',
  'x::',
  '1::y',
  '1:2:3:4::5:6:7:8',
  'fe80::1%eth0',
]
for (const text of none)
  test(`takes ${JSON.stringify(text)} for no address`, () => {
    assert.equal(canonicalAddress(text), O.none)
  })

test('spells IPv4 dotted and IPv6 in eight groups', () => {
  assert.equal(canonicalAddress('::ffff:1.2.3.4'), O.some('1.2.3.4'))
  assert.equal(canonicalAddress('2001:DB8::5'), O.some('2001:db8:0:0:0:0:0:5'))
})
