import * as O from 'fp-ts/lib/Option.js'
import { deletionReason, type RequestToClean } from '../../../src/control-plane/index.js'
import { after, day, hour, instant, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('cleaner')

const now = instant(Date.parse('2026-11-23T12:00:00Z'))
const ago = (duration: number) => after(now, -duration)
const condition = (type: string, age: number) => ({ type, updatedAt: ago(age) })
const valid = O.some(after(now, day))

const cases: ReadonlyArray<readonly [string, RequestToClean, string | undefined]> = [
  ['keeps a fresh request', { createdAt: now, conditions: [], certificateEnd: O.none }, undefined],
  [
    'keeps an undecided request for 24 hours',
    { createdAt: ago(day), conditions: [], certificateEnd: O.none },
    undefined,
  ],
  [
    'deletes an undecided request after 24 hours',
    { createdAt: ago(day + second), conditions: [], certificateEnd: O.none },
    'undecided for more than 24 hours',
  ],
  [
    'keeps an issued request for an hour, however old it was when it was approved',
    { createdAt: ago(20 * day), conditions: [condition('Approved', hour)], certificateEnd: valid },
    undefined,
  ],
  [
    'deletes an issued request after an hour',
    { createdAt: ago(2 * hour), conditions: [condition('Approved', hour + second)], certificateEnd: valid },
    'approved and issued more than an hour ago',
  ],
  [
    'keeps an approved request that was never signed for 24 hours',
    { createdAt: ago(day), conditions: [condition('Approved', day)], certificateEnd: O.none },
    undefined,
  ],
  [
    'deletes an approved request that was never signed after 24 hours',
    { createdAt: ago(2 * day), conditions: [condition('Approved', day + second)], certificateEnd: O.none },
    'approved more than 24 hours ago and never issued',
  ],
  [
    'keeps a denied request for an hour',
    { createdAt: ago(hour), conditions: [condition('Denied', hour)], certificateEnd: O.none },
    undefined,
  ],
  [
    'deletes a denied request after an hour',
    { createdAt: ago(2 * hour), conditions: [condition('Denied', hour + second)], certificateEnd: O.none },
    'denied more than an hour ago',
  ],
  [
    'deletes a failed request after an hour',
    {
      createdAt: ago(2 * hour),
      conditions: [condition('Approved', 2 * hour), condition('Failed', 2 * hour)],
      certificateEnd: O.none,
    },
    'failed more than an hour ago',
  ],
  [
    'deletes a request whose certificate has expired at once',
    {
      createdAt: ago(60 * second),
      conditions: [condition('Approved', 60 * second)],
      certificateEnd: O.some(ago(second)),
    },
    'its certificate has expired',
  ],
  [
    'keeps an unapproved request with an expired certificate',
    {
      createdAt: ago(hour),
      conditions: [condition('Ready', hour)],
      certificateEnd: O.some(ago(second)),
    },
    undefined,
  ],
]
for (const [sentence, request, expected] of cases) {
  test(sentence, () => {
    assert.is(O.toUndefined(deletionReason(request, now)), expected)
  })
}
