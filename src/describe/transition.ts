import * as O from 'fp-ts/lib/Option.js'
import { rotationDeadline } from '../machine/due.js'
import type { Event } from '../machine/event.js'
import { type Facts, type LastFailure, savedDraft } from '../machine/facts.js'
import { pauseEnd } from '../machine/retry.js'
import type { State } from '../machine/state.js'
import { expired } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../model/time.js'
import { approvalByHand } from './approval.js'
import { explain } from './explain.js'

/** One of the five states. */
export type StateName = State['_tag']

/** Something that happened to the certificate, for logs and for people. */
export interface Transition {
  readonly at: Date
  /** `warn`: something did not work, and is tried again. `error`: no certificate works any more. */
  readonly level: 'info' | 'warn' | 'error'
  /** Often the same as `to`: a failed attempt is worth telling and changes no state. */
  readonly from: StateName
  readonly to: StateName
  /**
   * A word to search for: an event (`Submitted`, `Installed`), the `_tag` of a failure (`Denied`, `Unreachable`), or what
   * the time made of the certificate (`Expired`, `NotYetValid`, `RenewDue`, `Valid`).
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

/** What a step is to people; nothing for one that changes nothing. */
export const transitionOf = (policy: RotationPolicy, step: Step): Transition | undefined => {
  const { at, event, from, to } = step
  const words =
    event === undefined ? byTheClock(policy, step) : (failureIn(policy, step) ?? newsIn(policy, step, event))
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
      return info('RenewDue', 'the rotation deadline has passed')
    case 'Bootstrapping':
      return { level: 'warn', reason: to.why, message: explain(policy, after, at) }
    default:
      return info('Valid', explain(policy, after, at))
  }
}

const aboutTheCredential: ReadonlyArray<string> = ['CredentialRejected', 'Forbidden']

/** A failure that this step brought, and when it is tried again. */
const failureIn = (policy: RotationPolicy, { at, before, after }: Step): Words | undefined => {
  if (O.isNone(after.lastFailure) || isKnown(before, after.lastFailure.value)) return undefined
  const { failure, credential } = after.lastFailure.value
  const whose =
    O.isSome(credential) && aboutTheCredential.includes(failure._tag)
      ? ` (with the ${credential.value} credential)`
      : ''
  const pause = pauseEnd(policy, after, at)
  const next = pause === undefined ? 'now' : `in ${inWords(pause - at)}`
  return {
    level: 'warn',
    reason: failure._tag,
    message: `${failure.message}${whose}; ${failure.remedy}; the next attempt is ${next}`,
  }
}

/** What is known of whose credential failed may change later; that is no new failure. */
const isKnown = ({ lastFailure }: Facts, { at, attempt }: LastFailure): boolean =>
  O.isSome(lastFailure) && lastFailure.value.at === at && lastFailure.value.attempt === attempt

const newsIn = (policy: RotationPolicy, step: Step, event: Event): Words | undefined => {
  const { at, after, from, to } = step
  switch (event._tag) {
    case 'Loaded':
      return info('Loaded', found(after, at))
    case 'Submitted':
      return info(
        'Submitted',
        `request sent with the ${event.credential} credential, waiting for approval${approvalByHand(event.request)}`,
      )
    case 'Observed':
      return from._tag === to._tag
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
    case 'ProbeFailed':
      return from._tag === to._tag ? undefined : info(event._tag, explain(policy, after, at))
    case 'TemplateChanged':
      return info('TemplateChanged', 'another certificate is wanted')
    case 'RotationRequested':
      return info('RotationRequested', `a rotation is due: ${event.why}`)
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

const renewal = (policy: RotationPolicy, facts: Facts, now: Instant): string => {
  const due = rotateAt(policy, facts, now)
  return due === undefined ? '' : `, to be renewed at ${rfc3339(due)}`
}

/** When the certificate in use is renewed, as a whole second; up to one later it happens. */
export const rotateAt = (policy: RotationPolicy, { held }: Facts, now: Instant): Instant | undefined =>
  O.isSome(held) && policy.rotate ? wholeSecond(rotationDeadline(policy, held.value, now)) : undefined

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
