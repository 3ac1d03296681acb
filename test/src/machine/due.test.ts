import * as O from 'fp-ts/lib/Option.js'
import { causesOf, isUsable, rotationDeadline } from '../../../src/machine/due.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, noon, otherTemplate, template } from '../samples.js'

const test = suite('due')

const early = '0'.repeat(64)
const middle = '8'.padEnd(64, '0')
const late = 'f'.repeat(64)
const deadline = (keyId: string, receivedAt: Instant, now = at(day)): number =>
  (rotationDeadline(
    defaultPolicy,
    held({ keyId, receivedAt, notBefore: noon, notAfter: at(100 * minute) }),
    now,
  ) -
    noon) /
  minute

test('renews between 70 and 90 % of the life, by the key', () => {
  assert.is(deadline(early, noon), 70)
  assert.is(deadline(middle, noon), 80)
  assert.ok(deadline(late, noon) > 89.99 && deadline(late, noon) < 90)
})

test('counts the life from receipt where the signer backdated', () => {
  assert.is(deadline(early, at(10 * minute)), 10 + 63)
  assert.is(deadline(early, at(10 * minute + 999)), 10 + 63)
})

test('counts the life from its start where the certificate was received before', () => {
  assert.is(deadline(early, at(-10 * minute)), 70)
})

test('does not count a receipt after the end, which a wrong clock gave', () => {
  assert.is(deadline(early, at(100 * minute)), 70)
  assert.is(deadline(early, at(day)), 70)
})

test('renews at the early end where a key id is no number', () => {
  assert.is(deadline('not a hash', noon), 70)
})

test('spreads a fleet evenly', () => {
  const shares = Array.from({ length: 100 }, (_, n) =>
    deadline((n * 42_949_672).toString(16).padStart(8, '0'), noon),
  )
  for (const part of [70, 74, 78, 82, 86]) {
    const inPart = shares.filter((share) => share >= part && share < part + 4).length
    assert.ok(inPart >= 19 && inPart <= 21, `${inPart} from ${part}`)
  }
})

test('does not count a receipt later than now, which a wrong clock gave', () => {
  assert.is(deadline(early, at(10 * minute), at(10 * minute - 1)), 70)
  assert.is(deadline(early, at(10 * minute), at(10 * minute)), 10 + 63)
})

const known: Facts = {
  ...noFacts(O.some(otherTemplate)),
  held: O.some(held()),
  requested: O.some({ why: 'the trust changed', at: noon }),
}

test('names every cause for renewal, the deadline last', () => {
  assert.equal(
    causesOf(defaultPolicy, known, at(20 * hour)).map(({ _tag }) => _tag),
    ['Template', 'Requested', 'Deadline'],
  )
  assert.equal(causesOf({ ...defaultPolicy, rotate: false }, known, at(20 * hour)), [])
  assert.equal(causesOf(defaultPolicy, noFacts(O.some(template)), noon), [])
  assert.equal(causesOf(defaultPolicy, { ...noFacts(O.none), held: O.some(held()) }, noon), [])
})

test('relies on a certificate within its time that the server does not reject', () => {
  assert.ok(isUsable(defaultPolicy, held(), noon))
  assert.not(isUsable(defaultPolicy, held(), at(day)))
  assert.not(isUsable(defaultPolicy, held({ notBefore: at(hour) }), noon))
  assert.not(isUsable(defaultPolicy, held({ rejectedAt: O.some(noon) }), noon))
})

test('relies on a certificate for something else, whatever the API server says', () => {
  assert.ok(
    isUsable({ ...defaultPolicy, authenticateWith: 'external' }, held({ rejectedAt: O.some(noon) }), noon),
  )
})
