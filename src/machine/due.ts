/** When and why a new certificate is due although there is one. */
import * as O from 'fp-ts/lib/Option.js'
import { type Certificate, expired, type KeyId, notYetValid } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import { missingFrom } from '../model/template.js'
import { type Instant, instant, wholeSecond } from '../model/time.js'
import type { RenewalWindow } from '../model/window.js'
import type { Facts, Held, RequestedRotation } from './facts.js'

/** Why a certificate that works is due for renewal. */
export type Cause =
  | { readonly _tag: 'Template'; readonly missing: ReadonlyArray<string> }
  | { readonly _tag: 'Requested'; readonly why: RequestedRotation['why'] }
  | { readonly _tag: 'Window'; readonly window: RenewalWindow }
  | { readonly _tag: 'Deadline' }

/**
 * Whether a certificate can be relied on: within its time, not rejected by the server it authenticates to, and that
 * server can be verified.
 */
export const isUsable = (policy: RotationPolicy, held: Held, now: Instant): boolean =>
  !expired(held.certificate, now) &&
  !notYetValid(held.certificate, now) &&
  (policy.authenticateWith === 'external' || (O.isNone(held.rejectedAt) && O.isNone(held.serverUntrustedAt)))

type CauseOf = (
  policy: RotationPolicy,
  facts: Pick<Facts, 'wanted' | 'requested' | 'window'>,
  held: Held,
  now: Instant,
) => Cause | undefined

/** The template changed to something that the certificate does not satisfy. */
const template: CauseOf = (_, { wanted }, { certificate }) => {
  if (O.isNone(wanted)) return undefined
  const missing = missingFrom(wanted.value, certificate)
  return missing.length === 0 ? undefined : { _tag: 'Template', missing }
}

/** The embedder requested it, or something that was found at the start did. */
const requested: CauseOf = (_, facts) =>
  O.isSome(facts.requested) ? { _tag: 'Requested', why: facts.requested.value.why } : undefined

/** Somebody suggested to renew it by now. */
const window: CauseOf = (_, facts, held, now) => {
  if (O.isNone(facts.window)) return undefined
  const at = instantIn(facts.window.value, held, now)
  return at !== undefined && now >= at ? { _tag: 'Window', window: facts.window.value } : undefined
}

/** Most of its life is over. */
const deadline: CauseOf = (policy, _, held, now) =>
  now >= rotationDeadline(policy, held, now) ? { _tag: 'Deadline' } : undefined

const causes: ReadonlyArray<CauseOf> = [template, requested, window, deadline]

/** Every cause for renewal that there is now; none while rotation is switched off. */
export const causesOf = (
  policy: RotationPolicy,
  facts: Pick<Facts, 'held' | 'wanted' | 'requested' | 'window'>,
  now: Instant,
): ReadonlyArray<Cause> => {
  if (O.isNone(facts.held) || !policy.rotate) return none
  const found: Array<Cause> = []
  for (const causeOf of causes) {
    const cause = causeOf(policy, facts, facts.held.value, now)
    if (cause !== undefined) found.push(cause)
  }
  return found
}
const none: ReadonlyArray<Cause> = []

/**
 * When a certificate is to be renewed: at 70 to 90 % of its life (by default). Where in that range follows from its
 * public key, so a restart changes nothing and a fleet is spread evenly. Its life is counted from its receipt when that
 * is later than `notBefore`, because Kubernetes signers set `notBefore` back by five minutes
 * (`pkg/controller/certificates/authority/policies.go`). A receipt after `notAfter` or later than now cannot be right (the
 * clock was ahead): it does not count, or the renewal would wait for the end of a life that began long before.
 */
export const rotationDeadline = (
  policy: Pick<RotationPolicy, 'renewFrom' | 'renewTo'>,
  held: Received,
  now: Instant,
): Instant => {
  const { notAfter, keyId } = held.certificate
  const start = startOf(held, now)
  const part = policy.renewFrom + (policy.renewTo - policy.renewFrom) * shareOf(keyId)
  return instant(start + (notAfter - start) * part)
}

/** What a deadline follows from. */
export interface Received extends Pick<Held, 'receivedAt'> {
  readonly certificate: Pick<Certificate, 'keyId' | 'notBefore' | 'notAfter'>
}

/** When its life here began. */
const startOf = ({ certificate: { notBefore, notAfter }, receivedAt }: Received, now: Instant): Instant => {
  const received = wholeSecond(receivedAt)
  return received < notAfter && received <= now && received > notBefore ? received : notBefore
}

/**
 * When a window has the certificate renewed: where in the window follows from its public key, as the deadline does, so a
 * fleet is spread evenly. What is past means now. Undefined: not at all, since the certificate came when the window had
 * begun. So each certificate is renewed for a window at most once; the seconds of a receipt are whole ones, and the
 * window's start is taken likewise.
 */
export const instantIn = (
  { start, end }: Pick<RenewalWindow, 'start' | 'end'>,
  held: Received,
  now: Instant,
): Instant | undefined =>
  startOf(held, now) >= wholeSecond(start)
    ? undefined
    : instant(start + (end - start) * shareOf(held.certificate.keyId))

/**
 * When a certificate is renewed if nothing else happens, and the window that has it so: the deadline, or an instant in the
 * window that was suggested. A window never makes it later.
 */
export const renewalOf = (
  policy: Pick<RotationPolicy, 'renewFrom' | 'renewTo'>,
  { window: suggested }: Pick<Facts, 'window'>,
  held: Received,
  now: Instant,
): { readonly at: Instant; readonly window: O.Option<RenewalWindow> } => {
  const due = rotationDeadline(policy, held, now)
  const at = O.isSome(suggested) ? instantIn(suggested.value, held, now) : undefined
  return at !== undefined && at < due ? { at, window: suggested } : { at: due, window: O.none }
}

/** Whether all of the time for renewals is over (90 % of a life by default), and the certificate still in use. */
export const isOverdue = (policy: RotationPolicy, { held }: Pick<Facts, 'held'>, now: Instant): boolean => {
  if (O.isNone(held) || !policy.rotate) return false
  return now >= rotationDeadline({ ...policy, renewFrom: policy.renewTo }, held.value, now)
}

/** A number from 0 up to 1, evenly spread over keys: a key id is a hash already, its first 32 bits will do. */
const shareOf = (keyId: KeyId): number => {
  const bits = Number.parseInt(keyId.slice(0, 8), 16)
  return Number.isNaN(bits) ? 0 : bits / 2 ** 32
}
