import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import {
  causesOf,
  instantIn,
  isOverdue,
  isUsable,
  renewalOf,
  rotationDeadline,
} from '../../../src/machine/due.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, instant, minute, second, wholeSecond } from '../../../src/model/time.js'
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

const window = { start: at(2 * hour), end: at(3 * hour), reason: 'the CA is replaced', source: 'a file' }
const within = (keyId: string, receivedAt = noon, now = at(hour)) =>
  instantIn(window, held({ keyId, receivedAt }), now)

test('renews in a window where the key says, and spreads a fleet over it', () => {
  assert.is(within(early), at(2 * hour))
  assert.is(within(middle), at(2.5 * hour))
  assert.ok((within(late) ?? 0) > at(3 * hour - minute))
})

test('does not renew a certificate for a window that had begun when it came', () => {
  assert.is(within(early, at(2 * hour), at(4 * hour)), undefined)
  assert.is(within(early, at(2 * hour - second), at(4 * hour)), at(2 * hour))
  const odd = { ...window, start: at(2 * hour + 900) }
  assert.is(instantIn(odd, held({ receivedAt: at(2 * hour) }), at(4 * hour)), undefined)
})

test('counts for a window from the start of the life where the receipt cannot be right', () => {
  assert.is(within(early, at(3 * hour), at(2.5 * hour)), at(2 * hour))
  assert.is(instantIn(window, held({ notBefore: at(2 * hour), receivedAt: at(5 * hour) }), noon), undefined)
})

test('a window never makes a renewal later, is heeded once, and past means now', () => {
  const instants = fc.integer({ min: -2 * day, max: 2 * day }).map(at)
  const keys = fc.nat(0xffffffff).map((bits) => bits.toString(16).padStart(8, '0'))
  fc.assert(
    fc.property(instants, instants, instants, instants, keys, (start, end, receivedAt, now, keyId) => {
      const mine = held({ keyId, receivedAt })
      const suggested = { ...window, start, end }
      const renewal = renewalOf(defaultPolicy, { window: O.some(suggested) }, mine, now)
      assert.ok(renewal.at <= rotationDeadline(defaultPolicy, mine, now))
      const due = instantIn(suggested, mine, now)
      // An instant is whole milliseconds: in a window of one it can be the end.
      if (end > start && due !== undefined) assert.ok(due >= start && due <= end)
      // Whenever it is renewed from then on, its successor is not renewed for the same window.
      const next = held({ keyId, receivedAt: wholeSecond(now), notAfter: instant(now + day) })
      if (due !== undefined && end > start && now >= due)
        assert.is(instantIn(suggested, next, now), undefined)
    }),
  )
})

test('is due by a window, and says by which', () => {
  const facts = { ...noFacts(O.some(template)), held: O.some(held()), window: O.some(window) }
  assert.equal(causesOf(defaultPolicy, facts, at(2 * hour)), [{ _tag: 'Window', window }])
  assert.equal(causesOf(defaultPolicy, facts, at(2 * hour - 1)), [])
  assert.equal(causesOf({ ...defaultPolicy, rotate: false }, facts, at(2 * hour)), [])
  const later = { window: O.some({ ...window, start: at(23 * hour), end: at(40 * hour) }) }
  assert.equal(renewalOf(defaultPolicy, later, held(), noon).window, O.none)
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

test('is overdue when all of the time for renewals is over, where it rotates', () => {
  const facts = { held: O.some(held({ keyId: early, notBefore: noon, notAfter: at(100 * minute) })) }
  assert.is(isOverdue(defaultPolicy, facts, at(90 * minute - 1)), false)
  assert.is(isOverdue(defaultPolicy, facts, at(90 * minute)), true)
  assert.is(isOverdue({ ...defaultPolicy, rotate: false }, facts, at(90 * minute)), false)
  assert.is(isOverdue(defaultPolicy, { held: O.none }, at(90 * minute)), false)
})

test('names the deadline where a window says the same instant', () => {
  const certificate = held({ keyId: early, notBefore: noon, notAfter: at(100 * minute) })
  const same = { ...window, start: at(70 * minute), end: at(80 * minute) }
  assert.equal(renewalOf(defaultPolicy, { window: O.some(same) }, certificate, noon), {
    at: at(70 * minute),
    window: O.none,
  })
})
