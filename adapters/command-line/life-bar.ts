/** A certificate's life as a bar of characters, and in words for whoever cannot see one. */
import * as O from 'fp-ts/lib/Option.js'
import { renewalOf, rotationDeadline } from '../../src/machine/due.js'
import type { Facts, Held } from '../../src/machine/facts.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../../src/model/time.js'

/** What each character stands for. */
export const legend = '# gone, > now, = renewal window, R renewal, - left'

/** A certificate, and the window that is suggested for it. */
type Life = Pick<Held, 'certificate' | 'receivedAt'> & Pick<Facts, 'window'>

/** `[####>-----------====R====------]`: from `notBefore` to `notAfter`, in so many characters. */
export const lifeBar = (policy: RotationPolicy, life: Life, now: Instant, width: number): string => {
  const { notBefore, notAfter } = life.certificate
  const cells = Math.max(1, width - 2)
  const cellOf = (at: number): number =>
    Math.min(cells - 1, Math.max(0, Math.floor(((at - notBefore) / (notAfter - notBefore)) * cells)))
  const { from, to, at } = renewalRange(policy, life, now)
  const today = cellOf(now)
  const characterAt = (cell: number): string => {
    if (cell === today) return '>'
    if (policy.rotate && cell === cellOf(at)) return 'R'
    if (cell < today) return '#'
    return policy.rotate && cell >= cellOf(from) && cell <= cellOf(to) ? '=' : '-'
  }
  return `[${Array.from({ length: cells }, (_, cell) => characterAt(cell)).join('')}]`
}

/** Where the renewal may lie, and where it does: in the window that was suggested, or between two parts of its life. */
const renewalRange = (policy: RotationPolicy, life: Life, now: Instant) => {
  const { at, window } = renewalOf(policy, life, life, now)
  if (O.isSome(window)) return { from: window.value.start, to: window.value.end, at }
  const deadline = (part: number) => rotationDeadline({ renewFrom: part, renewTo: part }, life, now)
  return { from: deadline(policy.renewFrom), to: deadline(policy.renewTo), at }
}

/** The same in words. */
export const lifeInWords = (policy: RotationPolicy, life: Life, now: Instant): string => {
  const { notBefore, notAfter } = life.certificate
  const over = Math.min(100, Math.max(0, Math.floor(((now - notBefore) / (notAfter - notBefore)) * 100)))
  const { from, to, at } = renewalRange(policy, life, now)
  const renewal = policy.rotate
    ? `renewal at ${moment(at, now)}, window ${date(from, to)}; `
    : 'rotation is switched off; '
  return `${over} % is over; ${renewal}${notAfter > now ? 'expires' : 'expired'} at ${moment(notAfter, now)}`
}

/** Days, where the window is longer than one; otherwise the time. */
const date = (from: Instant, to: Instant): string => {
  const [one, other] = [rfc3339(wholeSecond(from)), rfc3339(wholeSecond(to))]
  return one.slice(0, 10) === other.slice(0, 10)
    ? `${one.slice(11, 19)} to ${other.slice(11, 19)}`
    : `${one.slice(0, 10)} to ${other.slice(0, 10)}`
}

/** An instant and how far away it is. */
export const moment = (at: Instant, now: Instant): string =>
  `${rfc3339(wholeSecond(at))} (${at > now ? `in ${inWords(at - now)}` : `${inWords(now - at)} ago`})`
