/** What follows from a failure: how long to wait, growing with each attempt, spread, and bounded. */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Failure } from '../model/failure.js'
import type { Backoff, RotationPolicy } from '../model/policy.js'
import type { CertificateTemplate } from '../model/template.js'
import { after, type Instant, type Milliseconds, second } from '../model/time.js'
import { withRejection, withServerUntrusted } from './credential.js'
import { isUsable } from './due.js'
import { type CredentialName, type Facts, type LastFailure, nextKeyOf } from './facts.js'

/** The end of a delay, while it lasts. A clock that was set to before its start means that it is over. */
export const delayEnd = (since: Instant, delay: Milliseconds, now: Instant): Instant | undefined =>
  now >= since && now < after(since, delay) ? after(since, delay) : undefined

/**
 * The longest that a failure may make us wait: a tenth of the life that a working certificate has left, within limits.
 * Where somebody said no, a hundredth of that life, if it is longer: with months left nothing is lost by hours, and there
 * are a hundred attempts more before it ends.
 */
export const longestDelay = (
  policy: RotationPolicy,
  { held }: Pick<Facts, 'held'>,
  retry: Failure['retry'],
  now: Instant,
): Milliseconds => {
  if (O.isNone(held) || !isUsable(policy, held.value, now)) return policy.longestDelay
  const left = held.value.certificate.notAfter - now
  const usual = Math.min(policy.longestDelay, Math.max(second, left / 10))
  return retry === 'later' ? Math.max(usual, left / 100) : usual
}

/**
 * The end of the pause after a failure, while it lasts. What is allowed is measured now: a certificate that was rejected
 * or early when the failure happened, and works again, may have less time left than the delay.
 */
export const pauseEnd = (
  policy: RotationPolicy,
  facts: Pick<Facts, 'held' | 'lastFailure'>,
  now: Instant,
): Instant | undefined => {
  if (O.isNone(facts.lastFailure)) return undefined
  const { at, delay, failure } = facts.lastFailure.value
  return delayEnd(at, Math.min(delay, longestDelay(policy, facts, failure.retry, now)), now)
}

/** The end of the time that is kept between two requests, while it lasts. */
export const submitEnd = (
  { submitInterval }: RotationPolicy,
  { submittedAt }: Pick<Facts, 'submittedAt'>,
  now: Instant,
): Instant | undefined =>
  O.isSome(submittedAt) ? delayEnd(submittedAt.value, submitInterval, now) : undefined

/** The API took a request: the pause is over, also if the clock is set back into it; what comes of it counts to its row. */
export const withoutPause = (policy: RotationPolicy, facts: Facts, at: Instant): Facts => ({
  ...facts,
  lastFailure: O.map((last: LastFailure) => ({
    ...last,
    delay: 0,
    refusals: isFollowedBy(policy, at)(last) ? last.refusals : 0,
  }))(facts.lastFailure),
})

/** Somebody asks again, or for something else: what was refused before is not waited for longer than requests are apart. */
export const withShorterPause = (policy: RotationPolicy, facts: Facts): Facts => ({
  ...facts,
  lastFailure: O.map((last: LastFailure) =>
    last.failure.retry === 'later' ? { ...last, delay: Math.min(last.delay, policy.submitInterval) } : last,
  )(facts.lastFailure),
})

/** The facts with a failure: how long to wait, and what it says about the certificate held, where that was used. */
export const withFailure = (
  policy: RotationPolicy,
  facts: Facts,
  failure: Failure,
  credential: O.Option<CredentialName>,
  at: Instant,
): Facts => {
  const known = O.isSome(credential) && credential.value === 'held' ? suspected(facts, failure, at) : facts
  return {
    ...known,
    lastFailure: O.some({ at, credential, ...delayAfter(policy, known, failure, at) }),
  }
}

/** What a failure with the certificate held says about it. */
const suspected = (facts: Facts, { _tag }: Failure, at: Instant): Facts => {
  if (_tag === 'CredentialRejected') return withRejection(facts, at)
  return _tag === 'ServerUntrusted' ? withServerUntrusted(facts, at) : facts
}

/** The delay before attempt `attempt + 1`: doubling, and spread over its upper half by seed and attempt. */
export const retryDelay = (backoff: Backoff, attempt: number, seed: string): Milliseconds => {
  const full = Math.min(backoff.maximum, backoff.initial * 2 ** (attempt - 1))
  return Math.round(full * (0.5 + hashed(`${seed}/${attempt}`) / 2))
}

/** FNV-1a with a final mix, as a number from 0 up to 1: spreads retries, keeps no secret. */
const hashed = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/**
 * The delay grows with each failure of a row, and is longer if the server says so. Those of a row are of one kind: a
 * refusal does not pay for an outage before it, and a bootstrap credential that is missing does not end a row of refusals.
 */
const delayAfter = (
  policy: RotationPolicy,
  facts: Facts,
  given: Failure,
  at: Instant,
): Pick<LastFailure, 'delay' | 'attempt' | 'refusals' | 'failure'> => {
  const last = O.filter(isFollowedBy(policy, at))(facts.lastFailure)
  const failure: Failure = isOfStartUp(last, given) ? { ...given, retry: 'soon' } : given
  const { attempt, refusals } = rowOf(policy, facts, failure, at)
  const backoff = failure.retry === 'soon' ? policy.retrySoon : policy.retryLater
  const askedFor = pipe(
    failure.retryAfter,
    // Also what a header in no known form may have been read as.
    O.filter((milliseconds) => !Number.isNaN(milliseconds)),
    O.getOrElse(() => 0),
  )
  const longest =
    failure.retry === 'soon' ? policy.longestDelay : longestDelay(policy, facts, failure.retry, at)
  const seed = seedOf(facts)
  const delay = Math.max(
    retryDelay({ ...backoff, maximum: Math.min(backoff.maximum, longest) }, attempt, seed),
    // A fleet that is turned away at one moment does not come back at one moment. No answer makes us wait for hours.
    Math.min(Math.round(askedFor * (1 + hashed(`${seed}/${attempt}`) / 2)), policy.longestDelay),
  )
  return { delay, attempt, refusals, failure }
}

/** Which of its row a failure is, and how many refusals there have been in a row then. */
const rowOf = (
  policy: RotationPolicy,
  { lastFailure, submittedAt }: Facts,
  { retry }: Failure,
  at: Instant,
): Pick<LastFailure, 'attempt' | 'refusals'> => {
  const last = O.toUndefined(lastFailure)
  const follows = last !== undefined && isFollowedBy(policy, at)(last)
  // Whoever takes his time to say no says it to the same row: what counts is when he was asked.
  const isAsked =
    last !== undefined && O.isSome(submittedAt) && submittedAt.value > last.at && submittedAt.value <= at
  const before = follows || isAsked ? last.refusals : 0
  if (retry === 'later') return { attempt: before + 1, refusals: before + 1 }
  return { attempt: follows && last.failure.retry === 'soon' ? last.attempt + 1 : 1, refusals: before }
}

const seedOf = (facts: Facts): string =>
  pipe(
    nextKeyOf(facts),
    O.alt(() => O.map(({ commonName }: CertificateTemplate) => commonName)(facts.wanted)),
    O.getOrElse(() => ''),
  )

/** Whether an attempt then comes soon enough after a failure, and its pause, to be of the same row. */
const isFollowedBy =
  (policy: RotationPolicy, at: Instant) =>
  (last: LastFailure): boolean =>
    at >= last.at && at <= after(last.at, last.delay + policy.longestDelay)

/**
 * An API server that has just started answers before it has read the cluster's tokens and roles: for a second or two it
 * rejects everybody (401 to a good bootstrap token seen with 1.20). So a rejection right after an outage may pass by
 * itself.
 */
export const isOfStartUp = (last: O.Option<LastFailure>, { _tag }: Failure): boolean =>
  (_tag === 'CredentialRejected' || _tag === 'Forbidden') &&
  O.isSome(last) &&
  last.value.failure.retry === 'soon' &&
  (last.value.failure._tag === 'Unreachable' || last.value.failure._tag === 'Unavailable')
