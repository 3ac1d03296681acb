/** Whose credential is next, and what is known of the one held. */
import * as O from 'fp-ts/lib/Option.js'
import { type Certificate, expired } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, wholeSecond } from '../model/time.js'
import { isUsable } from './due.js'
import {
  type CredentialName,
  type Facts,
  type Held,
  isDoubted,
  isRejected,
  type LastFailure,
} from './facts.js'

/**
 * Whose credential is next.
 *
 * - `external`, where the policy says so.
 * - Bootstrap, where there is no certificate that has not expired.
 * - While the held certificate is rejected: bootstrap, and the held one after each attempt with bootstrap that failed, but
 *   for one that got no answer (that says nothing about the credential).
 * - While the server of the held one cannot be verified: the same, whatever the failure. The bootstrap kubeconfig may name
 *   another server, or another CA for it.
 * - Otherwise the held one, and bootstrap after an attempt with it that was forbidden, or that its kubeconfig made
 *   impossible.
 */
export const credentialFor = (policy: RotationPolicy, facts: Facts, now: Instant): CredentialName => {
  if (policy.authenticateWith === 'external') return 'external'
  if (O.isNone(facts.held) || expired(facts.held.value.certificate, now)) return 'bootstrap'
  const failed = O.toUndefined(facts.lastFailure)
  const used = failed === undefined ? undefined : O.toUndefined(failed.credential)
  if (isDoubted(facts))
    return failed !== undefined &&
      used === 'bootstrap' &&
      (isConclusive(failed.failure) || !isRejected(facts))
      ? 'held'
      : 'bootstrap'
  return failed !== undefined && used === 'held' && isAboutTheCredential(failed.failure)
    ? 'bootstrap'
    : 'held'
}

const isConclusive = ({ _tag }: Failure): boolean => _tag !== 'Unreachable' && _tag !== 'Unavailable'

const isAboutTheCredential = ({ _tag }: Failure): boolean =>
  _tag === 'NoCredential' || _tag === 'Forbidden' || _tag === 'ServerUntrusted'

/** What is known after the server accepted the certificate held. */
export const withAcceptance = (facts: Facts, at: Instant): Facts => ({
  ...facts,
  held: O.map((held: Held) => ({ ...held, rejectedAt: O.none, serverUntrustedAt: O.none }))(facts.held),
  checkedAt: O.some(at),
  // What was held against a credential is settled. The pause stays: servers that disagree must not make us ask in a loop.
  lastFailure: isDoubted(facts)
    ? O.map((last: LastFailure) => ({ ...last, credential: O.none }))(facts.lastFailure)
    : facts.lastFailure,
})

/** What is known after the server rejected the certificate held; the time of the first rejection is kept. */
export const withRejection = (facts: Facts, at: Instant): Facts => ({
  ...facts,
  held: O.map((held: Held) => ({ ...held, rejectedAt: O.alt(() => O.some(at))(held.rejectedAt) }))(
    facts.held,
  ),
  checkedAt: O.some(at),
})

/**
 * What is known after the server could not be verified; the first time is kept. A certificate that has come since, by the
 * bootstrap kubeconfig, did not help: then only the kubeconfig can, and it is not asked for another one.
 */
export const withServerUntrusted = (facts: Facts, at: Instant): Facts => ({
  ...facts,
  held: O.map((held: Held) =>
    isUnhelpful(facts, held)
      ? held
      : { ...held, serverUntrustedAt: O.alt(() => O.some(at))(held.serverUntrustedAt) },
  )(facts.held),
  checkedAt: O.some(at),
})

const isUnhelpful = ({ ongoing }: Facts, { receivedAt }: Held): boolean =>
  ongoing.some(
    ({ failure, credential, since }) =>
      failure._tag === 'ServerUntrusted' &&
      O.isSome(credential) &&
      credential.value === 'held' &&
      wholeSecond(since) <= receivedAt,
  )

/**
 * The certificate to present now: the held one until it expires (also while not yet valid by our clock, or rejected: the
 * server may see it otherwise), and one that was delivered and cannot be stored while the held one does not work.
 */
export const inUse = (
  policy: RotationPolicy,
  { held, next }: Pick<Facts, 'held' | 'next'>,
  now: Instant,
): O.Option<Certificate> => {
  if (O.isSome(held) && isUsable(policy, held.value, now)) return O.some(held.value.certificate)
  if (O.isSome(next) && next.value._tag === 'Delivered') {
    const { certificate } = next.value.delivered
    if (!expired(certificate, now)) return O.some(certificate)
  }
  return O.isSome(held) && !expired(held.value.certificate, now) ? O.some(held.value.certificate) : O.none
}
