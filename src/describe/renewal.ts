/** When a certificate is renewed and what a suggested window has to do with it, in words. */
import * as O from 'fp-ts/lib/Option.js'
import { instantIn, renewalOf, rotationDeadline } from '../machine/due.js'
import { type Facts, outstanding } from '../machine/facts.js'
import { pauseEnd, submitEnd } from '../machine/retry.js'
import type { RotationPolicy } from '../model/policy.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../model/time.js'
import type { RenewalWindow } from '../model/window.js'
import { printWindow } from './print.js'

/** When the certificate in use is renewed, as a whole second; up to one later it happens. */
export const rotateAt = (policy: RotationPolicy, facts: Facts, now: Instant): Instant | undefined =>
  O.isSome(facts.held) && policy.rotate
    ? wholeSecond(renewalOf(policy, facts, facts.held.value, now).at)
    : undefined

/** `, to be renewed at …`; nothing where rotation is switched off, or there is no certificate. */
export const renewal = (policy: RotationPolicy, facts: Facts, now: Instant): string => {
  const due = rotateAt(policy, facts, now)
  return due === undefined ? '' : `, to be renewed at ${rfc3339(due)}`
}

/** `from … to …, suggested by …`, and what that comes to for the certificate held. */
export const windowInWords = (
  policy: RotationPolicy,
  facts: Facts,
  window: RenewalWindow,
  now: Instant,
): string => `${printWindow(window)}${meaning(policy, facts, window, now)}`

const meaning = (policy: RotationPolicy, facts: Facts, window: RenewalWindow, now: Instant): string => {
  if (O.isNone(facts.held) || !policy.rotate) return ''
  const due = instantIn(window, facts.held.value, now)
  if (due === undefined) return '; the certificate came after its start, and is not renewed for it'
  if (due <= now) return `; the renewal is due${apart(policy, facts, now)}`
  return due < rotationDeadline(policy, facts.held.value, now)
    ? renewal(policy, facts, now)
    : `; the rotation deadline is earlier${renewal(policy, facts, now)}`
}

/** When it is tried again, where it waits until then: in between it may look whether the certificate is accepted. */
export const nextAttempt = (policy: RotationPolicy, facts: Facts, until: Instant, now: Instant): Instant => {
  const end = pauseEnd(policy, facts, now)
  return end !== undefined && end > until ? end : until
}

/** Why nothing is sent yet, where only the time between two requests is waited for. */
export const apart = (policy: RotationPolicy, facts: Facts, now: Instant): string => {
  const end = submitEnd(policy, facts, now)
  return end === undefined ||
    pauseEnd(policy, facts, now) !== undefined ||
    outstanding(facts, now) !== undefined
    ? ''
    : `; it is sent in ${inWords(end - now)}, since requests are kept ${inWords(policy.submitInterval)} apart`
}
