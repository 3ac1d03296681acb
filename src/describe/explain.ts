import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import { renewalOf } from '../machine/due.js'
import type { CredentialName, Facts } from '../machine/facts.js'
import { decide, stateOf } from '../machine/machine.js'
import { outageOf } from '../machine/ongoing.js'
import { submitEnd } from '../machine/retry.js'
import type { Bootstrapping, State } from '../machine/state.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, type Milliseconds, rfc3339, wholeSecond } from '../model/time.js'
import { approvalByHand } from './approval.js'
import { printCause, printWindow } from './print.js'
import { nextAttempt, windowInWords } from './renewal.js'

/**
 * The facts at a time in a few sentences for people: which state it is, why, and what happens next and when; `awaited` has
 * to be known before it can be said what is wanted: the addresses of a node, say.
 */
export const explain = (
  policy: RotationPolicy,
  facts: Facts,
  now: Instant,
  awaited: O.Option<string> = O.none,
): string => {
  const state = stateOf(policy)(facts, now)
  const next = decide(policy)(facts, now)
  return [
    situation(policy, state, facts, now),
    silenceOf(state, facts, now),
    failureOf(state, facts, now),
    ...(O.isSome(awaited) ? [`It waits for ${awaited.value}.`] : []),
    O.isSome(awaited) && isIdle(state, facts) ? '' : outlook(policy, state, facts, next, now),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ')
}

const situation = (policy: RotationPolicy, state: State, facts: Facts, now: Instant): string => {
  const certificate = certificateOf(policy, facts, now)
  switch (state._tag) {
    case 'Bootstrapping':
      return certificate
    case 'Pending':
      return `Request ${state.request.name} waits for approval (signer ${state.request.template.signerName})${approvalByHand(state.request)}. ${certificate}`
    case 'Approved':
      return `Request ${state.request.name} is approved and waits to be signed by ${state.request.template.signerName}. ${certificate}`
    case 'Issued':
      if (state.stage === 'installed')
        return policy.rotate ? certificate : `${certificate} Rotation is switched off.`
      return isInUse(withoutNext(policy, facts, now))
        ? `Certificate ${state.delivered.certificate.serialNumber} has arrived and is to be stored. ${certificate}`
        : `Certificate ${state.delivered.certificate.serialNumber} has arrived, is used from memory and is to be stored.`
    case 'RenewDue': {
      const causes = state.causes.map((cause) =>
        cause._tag === 'Deadline' ? 'its rotation deadline has passed' : printCause(cause),
      )
      return `${certificate} It is to be replaced: ${causes.join('; ')}.`
    }
  }
}

/** The state that the held certificate alone makes. */
const withoutNext = (policy: RotationPolicy, facts: Facts, now: Instant): State =>
  stateOf(policy)({ ...facts, next: O.none }, now)

const isInUse = ({ _tag }: State): boolean => _tag === 'Issued' || _tag === 'RenewDue'

const certificateOf = (policy: RotationPolicy, facts: Facts, now: Instant): string => {
  if (O.isNone(facts.held)) return 'There is no certificate yet.'
  const { certificate, rejectedAt, serverUntrustedAt } = facts.held.value
  const { serialNumber, notAfter } = certificate
  const state = withoutNext(policy, facts, now)
  if (state._tag !== 'Bootstrapping')
    return `Certificate ${serialNumber} is in use until ${moment(notAfter, now)}.`
  return flaw(state.why, certificate, rejectedAt, serverUntrustedAt, now)
}

const flaw = (
  why: Bootstrapping['why'],
  {
    serialNumber,
    notBefore,
    notAfter,
  }: { readonly serialNumber: string } & Record<'notBefore' | 'notAfter', Instant>,
  rejectedAt: O.Option<Instant>,
  serverUntrustedAt: O.Option<Instant>,
  now: Instant,
): string => {
  if (why === 'Expired') return `Certificate ${serialNumber} expired at ${moment(notAfter, now)}.`
  if (why === 'Rejected' && O.isSome(rejectedAt))
    return `The server rejects certificate ${serialNumber} since ${moment(rejectedAt.value, now)}.`
  if (why === 'ServerUntrusted' && O.isSome(serverUntrustedAt))
    return `Certificate ${serialNumber} cannot be used: the API server cannot be verified since ${moment(serverUntrustedAt.value, now)}.`
  return `Certificate ${serialNumber} is not valid before ${moment(notBefore, now)} by this machine's clock; it is offered all the same.`
}

/** Since when the API has not answered, and why, where the last failure does not say it. */
const silenceOf = (state: State, { ongoing, lastFailure }: Facts, now: Instant): string => {
  const outage = outageOf({ ongoing })
  if (outage === undefined) return ''
  const { since, times, failure } = outage
  const isShown = !isAtRest(state) && O.isSome(lastFailure) && lastFailure.value.failure._tag === failure._tag
  if (isShown && times === 1) return ''
  const sentence = `The API has not answered since ${moment(since, now)} (${attempts(times)})`
  return isShown ? `${sentence}.` : `${sentence}: ${failure.message}. What helps: ${failure.remedy}.`
}

/** `1 failed attempt`. */
export const attempts = (times: number): string => `${times} failed attempt${times === 1 ? '' : 's'}`

/** A certificate is in use, and nothing is due. */
export const isAtRest = (state: State): boolean => state._tag === 'Issued' && state.stage === 'installed'

/** The last failure, while there is something left to do. */
const failureOf = (state: State, { lastFailure }: Facts, now: Instant): string => {
  if (O.isNone(lastFailure) || isAtRest(state)) return ''
  const { at, attempt, failure } = lastFailure.value
  const often = attempt > 1 ? `, ${attempt} times in a row` : ''
  return `Last failure, at ${moment(at, now)}${often}: ${failure.message}. What helps: ${failure.remedy}.`
}

const outlook = (policy: RotationPolicy, state: State, facts: Facts, next: Action, now: Instant): string => {
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
      return waiting(policy, state, facts, next.until, now)
  }
}

const credential: Readonly<Record<CredentialName, string>> = {
  held: 'held certificate',
  bootstrap: 'bootstrap credential',
  external: 'external credential',
}

const waiting = (
  policy: RotationPolicy,
  state: State,
  facts: Facts,
  until: Instant,
  now: Instant,
): string => {
  const { lastFailure } = facts
  if (state._tag === 'Issued' && state.stage === 'installed') {
    if (!policy.rotate) return ''
    const { at, window } = renewalOf(policy, facts, state.held, now)
    if (O.isSome(window))
      return `It is renewed at ${moment(at, now)}, in the renewal window ${printWindow(window.value)}.`
    // One that has no bearing on it: whoever looks for it is to know why.
    const other = O.isSome(facts.window)
      ? ` There is a renewal window ${windowInWords(policy, facts, facts.window.value, now)}.`
      : ''
    return `It is renewed at ${moment(at, now)}.${other}`
  }
  if (isIdle(state, facts)) return 'It waits to be told what certificate is wanted.'
  if (state._tag === 'Issued' && O.isNone(lastFailure))
    return `It is not valid before ${moment(state.delivered.certificate.notBefore, now)}, and stored then.`
  if (submitEnd(policy, facts, now) === until)
    return `Next: sends a request at ${moment(until, now)}; requests are kept ${inWords(policy.submitInterval)} apart.`
  return `Next: looks again at ${moment(nextAttempt(policy, facts, until, now), now)}.`
}

/** There is nothing to ask for. */
const isIdle = (state: State, { wanted }: Facts): boolean =>
  !isAtRest(state) && !('request' in state) && O.isNone(wanted)

/** An instant and how far away it is: `2026-11-23T17:20:02Z (in 5m)`. */
const moment = (at: Instant, now: Instant): string => `${rfc3339(wholeSecond(at))} (${distance(at - now)})`

const distance = (ahead: Milliseconds): string => {
  if (ahead === 0) return 'now'
  return ahead < 0 ? `${inWords(-ahead)} ago` : `in ${inWords(ahead)}`
}
