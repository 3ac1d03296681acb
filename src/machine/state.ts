/** The five states: a view of the facts at a time. Nothing is stored in one. */
import type { NonEmptyArray } from 'fp-ts/lib/NonEmptyArray.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { OutstandingRequest } from '../model/request.js'
import type { Cause } from './due.js'
import type { Delivered, Held } from './facts.js'

/** No certificate works. */
export interface Bootstrapping {
  readonly _tag: 'Bootstrapping'
  readonly why: 'NoCertificate' | 'Expired' | 'NotYetValid' | 'Rejected' | 'ServerUntrusted'
  readonly held: Option<Held>
}

/** Our request is at the API, undecided. */
export interface Pending {
  readonly _tag: 'Pending'
  readonly held: Option<Held>
  readonly request: OutstandingRequest
}

/** Approved; its certificate has not been issued, or could not be checked yet (the CAs cannot be read). */
export interface Approved {
  readonly _tag: 'Approved'
  readonly held: Option<Held>
  readonly request: OutstandingRequest
}

/** A certificate was attached to the request and is worth having; it has to be stored. */
export interface IssuedDelivered {
  readonly _tag: 'Issued'
  readonly stage: 'delivered'
  readonly held: Option<Held>
  readonly request: OutstandingRequest
  readonly delivered: Delivered
}

/** A certificate works and is in use until its rotation time. */
export interface IssuedInstalled {
  readonly _tag: 'Issued'
  readonly stage: 'installed'
  readonly held: Held
}

/** The certificate in use still works and its successor is due. */
export interface RenewDue {
  readonly _tag: 'RenewDue'
  readonly held: Held
  readonly causes: NonEmptyArray<Cause>
}

export type State = Bootstrapping | Pending | Approved | IssuedDelivered | IssuedInstalled | RenewDue
