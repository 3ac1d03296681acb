/**
 * What does not work, and since when: each kind of failure once, counted until its opposite is seen. Logs are thinned out
 * by it, and `explain` says by it since when the API has not answered.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Failure, FailureTag } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { credentialFor } from './credential.js'
import type { Event } from './event.js'
import type { CredentialName, Facts, OngoingFailure } from './facts.js'

/** A failure, and whose credential was used where one was. */
export interface Attempt {
  readonly failure: Failure
  readonly credential: O.Option<CredentialName>
}

/** The failure that an event brought; `after`: what is known then. */
export const failureOf = (before: Facts, event: Event, after: Facts): Attempt | undefined => {
  if (after === before) return undefined
  // One that says nothing about the certificate makes nobody wait, and is no `lastFailure`.
  if (event._tag === 'ProbeFailed') return { failure: event.failure, credential: O.some('held') }
  const isOutcome = event._tag === 'Observed' || 'failure' in event
  return isOutcome && O.isSome(after.lastFailure) && after.lastFailure !== before.lastFailure
    ? after.lastFailure.value
    : undefined
}

/** What ends a failure of this kind. */
const endedBy: Readonly<
  Record<
    FailureTag,
    'any answer' | 'an answer to it' | 'acceptance' | 'its submission' | 'submission' | 'installation'
  >
> = {
  Unreachable: 'any answer',
  Unavailable: 'any answer',
  Unintelligible: 'any answer',
  // The bootstrap kubeconfig may name another server, or another CA.
  ServerUntrusted: 'an answer to it',
  NoCredential: 'an answer to it',
  CredentialRejected: 'acceptance',
  // A probe that is accepted does not say that a request would be.
  Forbidden: 'its submission',
  Invalid: 'submission',
  NotServed: 'submission',
  NameTaken: 'submission',
  StoreUnreadable: 'submission',
  StoreUnwritable: 'submission',
  StoreLocked: 'submission',
  Malformed: 'submission',
  KeyUnavailable: 'submission',
  TrustUnusable: 'submission',
  Denied: 'installation',
  SignerFailed: 'installation',
  Gone: 'installation',
  Defective: 'installation',
}

/** Failures that an answer of the API is. */
const areAnswers: ReadonlyArray<FailureTag> = [
  'CredentialRejected',
  'Forbidden',
  'Invalid',
  'NotServed',
  'NameTaken',
]

/** With whose credential the API was asked that answered; none: it did not, or was not asked. */
export const answered = (policy: RotationPolicy, before: Facts, event: Event): CredentialName | undefined => {
  switch (event._tag) {
    case 'Submitted':
      return event.credential
    case 'Observed':
      return credentialFor(policy, before, event.at)
    case 'SubmitFailed':
    case 'ObserveFailed':
      return areAnswers.includes(event.failure._tag) ? event.credential : undefined
    case 'ProbeFailed':
      return areAnswers.includes(event.failure._tag) ? 'held' : undefined
    case 'CredentialAccepted':
    case 'CredentialRejected':
      return 'held'
    default:
      return undefined
  }
}

/** The facts with what does not work any more, and what works again; `known`: what else is known after the event. */
export const withOngoing = (policy: RotationPolicy, before: Facts, event: Event, known: Facts): Facts => {
  const failed = failureOf(before, event, known)
  if (failed === undefined && known.ongoing.length === 0) return known
  const by = answered(policy, before, event)
  const isAccepted = event._tag === 'Submitted' || event._tag === 'CredentialAccepted'
  const isOver = ({ failure: { _tag }, credential }: OngoingFailure): boolean => {
    const isOfIt = O.isSome(credential) && credential.value === by
    switch (endedBy[_tag]) {
      case 'any answer':
        return by !== undefined
      case 'an answer to it':
        return isOfIt
      case 'acceptance':
        return (isAccepted && isOfIt) || event._tag === 'Installed'
      case 'its submission':
        return (event._tag === 'Submitted' && isOfIt) || event._tag === 'Installed'
      case 'submission':
        return event._tag === 'Submitted' || event._tag === 'Installed'
      case 'installation':
        // Whoever asks again wants to hear what comes of it.
        return event._tag === 'Installed' || event._tag === 'RotationRequested'
    }
  }
  const goingOn = known.ongoing.filter(
    (one) => (failed !== undefined && isSameKind(one, failed)) || !isOver(one),
  )
  if (failed === undefined)
    return goingOn.length === known.ongoing.length ? known : { ...known, ongoing: goingOn }
  const row = goingOn.find((one) => isSameKind(one, failed))
  const { failure, credential } = failed
  const { at } = event
  const latest = {
    since: row === undefined ? at : row.since,
    last: at,
    times: (row?.times ?? 0) + 1,
    failure,
    credential,
  }
  return { ...known, ongoing: [...goingOn.filter((other) => other !== row), latest] }
}

const isSameKind = (one: Attempt, other: Attempt): boolean =>
  one.failure._tag === other.failure._tag && O.toUndefined(one.credential) === O.toUndefined(other.credential)

/** The ongoing failure that an attempt is one of. */
export const ongoingOf = ({ ongoing }: Facts, attempt: Attempt): OngoingFailure | undefined =>
  ongoing.find((one) => isSameKind(one, attempt))

/** Since when the API has not answered, how often it was asked in vain, and what came of it last. */
export const outageOf = ({
  ongoing,
}: Pick<Facts, 'ongoing'>): Pick<OngoingFailure, 'since' | 'times' | 'failure'> | undefined => {
  const silent = ongoing.filter(isSilence)
  const latest = silent.at(-1)
  if (latest === undefined) return undefined
  return {
    since: silent.reduce((first, { since }) => (since < first ? since : first), latest.since),
    times: silent.reduce((sum, { times }) => sum + times, 0),
    failure: latest.failure,
  }
}

/** Without a kubeconfig that can be read, the API is not asked at all with the certificate. */
const isSilence = ({ failure: { _tag }, credential }: OngoingFailure): boolean =>
  endedBy[_tag] === 'any answer' ||
  _tag === 'ServerUntrusted' ||
  (_tag === 'NoCredential' && O.isSome(credential) && credential.value === 'held')
