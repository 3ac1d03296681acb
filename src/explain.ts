import * as O from 'fp-ts/lib/Option.js'
import type { Action } from './action.js'
import { type Certificate, expired } from './certificate.js'
import { decide } from './machine.js'
import type { RotationPolicy } from './policy.js'
import { rotationDeadline } from './schedule.js'
import { type Cause, type Held, type IssuedDelivered, inUse, type State } from './state.js'
import { endOfTime, type Instant, inWords, rfc3339 } from './time.js'

/** A state in a few sentences for people: what it is, why, and what happens next and when. */
export const explain = (policy: RotationPolicy, state: State, now: Instant): string =>
  [situation(policy, state, now), trouble(state), outlook(policy, state, decide(policy)(state, now), now)]
    .filter((sentence) => sentence !== '')
    .join(' ')

const situation = (policy: RotationPolicy, state: State, now: Instant): string => {
  switch (state._tag) {
    case 'Bootstrapping':
      return withoutCertificate(state.held, now)
    case 'Pending':
      return `Request ${state.request.name} waits for approval (signer ${state.request.template.signerName}).${meanwhile(state.held, now)}`
    case 'Approved':
      return `Request ${state.request.name} is approved and waits to be signed by ${state.request.template.signerName}.${meanwhile(state.held, now)}`
    case 'Issued':
      return state.stage === 'delivered'
        ? arrived(policy, state, now)
        : `Certificate ${state.held.certificate.serialNumber} is in use until ${moment(state.held.certificate.notAfter, now)}${policy.rotate ? '' : '; rotation is switched off'}.`
    case 'RenewDue':
      return `Certificate ${state.held.certificate.serialNumber} works until ${moment(state.held.certificate.notAfter, now)} and is to be replaced: ${state.causes.map(inOneClause).join('; ')}.`
  }
}

const withoutCertificate = (held: O.Option<Held>, now: Instant): string => {
  if (O.isNone(held)) return 'There is no certificate yet.'
  const { certificate, rejectedAt } = held.value
  const { serialNumber, notBefore, notAfter } = certificate
  if (expired(certificate, now)) return `Certificate ${serialNumber} ended at ${moment(notAfter, now)}.`
  return O.isSome(rejectedAt)
    ? `The server refuses certificate ${serialNumber} since ${moment(rejectedAt.value, now)}.`
    : `Certificate ${serialNumber} is not valid before ${moment(notBefore, now)} by this machine's clock.`
}

const arrived = (policy: RotationPolicy, state: IssuedDelivered, now: Instant): string => {
  const { serialNumber, notBefore } = state.delivered.certificate
  const early =
    now < notBefore ? ` It is not valid before ${moment(notBefore, now)} by this machine's clock.` : ''
  const used = O.exists((certificate: Certificate) => certificate.serialNumber === serialNumber)(
    inUse(policy, state, now),
  )
  return `Certificate ${serialNumber} has arrived and is to be stored.${early}${used ? ' It is in use already.' : meanwhile(state.held, now)}`
}

const meanwhile = (held: O.Option<Held>, now: Instant): string =>
  O.isSome(held) && !expired(held.value.certificate, now)
    ? ` Certificate ${held.value.certificate.serialNumber} is in use until ${moment(held.value.certificate.notAfter, now)}.`
    : ''

const inOneClause = (cause: Cause): string => {
  switch (cause._tag) {
    case 'Deadline':
      return 'its rotation time has come'
    case 'Asked':
      return cause.why
    case 'Template':
      return cause.unmet.join(', ')
  }
}

/** The last failure, if there was one since the last success. A certificate that works is the end of all trouble. */
const trouble = (state: State): string => {
  const { setback } = state
  if (state._tag === 'Issued' && state.stage === 'installed') return ''
  return O.isSome(setback)
    ? `Trouble at ${rfc3339(setback.value.at)}: ${setback.value.failure.message}; ${setback.value.failure.remedy}.`
    : ''
}

const outlook = (policy: RotationPolicy, state: State, next: Action, now: Instant): string => {
  switch (next._tag) {
    case 'Submit':
      return `Next: ${O.isSome(next.draft) ? `sends request ${next.draft.value.name}` : 'sends a request'} with the ${next.credential} credential, now.`
    case 'Observe':
      return `It watches the request with the ${next.credential} credential.`
    case 'Install':
      return 'Next: stores it, now.'
    case 'Probe':
      return 'Next: asks the server whether it accepts the certificate, now.'
    case 'Wait':
      return state._tag === 'Issued' && state.stage === 'installed'
        ? renewal(policy, state.held)
        : next.until === endOfTime
          ? 'It waits to be told what certificate is wanted.'
          : `Next: looks again at ${moment(next.until, now)}.`
  }
}

const renewal = (policy: RotationPolicy, { certificate, receivedAt }: Held): string =>
  policy.rotate ? `It is renewed at ${rfc3339(rotationDeadline(policy, certificate, receivedAt))}.` : ''

/** An instant and how far away it is: `2026-11-23T17:20:02Z (in 5m)`. */
const moment = (at: Instant, now: Instant): string =>
  `${rfc3339(at)} (${at < now ? `${inWords(now - at)} ago` : `in ${inWords(at - now)}`})`
