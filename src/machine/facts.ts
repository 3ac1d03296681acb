/** What is known of a certificate and of the request for the next one: one immutable record. */
import * as O from 'fp-ts/lib/Option.js'
import { type CheckedChain, expired, type KeyId } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { Draft, OutstandingRequest } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant, Milliseconds } from '../model/time.js'
import type { RenewalWindow } from '../model/window.js'

/** A certificate that is stored with its key, and used if it works. */
export interface Held extends CheckedChain {
  /** When it was received: whole seconds, as a file name keeps them. */
  readonly receivedAt: Instant
  /** When the server first rejected it, while it does. */
  readonly rejectedAt: O.Option<Instant>
  /** When the server that it is for could first not be verified, while it cannot. */
  readonly serverUntrustedAt: O.Option<Instant>
}

/** A certificate that arrived, is what was asked for, and is not stored yet. */
export interface Delivered extends CheckedChain {
  readonly receivedAt: Instant
}

/** Whose credential a request goes out with. */
export type CredentialName = 'held' | 'bootstrap' | 'external'

/** The last failure, and how long it makes us wait. */
export interface LastFailure {
  readonly at: Instant
  readonly delay: Milliseconds
  /** 1 for the first of a row of its kind (`failure.retry`). */
  readonly attempt: number
  /** How often in a row somebody said no (`later`). Failures in between that may pass by themselves do not end that row. */
  readonly refusals: number
  readonly failure: Failure
  /** Whose credential was used, where one was. */
  readonly credential: O.Option<CredentialName>
}

/** A kind of failure that goes on, and whose credential was used. */
export interface OngoingFailure {
  /** The first and the last of them. */
  readonly since: Instant
  readonly last: Instant
  /** How many. */
  readonly times: number
  /** The last of them. */
  readonly failure: Failure
  readonly credential: O.Option<CredentialName>
}

/** A rotation that was requested although the certificate works. */
export interface RequestedRotation {
  readonly why:
    | 'requested by the embedder'
    | 'the trust changed'
    | 'the certificate came from the kubeconfig'
    | 'there is no certificate where the kubeconfig points'
    | 'a request was already under way'
  readonly at: Instant
}

/** The request for the next certificate, and how far it has come. */
export type NextRequest =
  /** On disk with its key; not known to be at the API. */
  | { readonly _tag: 'Saved'; readonly draft: Draft }
  /** At the API, undecided. */
  | { readonly _tag: 'Pending'; readonly request: OutstandingRequest }
  /** Approved; its certificate has not been issued, or could not be checked yet. */
  | { readonly _tag: 'Approved'; readonly request: OutstandingRequest }
  /** Its certificate arrived, and has to be stored. */
  | {
      readonly _tag: 'Delivered'
      readonly request: OutstandingRequest
      readonly delivered: Delivered
      /** The rotation that was requested before it arrived: its installation answers that. */
      readonly answers: O.Option<RequestedRotation>
    }

/** Everything that is known. What state it is, and what to do next, follows from it and the time. */
export interface Facts {
  /** The template; none while the embedder cannot say what it wants (a serving certificate without addresses). */
  readonly wanted: O.Option<CertificateTemplate>
  readonly held: O.Option<Held>
  readonly next: O.Option<NextRequest>
  readonly requested: O.Option<RequestedRotation>
  /** The renewal window that was suggested last; it can only make a renewal earlier (`due.ts`). */
  readonly window: O.Option<RenewalWindow>
  readonly lastFailure: O.Option<LastFailure>
  /** What does not work, each kind once, until its opposite is seen (`ongoing.ts`); the latest kind last. */
  readonly ongoing: ReadonlyArray<OngoingFailure>
  /** When the API last took a request. */
  readonly submittedAt: O.Option<Instant>
  /** When the server was last asked whether it accepts the held certificate, or showed it, or one was installed. */
  readonly checkedAt: O.Option<Instant>
  /** The server's clock minus ours, ms, as last seen; 0 within a minute. */
  readonly clockSkew: Milliseconds
}

/** Nothing is known yet but what is wanted. */
export const noFacts = (wanted: O.Option<CertificateTemplate>): Facts => ({
  wanted,
  held: O.none,
  next: O.none,
  requested: O.none,
  window: O.none,
  lastFailure: O.none,
  ongoing: [],
  submittedAt: O.none,
  checkedAt: O.none,
  clockSkew: 0,
})

/** The request for the next certificate as it was saved, wherever it is. */
export const draftOf = (next: NextRequest): Draft => {
  if (next._tag === 'Saved') return next.draft
  const { name, keyId, template, pem } = next.request
  return { name, keyId, template, pem }
}

/** The key of the next certificate, where one has been made. */
export const nextKeyOf = ({ next }: Facts): O.Option<KeyId> =>
  O.map((known: NextRequest) => draftOf(known).keyId)(next)

/** The facts without a certificate that expired before it was stored: it is as if it had never arrived. */
export const withoutExpired = (facts: Facts, now: Instant): Facts =>
  O.isSome(facts.next) &&
  facts.next.value._tag === 'Delivered' &&
  expired(facts.next.value.delivered.certificate, now)
    ? withoutNext(facts)
    : facts

/** The next request while it is at the API, or its certificate is worth storing. */
export const outstanding = (
  facts: Facts,
  now: Instant,
): Exclude<NextRequest, { readonly _tag: 'Saved' }> | undefined => {
  const { next } = withoutExpired(facts, now)
  return O.isNone(next) || next.value._tag === 'Saved' ? undefined : next.value
}

/** The saved request, while it is not known to be at the API. */
export const savedDraft = ({ next }: Facts): O.Option<Draft> =>
  O.isSome(next) && next.value._tag === 'Saved' ? O.some(next.value.draft) : O.none

/** Without the next request; a rotation that it was to answer is requested still. */
export const withoutNext = (facts: Facts): Facts => {
  const { next, requested } = facts
  if (O.isNone(next)) return facts
  const answers = next.value._tag === 'Delivered' ? next.value.answers : O.none
  return { ...facts, next: O.none, requested: O.isSome(requested) ? requested : answers }
}

/** Whether the certificate held is the one with this key. */
export const holds = ({ held }: Facts, keyId: KeyId): boolean =>
  O.isSome(held) && held.value.certificate.keyId === keyId

/** Whether the server rejects the certificate held. */
export const isRejected = ({ held }: Facts): boolean => O.isSome(held) && O.isSome(held.value.rejectedAt)

/** Whether the server that the certificate held is for cannot be verified. */
export const isServerUntrusted = ({ held }: Facts): boolean =>
  O.isSome(held) && O.isSome(held.value.serverUntrustedAt)

/** Whether something is held against the certificate, although its time has not passed: it cannot be relied on. */
export const isDoubted = (facts: Facts): boolean => isRejected(facts) || isServerUntrusted(facts)
