/** A state in a line that changes while one looks at it: what it is, and the time left. */
import * as O from 'fp-ts/lib/Option.js'
import { rotateAt } from '../../src/describe/transition.js'
import {
  decide,
  endOfTime,
  heldOf,
  type Instant,
  inWords,
  type RotationPolicy,
  type State,
  second,
} from '../../src/index.js'

/** Enough of a serial number or a request's name to tell it from others on one screen. */
export const abbreviated = (name: string): string => name.replace(/([0-9a-f]{8})[0-9a-f]{8,}/g, '$1…')

export const inShort = (policy: RotationPolicy, state: State, now: Instant): string =>
  [
    `${state._tag}: ${doing(state)}`,
    ...nextAttempt(policy, state, now),
    ...timeLeft(policy, state, now),
  ].join(', ')

const doing = (state: State): string => {
  switch (state._tag) {
    case 'Bootstrapping':
      return O.isSome(state.setback)
        ? `no certificate that works (${state.setback.value.failure._tag})`
        : 'no certificate that works'
    case 'Pending':
      return `${abbreviated(state.request.name)} waits for approval`
    case 'Approved':
      return `${abbreviated(state.request.name)} waits for the signer`
    case 'Issued':
      return state.stage === 'delivered'
        ? 'a certificate has arrived and is to be stored'
        : 'a certificate is in use'
    case 'RenewDue':
      return O.isSome(state.setback)
        ? `a new certificate is due (${state.setback.value.failure._tag})`
        : 'a new certificate is due'
  }
}

const nextAttempt = (policy: RotationPolicy, state: State, now: Instant): ReadonlyArray<string> => {
  if (state._tag === 'Issued' && state.stage === 'installed') return []
  const next = decide(policy)(state, now)
  return next._tag === 'Wait' && next.until < endOfTime
    ? [`next attempt in ${roughly(next.until - now)}`]
    : []
}

const timeLeft = (policy: RotationPolicy, state: State, now: Instant): ReadonlyArray<string> => {
  const held = O.toUndefined(heldOf(state))
  if (held === undefined || held.certificate.notAfter <= now) return []
  const renewal = state._tag === 'Issued' && state.stage === 'installed' ? rotateAt(policy, state) : undefined
  return [
    `${roughly(held.certificate.notAfter - now)} left`,
    ...(renewal === undefined || renewal <= now ? [] : [`renewed in ${roughly(renewal - now)}`]),
  ]
}

/** Whole seconds: a tenth of one is noise in a line that is drawn every second. */
const roughly = (duration: number): string => {
  const seconds = Math.ceil(duration / second)
  return seconds < 10 ? `${seconds}s` : inWords(seconds * second)
}
