import {
  after,
  day,
  earliest,
  endOfTime,
  hour,
  instant,
  inWords,
  minute,
  rfc3339,
  second,
  wholeSecond,
} from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { noon } from '../samples.js'

const test = suite('time')

test('keeps instants whole and within what a Date can hold', () => {
  assert.is(instant(1.9), 1)
  assert.is(instant(-1.9), -1)
  assert.is(instant(Number.NaN), 0)
  assert.is(instant(Number.POSITIVE_INFINITY), endOfTime)
  assert.is(new Date(instant(Number.NEGATIVE_INFINITY)).getTime(), -endOfTime)
  assert.is(after(endOfTime, day), endOfTime)
})

test('finds the earliest instant, and the end of time where there is none', () => {
  assert.is(earliest(after(noon, 2), noon, after(noon, 1)), noon)
  assert.is(earliest(), endOfTime)
})

test('takes the fraction of a second away, never adding any, before 1970 too', () => {
  assert.is(wholeSecond(instant(1_999)), 1_000)
  assert.is(wholeSecond(instant(-1)), -1_000)
})

test('writes RFC 3339 with milliseconds only where there are any', () => {
  assert.is(rfc3339(noon), '2026-11-23T12:00:00Z')
  assert.is(rfc3339(after(noon, 20)), '2026-11-23T12:00:00.020Z')
})

const durations: ReadonlyArray<readonly [number, string]> = [
  [0, '0s'],
  [40, '0s'],
  [1_500, '1.5s'],
  [9_949, '9.9s'],
  [9_999, '10s'],
  [10 * second, '10s'],
  [59_499, '59s'],
  [59_500, '1m'],
  [5 * minute, '5m'],
  [61 * second, '1m 1s'],
  [hour - second, '59m 59s'],
  [hour + 5 * second, '1h'],
  [90 * day + 4 * hour + 3 * minute, '90d 4h'],
  [-90 * second, '-1m 30s'],
]
for (const [duration, words] of durations)
  test(`says ${words} for ${duration} ms`, () => {
    assert.is(inWords(duration), words)
  })
