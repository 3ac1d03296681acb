import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type ValidityRequest, validity } from '../../../src/control-plane/index.js'
import { day, hour, instant, minute, rfc3339, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('validity')

const usual: ValidityRequest = {
  now: instant(Date.parse('2026-11-23T12:00:00.700Z')),
  signingDuration: 365 * day,
  expirationSeconds: O.none,
  authorityEnd: instant(Date.parse('2036-01-01T00:00:00Z')),
}

const dates = (change: Partial<ValidityRequest>): string => {
  const answer = validity({ ...usual, ...change })
  return E.isLeft(answer)
    ? answer.left
    : `${rfc3339(answer.right.notBefore)} to ${rfc3339(answer.right.notAfter)}`
}

const cases: ReadonlyArray<readonly [string, Partial<ValidityRequest>, string]> = [
  ['a year from the backdated start, in whole seconds', {}, '2026-11-23T11:55:00Z to 2027-11-23T11:55:00Z'],
  [
    'ninety seconds from now, backdated by five minutes',
    { signingDuration: 90 * second },
    '2026-11-23T11:55:00Z to 2026-11-23T12:01:30Z',
  ],
  [
    'just under eight hours from now',
    { signingDuration: 8 * hour - second },
    '2026-11-23T11:55:00Z to 2026-11-23T19:59:59Z',
  ],
  [
    'eight hours from the backdated start',
    { signingDuration: 8 * hour },
    '2026-11-23T11:55:00Z to 2026-11-23T19:55:00Z',
  ],
  [
    'as long as asked for when that is shorter',
    { expirationSeconds: O.some(3600) },
    '2026-11-23T11:55:00Z to 2026-11-23T13:00:00Z',
  ],
  [
    "no longer than the signer's limit, whatever is asked for",
    { signingDuration: hour, expirationSeconds: O.some(86_400) },
    '2026-11-23T11:55:00Z to 2026-11-23T13:00:00Z',
  ],
  [
    'not less than ten minutes, should validation have let it through',
    { expirationSeconds: O.some(1) },
    '2026-11-23T11:55:00Z to 2026-11-23T12:10:00Z',
  ],
  [
    "no longer than the CA's certificate",
    { authorityEnd: instant(Date.parse('2027-01-01T00:00:00Z')) },
    '2026-11-23T11:55:00Z to 2027-01-01T00:00:00Z',
  ],
  [
    'expired before it was issued, by 1.20 with a duration under five minutes',
    { signingDuration: 90 * second, flavour: '1.20' },
    '2026-11-23T11:55:00Z to 2026-11-23T11:56:30Z',
  ],
  [
    'the whole signing duration by 1.20, which knows no expirationSeconds',
    { signingDuration: hour, expirationSeconds: O.some(600), flavour: '1.20' },
    '2026-11-23T11:55:00Z to 2026-11-23T12:55:00Z',
  ],
]
for (const [what, change, expected] of cases) {
  test(`gives ${what}`, () => {
    assert.is(dates(change), expected)
  })
}

test('issues nothing once the CA has ended, not even what its backdated start would allow', () => {
  const message = 'refusing to sign a certificate that expired in the past: NotAfter=2026-11-23T12:00:00.700Z'
  assert.is(dates({ authorityEnd: usual.now }), message)
  assert.match(dates({ authorityEnd: instant(usual.now - minute) }), 'refusing to sign')
})
