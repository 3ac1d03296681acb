import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import { decide, evolve } from '../machine/machine.js'
import { rotationDeadline } from '../machine/schedule.js'
import { type Cause, type CredentialName, type Held, heldOf, type State, works } from '../machine/state.js'
import { expired } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, type Milliseconds, rfc3339, wholeSecond } from '../model/time.js'

/** A state in a few sentences for people: what it is, why, and what happens next and when. */
export const explain = (policy: RotationPolicy, known: State, now: Instant): string => {
  const state = evolve(policy)(known, { _tag: 'TimePassed', at: now })
  const next = decide(policy)(state, now)
  return [situation(policy, state, now), trouble(state, now), outlook(policy, state, next, now)]
    .filter((sentence) => sentence !== '')
    .join(' ')
}

const situation = (policy: RotationPolicy, state: State, now: Instant): string => {
  const certificate = standingOf(policy, heldOf(state), now)
  switch (state._tag) {
    case 'Bootstrapping':
      return certificate
    case 'Pending':
      return `Request ${state.request.name} waits for approval (signer ${state.request.template.signerName}). ${certificate}`
    case 'Approved':
      return `Request ${state.request.name} is approved and waits to be signed by ${state.request.template.signerName}. ${certificate}`
    case 'Issued':
      if (state.stage === 'installed')
        return policy.rotate ? certificate : `${certificate} Rotation is switched off.`
      return O.isSome(state.held) && works(policy, state.held.value, now)
        ? `Certificate ${state.delivered.certificate.serialNumber} has arrived and is to be stored. ${certificate}`
        : `Certificate ${state.delivered.certificate.serialNumber} has arrived, is used from memory and is to be stored.`
    case 'RenewDue':
      return `${certificate} It is to be replaced: ${state.causes.map(inOneClause).join('; ')}.`
  }
}

const standingOf = (policy: RotationPolicy, held: O.Option<Held>, now: Instant): string => {
  if (O.isNone(held)) return 'There is no certificate yet.'
  const { certificate, rejectedAt } = held.value
  const { serialNumber, notBefore, notAfter } = certificate
  if (works(policy, held.value, now))
    return `Certificate ${serialNumber} is in use until ${moment(notAfter, now)}.`
  if (expired(certificate, now)) return `Certificate ${serialNumber} ended at ${moment(notAfter, now)}.`
  return O.isSome(rejectedAt) && policy.authenticateWith === 'held'
    ? `The server refuses certificate ${serialNumber} since ${moment(rejectedAt.value, now)}.`
    : `Certificate ${serialNumber} is not valid before ${moment(notBefore, now)} by this machine's clock; it is offered all the same.`
}

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

/** The last failure, while there is something left to do. */
const trouble = (state: State, now: Instant): string => {
  if (O.isNone(state.setback) || (state._tag === 'Issued' && state.stage === 'installed')) return ''
  const { at, attempt, failure } = state.setback.value
  const often = attempt > 1 ? `, ${attempt} times in a row` : ''
  return `Last trouble, at ${moment(at, now)}${often}: ${failure.message}. What helps: ${failure.remedy}.`
}

const outlook = (policy: RotationPolicy, state: State, next: Action, now: Instant): string => {
  switch (next._tag) {
    case 'Submit':
      return `Next: sends ${O.isSome(next.draft) ? `request ${next.draft.value.name}` : 'a request'} with the ${credential[next.credential]}, now.`
    case 'Observe':
      return `The request is watched with the ${credential[next.credential]}.`
    case 'Install':
      return 'Next: stores it, now.'
    case 'Probe':
      return 'Next: asks the server whether it accepts the certificate, now.'
    case 'Wait':
      return patience(policy, state, next.until, now)
  }
}

const credential: Readonly<Record<CredentialName, string>> = {
  held: 'held certificate',
  bootstrap: 'bootstrap credential',
  external: 'external credential',
}

const patience = (policy: RotationPolicy, state: State, until: Instant, now: Instant): string => {
  if (state._tag === 'Issued' && state.stage === 'installed') {
    const { certificate, receivedAt } = state.held
    return policy.rotate
      ? `It is renewed at ${moment(rotationDeadline(policy, certificate, receivedAt), now)}.`
      : ''
  }
  if (!('request' in state) && O.isNone(state.wanted))
    return 'It waits to be told what certificate is wanted.'
  if (state._tag === 'Issued' && O.isNone(state.setback))
    return `It is not valid before ${moment(state.delivered.certificate.notBefore, now)}, and stored then.`
  return `Next: looks again at ${moment(until, now)}.`
}

/** An instant and how far away it is: `2026-11-23T17:20:02Z (in 5m)`. */
const moment = (at: Instant, now: Instant): string => `${rfc3339(wholeSecond(at))} (${distance(at - now)})`

const distance = (ahead: Milliseconds): string => {
  if (ahead === 0) return 'now'
  return ahead < 0 ? `${inWords(-ahead)} ago` : `in ${inWords(ahead)}`
}
