import * as O from 'fp-ts/lib/Option.js'
import type { Notice } from '../driver/rotation.js'
import { pauseOf, rotationDeadline } from '../machine/schedule.js'
import { heldOf, knowledgeOf, type State } from '../machine/state.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../model/time.js'
import { explain } from './explain.js'

/** One of the five states. */
export type StateName = State['_tag']

/** Something that happened to the certificate, for logs and for people. */
export interface Transition {
  readonly at: Date
  /** `warn`: something did not work, or was refused. */
  readonly level: 'info' | 'warn'
  /** Often the same as `to`: a failed attempt is worth telling and changes no state. */
  readonly from: StateName
  readonly to: StateName
  /** A word to search for: an event (`Submitted`, `Installed`) or the `_tag` of a failure (`Denied`, `Unreachable`). */
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

type Step = Extract<Notice, { readonly _tag: 'Step' }>
type Words = Pick<Transition, 'level' | 'reason' | 'message'>

/** What a step is to people; nothing for one that changes nothing. */
export const transitionOf = (policy: RotationPolicy, step: Step): Transition | undefined => {
  const { event, from, to } = step
  const words = troubleIn(policy, step) ?? newsIn(policy, step)
  return words === undefined
    ? undefined
    : { at: new Date(event.at), from: from._tag, to: to._tag, ...words, ...subjects(policy, step) }
}

const info = (reason: string, message: string): Words => ({ level: 'info', reason, message })

const aboutTheCredential: ReadonlyArray<string> = ['CredentialRejected', 'Forbidden']

/** A failure that this step brought, and when it is tried again. */
const troubleIn = (policy: RotationPolicy, { event, from, to }: Step): Words | undefined => {
  if (O.isNone(to.setback) || to.setback === from.setback) return undefined
  const { failure, credential } = to.setback.value
  const whose =
    O.isSome(credential) && aboutTheCredential.includes(failure._tag)
      ? ` (with the ${credential.value} credential)`
      : ''
  const pause = O.toUndefined(pauseOf(policy, knowledgeOf(to), event.at))
  const next = pause === undefined ? 'now' : `in ${inWords(pause - event.at)}`
  return {
    level: 'warn',
    reason: failure._tag,
    message: `${failure.message}${whose}; ${failure.remedy}; the next attempt is ${next}`,
  }
}

const newsIn = (policy: RotationPolicy, { event, from, to }: Step): Words | undefined => {
  switch (event._tag) {
    case 'Loaded':
      return info('Loaded', found(to, event.at))
    case 'Submitted':
      return info('Submitted', `request sent with the ${event.credential} credential, waiting for approval`)
    case 'Observed':
      return from._tag === to._tag
        ? undefined
        : info(to._tag, to._tag === 'Approved' ? 'approved, to be signed' : 'issued, to be stored')
    case 'Installed':
      // By our clock one may come early, or have ended while it was stored.
      return info(
        'Installed',
        to._tag === 'Bootstrapping'
          ? `stored. ${explain(policy, to, event.at)}`
          : `stored and in use${renewal(policy, to)}`,
      )
    case 'TimePassed':
    case 'ProbeFailed':
      if (from._tag === to._tag) return undefined
      return info(
        event._tag,
        to._tag === 'RenewDue' ? 'the rotation time has come' : explain(policy, to, event.at),
      )
    case 'TemplateChanged':
      return info('TemplateChanged', 'another certificate is wanted')
    case 'RotationAsked':
      return info('RotationAsked', `a rotation is due: ${event.why}`)
    case 'CredentialRejected':
      return from._tag === to._tag
        ? undefined
        : {
            level: 'warn',
            reason: event._tag,
            message: `a server refuses the certificate in use${event.why === undefined ? '' : ` (${event.why})`}`,
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

const found = (state: State, now: Instant): string => {
  const held = heldOf(state)
  const request = 'draft' in state && O.isSome(state.draft) ? `, and request ${state.draft.value.name}` : ''
  if (O.isNone(held)) return `the store has no certificate${request}`
  const { notAfter } = held.value.certificate
  const ended = notAfter > now ? '' : ` that ended at ${rfc3339(notAfter)}`
  return `the store has a certificate${ended}${request}`
}

const renewal = (policy: RotationPolicy, state: State): string => {
  const at = rotateAt(policy, state)
  return at === undefined ? '' : `, to be renewed at ${rfc3339(at)}`
}

/** When the certificate in use is renewed, as a whole second; up to one later it happens. */
export const rotateAt = (policy: RotationPolicy, state: State): Instant | undefined => {
  const held = heldOf(state)
  return O.isSome(held) && policy.rotate
    ? wholeSecond(rotationDeadline(policy, held.value.certificate, held.value.receivedAt))
    : undefined
}

/** The request and the certificate that a step is about. */
const subjects = (
  policy: RotationPolicy,
  { from, to }: Step,
): Pick<Transition, 'csr' | 'serialNumber' | 'notAfter' | 'rotateAt'> => {
  const request = 'request' in to ? to.request : 'request' in from ? from.request : undefined
  const held = heldOf(to)
  const certificate =
    'delivered' in to ? to.delivered.certificate : O.isSome(held) ? held.value.certificate : undefined
  const renewed = 'delivered' in to ? undefined : rotateAt(policy, to)
  return {
    ...(request === undefined ? {} : { csr: request.name }),
    ...(certificate === undefined
      ? {}
      : { serialNumber: certificate.serialNumber, notAfter: new Date(certificate.notAfter) }),
    ...(renewed === undefined ? {} : { rotateAt: new Date(renewed) }),
  }
}
