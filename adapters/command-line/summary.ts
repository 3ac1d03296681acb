/** A state in a line that changes while one looks at it: what it is, and the time left. */
import * as O from 'fp-ts/lib/Option.js'
import { rotateAt } from '../../src/describe/renewal.js'
import type { Facts } from '../../src/machine/facts.js'
import { decide, stateOf } from '../../src/machine/machine.js'
import { outageOf } from '../../src/machine/ongoing.js'
import type { State } from '../../src/machine/state.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { endOfTime, type Instant, inWords, second } from '../../src/model/time.js'

/** Enough of a serial number or a request's name to tell it from others on one screen. */
export const abbreviated = (name: string): string => name.replace(/([0-9a-f]{8})[0-9a-f]{8,}/g, '$1…')

export const summaryOf = (policy: RotationPolicy, facts: Facts, now: Instant): string => {
  const state = stateOf(policy)(facts, now)
  return [
    `${state._tag}: ${doing(state, facts)}`,
    ...silence(facts, now),
    ...nextAttempt(policy, state, facts, now),
    ...timeLeft(policy, state, facts, now),
  ].join(', ')
}

const doing = (state: State, { lastFailure }: Facts): string => {
  const failed = O.isSome(lastFailure) ? ` (${lastFailure.value.failure._tag})` : ''
  switch (state._tag) {
    case 'Bootstrapping':
      return `no certificate that works${failed}`
    case 'Pending':
      return `${abbreviated(state.request.name)} waits for approval`
    case 'Approved':
      return `${abbreviated(state.request.name)} waits for the signer`
    case 'Issued':
      return state.stage === 'delivered'
        ? 'a certificate has arrived and is to be stored'
        : 'a certificate is in use'
    case 'RenewDue':
      return `a new certificate is due${failed}`
  }
}

/** For how long the API has not answered. */
const silence = (facts: Facts, now: Instant): ReadonlyArray<string> => {
  const outage = outageOf(facts)
  return outage === undefined ? [] : [`no answer of the API for ${roughly(Math.max(0, now - outage.since))}`]
}

const nextAttempt = (
  policy: RotationPolicy,
  state: State,
  facts: Facts,
  now: Instant,
): ReadonlyArray<string> => {
  if (state._tag === 'Issued' && state.stage === 'installed') return []
  const next = decide(policy)(facts, now)
  return next._tag === 'Wait' && next.until < endOfTime
    ? [`next attempt in ${roughly(next.until - now)}`]
    : []
}

const timeLeft = (
  policy: RotationPolicy,
  state: State,
  facts: Facts,
  now: Instant,
): ReadonlyArray<string> => {
  const held = O.toUndefined(facts.held)
  if (held === undefined || held.certificate.notAfter <= now) return []
  const renewal =
    state._tag === 'Issued' && state.stage === 'installed' ? rotateAt(policy, facts, now) : undefined
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
