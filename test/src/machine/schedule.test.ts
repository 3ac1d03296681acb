import * as O from 'fp-ts/lib/Option.js'
import {
  longestDelay,
  pauseOf,
  retryDelay,
  rotationDeadline,
  setbackAfter,
  stillWaiting,
} from '../../../src/machine/schedule.js'
import type { Setback } from '../../../src/machine/state.js'
import type { Failure } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { after, day, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, certificate, held, noon, trouble } from '../samples.js'

const test = suite('schedule')

const early = '0'.repeat(64)
const middle = '8'.padEnd(64, '0')
const late = 'f'.repeat(64)
const deadline = (keyId: string, from: Instant, notBefore = noon, notAfter = at(100 * minute)): number =>
  (rotationDeadline(defaultPolicy, certificate({ keyId, notBefore, notAfter }), from) - noon) / minute

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

test('waits while the clock is between start and end, and not when it was set back', () => {
  assert.equal(stillWaiting(noon, minute, at(-1)), O.none)
  assert.equal(stillWaiting(noon, minute, noon), O.some(at(minute)))
  assert.equal(stillWaiting(noon, minute, at(minute - 1)), O.some(at(minute)))
  assert.equal(stillWaiting(noon, minute, at(minute)), O.none)
})

test('doubles retry delays up to the maximum, spread over the upper half', () => {
  const backoff = { initial: 1_000, maximum: 60_000 }
  for (const [attempt, full] of [
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [7, 60_000],
    [2_000, 60_000],
  ] as const)
    for (const seed of ['a', 'b', 'c']) {
      const delay = retryDelay(backoff, attempt, seed)
      assert.ok(delay >= full / 2 && delay <= full, `${delay} of ${full}`)
      assert.is(delay, retryDelay(backoff, attempt, seed))
    }
  assert.is(new Set(['a', 'b', 'c', 'd'].map((seed) => retryDelay(backoff, 7, seed))).size, 4)
})

test('lets nothing wait longer than a tenth of what a working certificate has left, nor than ten minutes', () => {
  const delay = (from: Instant, differences = {}) =>
    longestDelay(defaultPolicy, O.some(held({ notAfter: at(day), ...differences })), from)
  assert.is(delay(noon), 10 * minute)
  assert.is(delay(at(day - hour)), 6 * minute)
  assert.is(delay(at(day - 5 * second)), second)
  assert.is(delay(at(day - hour), { rejectedAt: O.some(noon) }), 10 * minute)
  assert.is(longestDelay(defaultPolicy, O.none, noon), 10 * minute)
})

const setback = (differences: Partial<Setback> = {}): Setback => ({
  at: noon,
  delay: 10 * minute,
  attempt: 1,
  failure: trouble('Unreachable'),
  credential: O.none,
  ...differences,
})

test('shortens a pause from when nothing worked, once a certificate works again', () => {
  const pause = (known: Parameters<typeof held>[0]) =>
    pauseOf(defaultPolicy, { held: O.some(held(known)), setback: O.some(setback()) }, noon)
  assert.equal(pause({ notAfter: at(10 * minute), rejectedAt: O.some(noon) }), O.some(at(10 * minute)))
  assert.equal(pause({ notAfter: at(10 * minute) }), O.some(at(minute)))
  assert.equal(pauseOf(defaultPolicy, { held: O.none, setback: O.none }, noon), O.none)
})

const next = (
  last: O.Option<Setback>,
  failure: Failure = trouble('Unreachable'),
  from: Instant = noon,
): Setback => setbackAfter(defaultPolicy, { setback: last, seed: 'seed' }, failure, O.some('held'), from)

test('counts failures in a row', () => {
  assert.is(next(O.none).attempt, 1)
  assert.is(next(O.some(setback({ attempt: 3 })), trouble('Unavailable'), at(20 * minute)).attempt, 4)
})

test('does not hold an outage against the refusal that follows it', () => {
  const outage = O.some(setback({ attempt: 60, failure: trouble('Unreachable', 'soon') }))
  assert.is(next(outage, trouble('Denied', 'later')).attempt, 1)
})

test('asks again soon when a server that was away refuses, and later when it refuses again', () => {
  for (const away of ['Unreachable', 'Unavailable'] as const)
    for (const tag of ['CredentialRejected', 'Forbidden'] as const) {
      const outage = O.some(setback({ attempt: 1, failure: trouble(away, 'soon') }))
      const waking = next(outage, trouble(tag, 'later'))
      assert.ok(waking.delay <= 2 * second)
      const refused = next(O.some(waking), trouble(tag, 'later'))
      assert.is(refused.attempt, 1)
      assert.ok(refused.delay >= 15 * second)
    }
  const distrust = O.some(setback({ failure: trouble('Unreachable', 'later') }))
  assert.ok(next(distrust, trouble('CredentialRejected', 'later')).delay >= 15 * second)
})

test('starts to count anew after a long silence, and after the clock was set back', () => {
  assert.is(next(O.some(setback({ attempt: 3 })), trouble('Unavailable'), at(20 * minute + 1)).attempt, 1)
  assert.is(next(O.some(setback({ attempt: 3 })), trouble('Unavailable'), at(-1)).attempt, 1)
})

test('waits longer where somebody said no', () => {
  assert.ok(next(O.none, trouble('Unreachable', 'soon')).delay <= second)
  assert.ok(next(O.none, trouble('Denied', 'later')).delay >= 15 * second)
})

test('obeys Retry-After, within limits', () => {
  const asked = (ms: number) => next(O.none, trouble('Unavailable', 'soon', O.some(ms))).delay
  assert.is(asked(minute), minute)
  assert.is(asked(day), 10 * minute)
  const own = next(O.none).delay
  for (const nonsense of [0, -1, Number.NaN]) assert.is(asked(nonsense), own)
  assert.is(after(noon, own) > noon, true)
})
