import { eqStrict } from 'fp-ts/lib/Eq.js'
import * as O from 'fp-ts/lib/Option.js'
import { isOverdue, isUsable } from '../machine/due.js'
import type { Event } from '../machine/event.js'
import { type Facts, savedDraft } from '../machine/facts.js'
import { type Attempt, failureOf, ongoingOf, outageOf } from '../machine/ongoing.js'
import { isOfStartUp, pauseEnd } from '../machine/retry.js'
import type { RenewDue, State } from '../machine/state.js'
import { expired } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../model/time.js'
import { approvalByHand } from './approval.js'
import { attempts, explain, isAtRest } from './explain.js'
import { printCause } from './print.js'
import { apart, renewal, rotateAt, windowInWords } from './renewal.js'

/** One of the five states. */
export type StateName = State['_tag']

/** Something that happened to the certificate, for logs and for people. */
export interface Transition {
  readonly at: Date
  /**
   * `error`: a certificate expired, or none works and a person has to act, or the renewal fails when all of its time is
   * over (90 % of a life by default). `warn`: something did not work, and is tried again. `info`: the rest.
   */
  readonly level: 'info' | 'warn' | 'error'
  /** Often the same as `to`: a failed attempt is worth telling and changes no state. */
  readonly from: StateName
  readonly to: StateName
  /**
   * A word to search for: an event (`Submitted`, `Installed`), the `_tag` of a failure (`Denied`, `Unreachable`), the end
   * of an outage (`Reachable`), or what the time made of the certificate (`Expired`, `NotYetValid`, `RenewDue`, `Valid`).
   */
  readonly reason: string
  /** One sentence. */
  readonly message: string
  /** The name of the CertificateSigningRequest that it is about. */
  readonly csr?: string
  /** Of the certificate that it is about, lower-case hexadecimal. */
  readonly serialNumber?: string
  readonly notAfter?: Date
  /** When that certificate is to be renewed, once it is in use. */
  readonly rotateAt?: Date
}

/** A change of the facts by an event, or of the state by the time alone. */
export interface Step {
  /** When the state was last looked at. */
  readonly since: Instant
  readonly at: Instant
  /** Absent: nothing was learnt, but the state is another one by the clock. */
  readonly event?: Event
  readonly before: Facts
  readonly after: Facts
  /** The states before and after, at the time of the step. By the time alone: the state when it was last looked at. */
  readonly from: State
  readonly to: State
}

type Words = Pick<Transition, 'level' | 'reason' | 'message'>

/**
 * What a step is to people; nothing for one that changes nothing, and for most of those that repeat a failure: of a row of
 * one kind the 1st, 2nd, 4th, 8th and so on are told.
 */
export const transitionOf = (policy: RotationPolicy, step: Step): Transition | undefined => {
  const { at, event, from, to } = step
  const words =
    event === undefined ? byTheClock(policy, step) : withRecovery(step, wordsOf(policy, step, event))
  return words === undefined
    ? undefined
    : { at: new Date(at), from: from._tag, to: to._tag, ...words, ...subjects(policy, step) }
}

const info = (reason: string, message: string): Words => ({ level: 'info', reason, message })

/** The certificate came due, became valid or expired because time passed, or the clock was set. */
const byTheClock = (policy: RotationPolicy, { since, at, after, from, to }: Step): Words | undefined => {
  const certificate = O.toUndefined(after.held)?.certificate
  // Also beside a request that is under way, which is the state then.
  if (certificate !== undefined && !expired(certificate, since) && expired(certificate, at))
    return { level: 'error', reason: 'Expired', message: explain(policy, after, at) }
  if (from._tag === to._tag) return undefined
  switch (to._tag) {
    case 'RenewDue':
      return info('RenewDue', dueWords(to))
    case 'Bootstrapping':
      return { level: 'warn', reason: to.why, message: explain(policy, after, at) }
    default:
      return info('Valid', explain(policy, after, at))
  }
}

const dueWords = ({ causes }: RenewDue): string => {
  const window = causes.find(({ _tag }) => _tag === 'Window')
  return window === undefined ? 'the rotation deadline has passed' : `a renewal is due: ${printCause(window)}`
}

const wordsOf = (policy: RotationPolicy, step: Step, event: Event): Words | undefined => {
  const attempt = failureOf(step.before, event, step.after)
  return attempt === undefined ? newsIn(policy, step, event) : failureIn(policy, step, attempt)
}

const aboutTheCredential: ReadonlyArray<string> = ['CredentialRejected', 'Forbidden', 'ServerUntrusted']

/** A failure, how often it has happened, and when it is tried again; nothing for most of those that repeat one. */
const failureIn = (policy: RotationPolicy, step: Step, attempt: Attempt): Words | undefined => {
  const { at, before, after } = step
  const { failure, credential } = attempt
  const earlier = ongoingOf(before, attempt)
  const times = (earlier?.times ?? 0) + 1
  const grows =
    earlier !== undefined && isOverdue(policy, after, at) && !isOverdue(policy, before, earlier.last)
  if (!isTold(times) && !grows) return undefined
  const whose =
    O.isSome(credential) && aboutTheCredential.includes(failure._tag)
      ? ` (with the ${credential.value} credential)`
      : ''
  const row = earlier === undefined ? '' : `, ${times} times since ${rfc3339(wholeSecond(earlier.since))}`
  return {
    level: isUrgent(policy, before, after, attempt, at) ? 'error' : 'warn',
    reason: failure._tag,
    message: `${failure.message}${whose}${row}; ${failure.remedy}; ${nextAttempt(policy, step)}`,
  }
}

/** Of a row of failures the 1st, 2nd, 4th, 8th and so on. */
const isTold = (times: number): boolean => Number.isInteger(Math.log2(times))

const nextAttempt = (policy: RotationPolicy, { at, after, to }: Step): string => {
  // While nothing is due, only the probes go on.
  if (isAtRest(to)) return `the server is asked again in ${inWords(policy.probeInterval)}`
  const pause = pauseEnd(policy, after, at)
  return `the next attempt is ${pause === undefined ? 'now' : `in ${inWords(pause - at)}`}`
}

/** Whether nothing works and a person has to act, or the certificate in use is about to end. */
const isUrgent = (
  policy: RotationPolicy,
  before: Facts,
  after: Facts,
  { failure, credential }: Attempt,
  at: Instant,
): boolean => {
  if (O.isSome(after.held) && isUsable(policy, after.held.value, at)) return isOverdue(policy, after, at)
  // While the server is only starting, a rejection may pass; and the bootstrap credential is next after the held one.
  const mayPass = isOfStartUp(before.lastFailure, failure) || O.elem(eqStrict)('held', credential)
  return failure.retry === 'later' || (aboutACredential.includes(failure._tag) && !mayPass)
}

const aboutACredential: ReadonlyArray<string> = [...aboutTheCredential, 'NoCredential']

/** The API answers again. */
const withRecovery = ({ at, before, after }: Step, words: Words | undefined): Words | undefined => {
  const outage = outageOf(before)
  if (outage === undefined || outageOf(after) !== undefined) return words
  const recovery = `the API answers again, after ${inWords(at - outage.since)} without (${attempts(outage.times)})`
  return words === undefined
    ? info('Reachable', recovery)
    : { ...words, message: `${words.message}; ${recovery}` }
}

/** A request that is over as often as this one's predecessors is not told of before, either. */
const repeats = (before: Facts): boolean =>
  before.ongoing.some(
    ({ failure, times }) =>
      ['Denied', 'SignerFailed', 'Defective', 'Gone'].includes(failure._tag) && !isTold(times + 1),
  )

const newsIn = (policy: RotationPolicy, step: Step, event: Event): Words | undefined => {
  const { at, before, after, from, to } = step
  switch (event._tag) {
    case 'Loaded':
      return info('Loaded', found(after, at))
    case 'Submitted':
      return repeats(before)
        ? undefined
        : info(
            'Submitted',
            `request sent with the ${event.credential} credential, waiting for approval${approvalByHand(event.request)}`,
          )
    case 'Observed':
      return from._tag === to._tag || (to._tag === 'Approved' && repeats(before))
        ? undefined
        : info(to._tag, to._tag === 'Approved' ? 'approved, to be signed' : 'issued, to be stored')
    case 'Installed':
      // By our clock one may come early, or have expired while it was stored.
      return info(
        'Installed',
        to._tag === 'Bootstrapping'
          ? `stored. ${explain(policy, after, at)}`
          : `stored and in use${renewal(policy, after, at)}`,
      )
    case 'TemplateChanged':
      return info('TemplateChanged', 'another certificate is wanted')
    case 'RotationRequested':
      return info('RotationRequested', `a rotation is due: ${event.why}${apart(policy, after, at)}`)
    case 'WindowSuggested':
      if (after === before) return undefined
      return info(
        'WindowSuggested',
        O.isNone(after.window)
          ? `no renewal window is suggested any more${renewal(policy, after, at)}`
          : `a renewal window ${windowInWords(policy, after, after.window.value, at)}`,
      )
    case 'CredentialRejected':
      return from._tag === to._tag
        ? undefined
        : {
            level: 'warn',
            reason: event._tag,
            message: `a server rejects the certificate in use${event.why === undefined ? '' : ` (${event.why})`}`,
          }
    case 'CredentialAccepted':
      return from._tag === to._tag
        ? undefined
        : info(event._tag, 'the server accepts the certificate after all')
    case 'SubmitFailed':
    case 'ObserveFailed':
    case 'InstallFailed':
    case 'ProbeFailed':
      return undefined
  }
}

const found = (facts: Facts, now: Instant): string => {
  const draft = savedDraft(facts)
  const request = O.isSome(draft) ? `, and request ${draft.value.name}` : ''
  if (O.isNone(facts.held)) return `the store has no certificate${request}`
  const { notAfter } = facts.held.value.certificate
  const expired = notAfter > now ? '' : ` that expired at ${rfc3339(notAfter)}`
  return `the store has a certificate${expired}${request}`
}

/** The request and the certificate that a step is about. */
const subjects = (
  policy: RotationPolicy,
  { at, from, to, after }: Step,
): Pick<Transition, 'csr' | 'serialNumber' | 'notAfter' | 'rotateAt'> => {
  const request = 'request' in to ? to.request : 'request' in from ? from.request : undefined
  const certificate = 'delivered' in to ? to.delivered.certificate : O.toUndefined(after.held)?.certificate
  const renewed = 'delivered' in to ? undefined : rotateAt(policy, after, at)
  return {
    ...(request === undefined ? {} : { csr: request.name }),
    ...(certificate === undefined
      ? {}
      : { serialNumber: certificate.serialNumber, notAfter: new Date(certificate.notAfter) }),
    ...(renewed === undefined ? {} : { rotateAt: new Date(renewed) }),
  }
}
