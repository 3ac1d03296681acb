import type { NonEmptyArray } from 'fp-ts/lib/NonEmptyArray.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  type Certificate,
  type CheckedChain,
  expired,
  type KeyId,
  notYetValid,
} from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Draft, OutstandingRequest } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant, Milliseconds } from '../model/time.js'

/** A certificate that is stored, with its key, and used if it works. */
export interface Held extends CheckedChain {
  /** When it was received: whole seconds. */
  readonly receivedAt: Instant
  /** When the server first refused it, while it does. */
  readonly rejectedAt: O.Option<Instant>
}

/** A certificate that arrived, is what was asked for, and is not stored yet. */
export interface Delivered extends CheckedChain {
  readonly receivedAt: Instant
}

/** Whose credential a request goes out with. */
export type CredentialName = 'held' | 'bootstrap' | 'external'

/** The last failure, and how long it makes us wait. */
export interface Setback {
  readonly at: Instant
  readonly delay: Milliseconds
  /** 1 for the first of a row. */
  readonly attempt: number
  readonly failure: Failure
  /** Whose credential was used, where one was. */
  readonly credential: O.Option<CredentialName>
}

/** A rotation that was asked for although the certificate works. */
export interface Ask {
  readonly why:
    | 'requested by the embedder'
    | 'the trust changed'
    | 'the certificate came from the kubeconfig'
    | 'there is no certificate where the kubeconfig points'
    | 'a request was already under way'
  readonly at: Instant
}

/** Why a certificate that works is due for renewal. */
export type Cause =
  | { readonly _tag: 'Deadline' }
  | { readonly _tag: 'Template'; readonly unmet: ReadonlyArray<string> }
  | { readonly _tag: 'Asked'; readonly why: Ask['why'] }

/** What every state knows. */
export interface Situation {
  /** The template; none while the embedder cannot say what it wants (a serving certificate without addresses). */
  readonly wanted: O.Option<CertificateTemplate>
  readonly asked: O.Option<Ask>
  readonly setback: O.Option<Setback>
  /** When the last request was taken by the API. */
  readonly submittedAt: O.Option<Instant>
  /** When the server was last seen to accept or refuse the held certificate, or one was installed. */
  readonly checkedAt: O.Option<Instant>
}

/** There is no certificate that works: none, expired, not yet valid, or refused by the server. */
export interface Bootstrapping extends Situation {
  readonly _tag: 'Bootstrapping'
  readonly held: O.Option<Held>
  readonly draft: O.Option<Draft>
}

/** Our request is at the API, undecided. */
export interface Pending extends Situation {
  readonly _tag: 'Pending'
  readonly held: O.Option<Held>
  readonly request: OutstandingRequest
}

/** Approved, not yet signed. */
export interface Approved extends Situation {
  readonly _tag: 'Approved'
  readonly held: O.Option<Held>
  readonly request: OutstandingRequest
}

/** A certificate was attached to the request and is worth having; it has to be stored. */
export interface IssuedDelivered extends Situation {
  readonly _tag: 'Issued'
  readonly stage: 'delivered'
  readonly held: O.Option<Held>
  readonly request: OutstandingRequest
  readonly delivered: Delivered
  /** What was asked before it was issued, and is answered when it is installed. */
  readonly answers: O.Option<Ask>
}

/** A certificate works and is in use until its rotation time. */
export interface IssuedInstalled extends Situation {
  readonly _tag: 'Issued'
  readonly stage: 'installed'
  readonly held: Held
}

/** The certificate in use still works and its successor is due. */
export interface RenewDue extends Situation {
  readonly _tag: 'RenewDue'
  readonly held: Held
  readonly causes: NonEmptyArray<Cause>
  readonly draft: O.Option<Draft>
}

export type State = Bootstrapping | Pending | Approved | IssuedDelivered | IssuedInstalled | RenewDue

/** No request is outstanding: which of the three it is follows from the held certificate, the template and the time. */
export type Idle = Bootstrapping | IssuedInstalled | RenewDue

/** A state with its differences taken away: what is held, and the request, at the API or not, that may become the next. */
export interface Knowledge extends Situation {
  readonly held: O.Option<Held>
  readonly draft: O.Option<Draft>
}

/** Nothing is known yet but what is wanted. */
export const initial = (wanted: O.Option<CertificateTemplate>): State => ({
  _tag: 'Bootstrapping',
  wanted,
  asked: O.none,
  setback: O.none,
  submittedAt: O.none,
  checkedAt: O.none,
  held: O.none,
  draft: O.none,
})

/** What a state knows, without saying which state it is. */
export const knowledgeOf = (state: State): Knowledge => {
  const { wanted, setback, submittedAt, checkedAt } = state
  const asked = 'answers' in state ? O.alt(() => state.answers)(state.asked) : state.asked
  const situation = { wanted, asked, setback, submittedAt, checkedAt }
  return { ...situation, held: heldOf(state), draft: nextOf(state) }
}

/** The request for the next certificate, at the API or not. */
const nextOf = (state: State): O.Option<Draft> => {
  if ('request' in state) return O.some(draftOf(state.request))
  return 'draft' in state ? state.draft : O.none
}

const draftOf = ({ name, keyId, template, pem }: OutstandingRequest): Draft => ({
  name,
  keyId,
  template,
  pem,
})

/** The stored certificate, whether it works or not. */
export const heldOf = ({ held }: State): O.Option<Held> => ('certificate' in held ? O.some(held) : held)

/** The key of the next certificate, where one has been made. */
export const nextKeyOf = (state: State): O.Option<KeyId> => O.map(({ keyId }: Draft) => keyId)(nextOf(state))

/** Whether a certificate can be relied on: within its time, and not refused by the server it authenticates to. */
export const works = (policy: RotationPolicy, held: Held, now: Instant): boolean =>
  !expired(held.certificate, now) &&
  !notYetValid(held.certificate, now) &&
  (policy.authenticateWith === 'external' || O.isNone(held.rejectedAt))

/**
 * The certificate to present now: the held one until it ends (also while not yet valid by our clock, or refused: the
 * server may see it otherwise), and one that was delivered and cannot be stored when the held one does not work.
 */
export const inUse = (policy: RotationPolicy, state: State, now: Instant): O.Option<Certificate> => {
  const held = heldOf(state)
  if (O.isSome(held) && works(policy, held.value, now)) return O.some(held.value.certificate)
  if ('delivered' in state && !expired(state.delivered.certificate, now))
    return O.some(state.delivered.certificate)
  return O.isSome(held) && !expired(held.value.certificate, now) ? O.some(held.value.certificate) : O.none
}
