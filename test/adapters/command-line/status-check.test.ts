import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { parseDurationWithDays } from '../../../adapters/command-line/duration.js'
import type { Situation } from '../../../adapters/command-line/inquiry.js'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { check, checkLine } from '../../../adapters/command-line/status-check.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, template, trouble } from '../../src/samples.js'
import { inProcess } from './in-process.js'

const test = suite('status --check')

const fresh = noFacts(O.some(template))
const working: Facts = { ...fresh, held: O.some(held()) }
const agent = { program: 'p', hostname: 'h', pid: 1, since: '' }
const lastFailure = O.some({
  at: at(0),
  delay: minute,
  attempt: 1,
  refusals: 0,
  failure: trouble('Unreachable'),
  credential: O.none,
})

const checked = (facts: Facts, now: number, expiresIn?: number, who: Situation['agent'] = agent): string =>
  checkLine(
    check(
      {
        now: at(now),
        policy: { ...defaultPolicy, probeInterval: 0 },
        facts,
        draft: O.none,
        agent: who,
        snapshot: undefined,
        warnings: [],
      },
      expiresIn,
    ),
  )

for (const [what, line, expected] of [
  [
    'a certificate that works',
    checked(working, 0),
    'CERTIFICATE OK: the certificate works for another 1d, and is renewed in 16h 48m | expires_in=86400s',
  ],
  ['no certificate', checked(fresh, 0), 'CERTIFICATE CRITICAL: there is no certificate'],
  [
    'no certificate, and why',
    checked({ ...fresh, lastFailure }, 0),
    'CERTIFICATE CRITICAL: there is no certificate: Unreachable, Unreachable happened',
  ],
  [
    'one that expired',
    checked(working, day + hour),
    'CERTIFICATE CRITICAL: the certificate expired 1h ago | expires_in=-3600s',
  ],
  [
    'one that is not yet valid',
    checked(working, -hour),
    'CERTIFICATE CRITICAL: the certificate is not valid before 2026-11-23T11:55:00Z | expires_in=90000s',
  ],
  [
    'one that is rejected',
    checked({ ...fresh, held: O.some(held({ rejectedAt: O.some(at(0)) })) }, 0),
    'CERTIFICATE CRITICAL: the server rejects the certificate | expires_in=86400s',
  ],
  [
    'one whose server cannot be verified',
    checked({ ...fresh, held: O.some(held({ serverUntrustedAt: O.some(at(0)) })) }, 0),
    'CERTIFICATE CRITICAL: the API server cannot be verified | expires_in=86400s',
  ],
  [
    'one that expires within the given time',
    checked(working, 0, 7 * day),
    'CERTIFICATE WARNING: the certificate works for another 1d; that is less than 7d | expires_in=86400s',
  ],
  [
    'a renewal that fails',
    checked({ ...working, lastFailure }, 0.8 * day),
    'CERTIFICATE WARNING: the certificate works for another 4h 48m; its renewal fails: Unreachable, Unreachable happened | expires_in=17280s',
  ],
  [
    'a renewal that nobody does',
    checked(working, 0.8 * day, undefined, null),
    'CERTIFICATE WARNING: the certificate works for another 4h 48m; its renewal is due, and no agent is running on the directory | expires_in=17280s',
  ],
  [
    'a renewal that has only just become due',
    checked(working, 0.8 * day),
    'CERTIFICATE OK: the certificate works for another 4h 48m | expires_in=17280s',
  ],
  [
    'a renewal that is overdue',
    checked(working, 0.9 * day),
    'CERTIFICATE WARNING: the certificate works for another 2h 24m; its renewal is overdue | expires_in=8640s',
  ],
] as const)
  test(`tells ${what}`, () => {
    assert.is(line, expected)
  })

test('exits 3 for a directory that cannot be read, 2 for one without a certificate', async (context) => {
  const folder = await context.temporaryDirectory()
  const unknown = await inProcess(statusCommand, '--check', '--cert-dir=/dev/null')
  assert.is(unknown.code, 3)
  assert.match(unknown.stdout, /^CERTIFICATE UNKNOWN: reading the certificate directory .*\n$/)
  const empty = await inProcess(statusCommand, '--check', `--cert-dir=${folder}`)
  assert.equal([empty.code, empty.stdout], [2, 'CERTIFICATE CRITICAL: there is no certificate\n'])
})

test('takes days in durations', () => {
  assert.equal(parseDurationWithDays('7d'), E.right(7 * day))
  assert.equal(parseDurationWithDays('1d12h'), E.right(36 * hour))
  assert.equal(parseDurationWithDays('90m'), E.right(90 * minute))
  assert.is(parseDurationWithDays('1d1d')._tag, 'Left')
})
