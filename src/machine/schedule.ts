import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Certificate, KeyId } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { Backoff, RotationPolicy } from '../model/policy.js'
import { after, type Instant, instant, type Milliseconds, second, wholeSecond } from '../model/time.js'
import { type Held, type Setback, works } from './state.js'

/**
 * When a certificate is to be renewed: 70 to 90 % of its life after its start (by default). Where in that range
 * follows from its key, so a restart changes nothing and a fleet is spread evenly. Its life is counted from receipt
 * when that is later than `notBefore`, because Kubernetes signers backdate by five minutes; a receipt that cannot be
 * right (the clock stood past the end) does not count.
 */
export const rotationDeadline = (
  policy: RotationPolicy,
  certificate: Certificate,
  receivedAt: Instant,
): Instant => {
  const received = wholeSecond(receivedAt)
  const start =
    received < certificate.notAfter ? Math.max(certificate.notBefore, received) : certificate.notBefore
  const part = policy.renewFrom + (policy.renewTo - policy.renewFrom) * shareOf(certificate.keyId)
  return instant(start + (certificate.notAfter - start) * part)
}

/** A number from 0 up to 1, evenly spread over keys: a key id is a hash already, its first 32 bits will do. */
const shareOf = (keyId: KeyId): number => {
  const bits = Number.parseInt(keyId.slice(0, 8), 16)
  return Number.isNaN(bits) ? 0 : bits / 2 ** 32
}

/** The end of a delay, while it lasts. A clock that was set to before its start means that it is over. */
export const stillWaiting = (since: Instant, delay: Milliseconds, now: Instant): O.Option<Instant> =>
  now >= since && now < after(since, delay) ? O.some(after(since, delay)) : O.none

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

/** The longest that anything may make us wait: a tenth of the life that a working certificate has left, within limits. */
export const longestDelay = (policy: RotationPolicy, held: O.Option<Held>, now: Instant): Milliseconds =>
  pipe(
    held,
    O.filter((h) => works(policy, h, now)),
    O.match(
      () => policy.longestDelay,
      (h) => Math.min(policy.longestDelay, Math.max(second, (h.certificate.notAfter - now) / 10)),
    ),
  )

/**
 * The end of the pause after a failure, while it lasts. What is allowed is measured now: a certificate that was refused
 * or early when the failure happened, and works again, may have less time left than the delay.
 */
export const pauseOf = (
  policy: RotationPolicy,
  { held, setback }: { readonly held: O.Option<Held>; readonly setback: O.Option<Setback> },
  now: Instant,
): O.Option<Instant> =>
  O.chain(({ at, delay }: Setback) =>
    stillWaiting(at, Math.min(delay, longestDelay(policy, held, now)), now),
  )(setback)

/**
 * What is known after a failure: the delay is longer after each of a row, and longer if the server says so. A refusal
 * does not pay for an outage before it: those of a row are of one kind.
 */
export const setbackAfter = (
  policy: RotationPolicy,
  known: { readonly setback: O.Option<Setback>; readonly seed: string },
  given: Failure,
  credential: Setback['credential'],
  at: Instant,
): Setback => {
  const last = O.filter((setback: Setback) => follows(policy, setback, at))(known.setback)
  const failure = isOfWaking(last, given) ? { ...given, retry: 'soon' as const } : given
  const attempt = pipe(
    last,
    O.filter((before) => before.failure.retry === failure.retry),
    O.match(
      () => 1,
      (before) => before.attempt + 1,
    ),
  )
  const backoff = failure.retry === 'soon' ? policy.retrySoon : policy.retryLater
  const asked = pipe(
    failure.retryAfter,
    // Also what a header in no known form may have been read as.
    O.filter((milliseconds) => !Number.isNaN(milliseconds)),
    O.getOrElse(() => 0),
  )
  const delay = Math.min(Math.max(retryDelay(backoff, attempt, known.seed), asked), policy.longestDelay)
  return { at, delay, attempt, failure, credential }
}

const follows = (policy: RotationPolicy, last: Setback, at: Instant): boolean =>
  at >= last.at && at <= after(last.at, last.delay + policy.longestDelay)

/**
 * An API server that has just started answers before it has read the cluster's tokens and roles: for a second or two it
 * refuses everybody (401 to a good bootstrap token seen with 1.20). So a refusal right after an outage may pass by itself.
 */
const isOfWaking = (last: O.Option<Setback>, { _tag }: Failure): boolean =>
  (_tag === 'CredentialRejected' || _tag === 'Forbidden') &&
  O.exists(
    ({ failure }: Setback) =>
      failure.retry === 'soon' && (failure._tag === 'Unreachable' || failure._tag === 'Unavailable'),
  )(last)
