import * as O from 'fp-ts/lib/Option.js'
import { type CredentialName, type Facts, type LastFailure, noFacts } from '../../../src/machine/facts.js'
import {
  delayEnd,
  longestDelay,
  pauseEnd,
  retryDelay,
  submitEnd,
  withFailure,
  withoutPause,
  withShorterPause,
} from '../../../src/machine/retry.js'
import type { Failure } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { after, day, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, noon, template, trouble } from '../samples.js'

const test = suite('retry')

test('waits while the clock is between start and end, and not when it was set back', () => {
  assert.equal(delayEnd(noon, minute, at(-1)), undefined)
  assert.equal(delayEnd(noon, minute, noon), at(minute))
  assert.equal(delayEnd(noon, minute, at(minute - 1)), at(minute))
  assert.equal(delayEnd(noon, minute, at(minute)), undefined)
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
    longestDelay(defaultPolicy, { held: O.some(held({ notAfter: at(day), ...differences })) }, 'soon', from)
  assert.is(delay(noon), 10 * minute)
  assert.is(delay(at(day - hour)), 6 * minute)
  assert.is(delay(at(day - 5 * second)), second)
  assert.is(delay(at(day - hour), { rejectedAt: O.some(noon) }), 10 * minute)
  assert.is(longestDelay(defaultPolicy, { held: O.none }, 'soon', noon), 10 * minute)
})

const failure = (differences: Partial<LastFailure> = {}): LastFailure => ({
  at: noon,
  delay: 10 * minute,
  attempt: 1,
  refusals: 0,
  failure: trouble('Unreachable'),
  credential: O.none,
  ...differences,
})

test('shortens a pause from when nothing worked, once a certificate works again', () => {
  const pause = (parts: Parameters<typeof held>[0]) =>
    pauseEnd(defaultPolicy, { held: O.some(held(parts)), lastFailure: O.some(failure()) }, noon)
  assert.equal(pause({ notAfter: at(10 * minute), rejectedAt: O.some(noon) }), at(10 * minute))
  assert.equal(pause({ notAfter: at(10 * minute) }), at(minute))
  assert.equal(pauseEnd(defaultPolicy, { held: O.none, lastFailure: O.none }, noon), undefined)
})

test('a request that was taken has ended the pause, also when the clock is set back into it', () => {
  const facts = { ...noFacts(O.some(template)), lastFailure: O.some(failure()) }
  assert.equal(pauseEnd(defaultPolicy, facts, at(minute)), at(10 * minute))
  assert.equal(pauseEnd(defaultPolicy, withoutPause(defaultPolicy, facts, at(hour)), at(minute)), undefined)
})

const known = (facts: Facts, problem: Failure, credential: O.Option<CredentialName>, from: Instant): Facts =>
  withFailure(defaultPolicy, facts, problem, credential, from)

const next = (
  lastFailure: O.Option<LastFailure>,
  problem: Failure = trouble('Unreachable'),
  from: Instant = noon,
): LastFailure => {
  const facts = known({ ...noFacts(O.some(template)), lastFailure }, problem, O.some('held'), from)
  if (O.isNone(facts.lastFailure)) throw new Error('a failure is not known')
  return facts.lastFailure.value
}

test('takes only a rejection of the held certificate for one', () => {
  const isRejected = (credential: CredentialName, tag: 'CredentialRejected' | 'Forbidden') => {
    const facts = known(
      { ...noFacts(O.some(template)), held: O.some(held()) },
      trouble(tag),
      O.some(credential),
      noon,
    )
    return O.isSome(facts.held) && O.isSome(facts.held.value.rejectedAt)
  }
  assert.is(isRejected('held', 'CredentialRejected'), true)
  assert.is(isRejected('held', 'Forbidden'), false)
  assert.is(isRejected('bootstrap', 'CredentialRejected'), false)
})

test('counts failures in a row', () => {
  assert.is(next(O.none).attempt, 1)
  assert.is(next(O.some(failure({ attempt: 3 })), trouble('Unavailable'), at(20 * minute)).attempt, 4)
})

test('does not hold an outage against the denial that follows it', () => {
  const outage = O.some(failure({ attempt: 60, failure: trouble('Unreachable', 'soon') }))
  assert.is(next(outage, trouble('Denied', 'later')).attempt, 1)
})

/** What is known after failures, each with its credential, as soon as the pause before it allows. */
const inARow = (
  from: Facts,
  ...failures: ReadonlyArray<readonly [Failure, CredentialName]>
): ReadonlyArray<LastFailure> => {
  const found: Array<LastFailure> = []
  let facts = from
  let now = noon
  for (const [problem, credential] of failures) {
    facts = known(facts, problem, O.some(credential), now)
    const last = O.toUndefined(facts.lastFailure)
    if (last === undefined) throw new Error('a failure is not known')
    found.push(last)
    now = after(now, last.delay)
  }
  return found
}

test('asks ever more rarely where one credential is forbidden and the other cannot be had', () => {
  const forbidden = [trouble('Forbidden', 'later'), 'held'] as const
  const missing = [trouble('NoCredential', 'soon'), 'bootstrap'] as const
  const series = inARow(
    noFacts(O.some(template)),
    forbidden,
    missing,
    forbidden,
    missing,
    forbidden,
    missing,
    missing,
  )
  assert.equal(
    series.map(({ attempt }) => attempt),
    [1, 1, 2, 1, 3, 1, 2],
  )
  assert.ok((series[4]?.delay ?? 0) > minute)
})

test('a denial counts to those before it however long the request waited for it', () => {
  const denied = trouble('Denied', 'later')
  const before = failure({ attempt: 3, refusals: 3, failure: denied })
  const attemptOf = (submitted: Instant, from: Instant) => {
    const facts = { ...noFacts(O.none), lastFailure: O.some(before) }
    const asked = { ...withoutPause(defaultPolicy, facts, submitted), submittedAt: O.some(submitted) }
    return O.toUndefined(known(asked, denied, O.none, from).lastFailure)?.attempt
  }
  assert.is(attemptOf(at(10 * minute), at(day)), 4)
  assert.is(attemptOf(at(21 * minute), at(day)), 1, 'it was asked long after the pause')
  assert.is(attemptOf(at(2 * day), at(day)), 1, 'the clock was set back')
})

test('refusals are counted anew after a long silence', () => {
  const forbidden = trouble('Forbidden', 'later')
  const last = O.some(failure({ attempt: 3, refusals: 3, failure: forbidden }))
  const attemptOf = (submittedAt: O.Option<Instant>, from: Instant) =>
    O.toUndefined(
      known({ ...noFacts(O.none), lastFailure: last, submittedAt }, forbidden, O.none, from).lastFailure,
    )?.attempt
  assert.is(attemptOf(O.none, at(20 * minute)), 4)
  assert.is(attemptOf(O.none, at(20 * minute + 1)), 1)
  assert.is(attemptOf(O.some(at(-minute)), at(hour)), 1, 'the request was there before the refusal')
  assert.is(attemptOf(O.some(noon), at(hour)), 1, 'the refusal came of the request')
  assert.is(attemptOf(O.some(at(day)), at(hour)), 1, 'the clock was set back to before the request')
  assert.is(attemptOf(O.some(at(minute)), at(hour)), 4)
})

test('asks again soon when a server that was away rejects us, and later when it does again', () => {
  for (const away of ['Unreachable', 'Unavailable'] as const)
    for (const tag of ['CredentialRejected', 'Forbidden'] as const) {
      const outage = O.some(failure({ attempt: 1, failure: trouble(away, 'soon') }))
      const waking = next(outage, trouble(tag, 'later'))
      assert.ok(waking.delay <= 2 * second)
      const refused = next(O.some(waking), trouble(tag, 'later'))
      assert.is(refused.attempt, 1)
      assert.ok(refused.delay >= 15 * second)
    }
  const distrust = O.some(failure({ failure: trouble('Unreachable', 'later') }))
  assert.ok(next(distrust, trouble('CredentialRejected', 'later')).delay >= 15 * second)
})

test('starts to count anew after a long silence, and after the clock was set back', () => {
  assert.is(next(O.some(failure({ attempt: 3 })), trouble('Unavailable'), at(20 * minute + 1)).attempt, 1)
  assert.is(next(O.some(failure({ attempt: 3 })), trouble('Unavailable'), at(-1)).attempt, 1)
})

test('waits longer where somebody said no', () => {
  assert.ok(next(O.none, trouble('Unreachable', 'soon')).delay <= second)
  assert.ok(next(O.none, trouble('Denied', 'later')).delay >= 15 * second)
})

test('obeys Retry-After, within limits, and not all at one moment', () => {
  const asked = (ms: number) => next(O.none, trouble('Unavailable', 'soon', O.some(ms))).delay
  assert.ok(asked(minute) > minute && asked(minute) < 1.5 * minute)
  assert.is(asked(day), 10 * minute)
  const others = ['a', 'b', 'c', 'd'].map((commonName) => {
    const facts = noFacts(O.some({ ...template, commonName }))
    const turnedAway = trouble('Unavailable', 'soon', O.some(minute))
    return O.toUndefined(known(facts, turnedAway, O.none, noon).lastFailure)?.delay
  })
  assert.is(new Set(others).size, 4)
  const own = next(O.none).delay
  for (const nonsense of [0, -1, Number.NaN]) assert.is(asked(nonsense), own)
  assert.is(after(noon, own) > noon, true)
})

test("lets somebody's no be asked again ever more rarely, up to a hundredth of the life that is left and six hours", () => {
  const longest = (from: Instant, differences = {}) =>
    longestDelay(
      defaultPolicy,
      { held: O.some(held({ notAfter: at(100 * day), ...differences })) },
      'later',
      from,
    )
  assert.is(longest(noon), day)
  assert.is(longest(at(99 * day)), 14.4 * minute)
  assert.is(longest(at(100 * day - hour)), 6 * minute, 'a tenth of the last hours')
  assert.is(longest(noon, { rejectedAt: O.some(noon) }), 10 * minute, 'nothing works')
  const delay = (problem: Failure) => {
    const last = failure({ attempt: 40, refusals: 40, failure: problem })
    const facts = { ...noFacts(O.some(template)), held: O.some(held({ notAfter: at(100 * day) })) }
    const after = known({ ...facts, lastFailure: O.some(last) }, problem, O.some('held'), noon)
    return O.isSome(after.lastFailure) ? after.lastFailure.value.delay : 0
  }
  assert.ok(delay(trouble('Denied', 'later')) > 3 * hour && delay(trouble('Denied', 'later')) <= 6 * hour)
  assert.ok(delay(trouble('Unreachable', 'soon')) <= minute)
  assert.is(
    delay(trouble('Unavailable', 'soon', O.some(day))),
    10 * minute,
    'the server cannot make us wait for hours',
  )
})

test('does not wait for what was refused when somebody asks again, but for an outage', () => {
  const asked = (problem: Failure) => {
    const last = failure({ delay: 5 * minute, failure: problem })
    return withShorterPause(defaultPolicy, { ...noFacts(O.some(template)), lastFailure: O.some(last) })
      .lastFailure
  }
  const delayOf = (problem: Failure) => O.toUndefined(asked(problem))?.delay
  assert.is(delayOf(trouble('Denied', 'later')), defaultPolicy.submitInterval)
  assert.is(delayOf(trouble('Unavailable', 'soon')), 5 * minute)
})

test('keeps two requests apart', () => {
  assert.is(submitEnd(defaultPolicy, { submittedAt: O.none }, noon), undefined)
  assert.is(submitEnd(defaultPolicy, { submittedAt: O.some(noon) }, at(second)), at(10 * second))
  assert.is(submitEnd(defaultPolicy, { submittedAt: O.some(noon) }, at(10 * second)), undefined)
})
