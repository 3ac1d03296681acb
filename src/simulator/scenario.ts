/** What is simulated: a fleet, its control plane, and what happens to both. Times are counted from the start, in ms. */
import type { RotationPolicy } from '../model/policy.js'
import type { Instant, Milliseconds } from '../model/time.js'

/** From a time on, for so long. */
export interface Span {
  readonly at: Milliseconds
  readonly lasting: Milliseconds
}

export interface Outage extends Span {
  /** `network`: a part of the nodes cannot reach the API. `controller-manager`: nothing is approved, signed or cleaned. */
  readonly of: 'api' | 'network' | 'controller-manager'
  /** Of the nodes, from 0 to 1: whom it strikes. */
  readonly part: number
  /**
   * `api`: for so long before its end the server starts: it takes connections, which it answers at the end. None: it
   * refuses them to the end.
   */
  readonly starting?: Milliseconds
}

/** An event that strikes a part of the nodes, each at a time of its own within `over`. */
export interface Wave {
  readonly at: Milliseconds
  readonly over: Milliseconds
  readonly part: number
}

export interface Scenario {
  readonly title: string
  readonly seed: number
  readonly start: Instant
  readonly duration: Milliseconds
  readonly nodes: {
    readonly count: number
    /** They join evenly spread over this; 0: all at once. */
    readonly joinOver: Milliseconds
    /** The fleet goes down to this part of its nodes and up again once in `every`; each that joins is a new machine. */
    readonly autoscaling: { readonly lowest: number; readonly every: Milliseconds } | undefined
    /** The standard deviation of their clocks from the server's. */
    readonly clockSkew: Milliseconds
    readonly restarts: ReadonlyArray<Wave>
    readonly suspensions: ReadonlyArray<Span & Wave>
  }
  /** Until when there is a bootstrap token that the API takes. */
  readonly bootstrapTokensUntil: Milliseconds
  readonly signer: {
    readonly duration: Milliseconds
    readonly backdating: Milliseconds
    readonly kubernetes: '1.20' | '1.22'
    /** When the CA expires: from then on nothing is signed. */
    readonly authorityEnd: Milliseconds
    /** Signatures a second. */
    readonly perSecond: number
  }
  readonly approval: {
    /** From a request to its approval; 0: by the controller manager, as fast as it can. */
    readonly delay: Milliseconds
    /** How delays are distributed around that. */
    readonly distribution: 'constant' | 'exponential'
    /** Approvals only at these hours of these days (0: Sunday), UTC. */
    readonly hours:
      | { readonly from: Milliseconds; readonly to: Milliseconds; readonly days: ReadonlyArray<number> }
      | undefined
    /** Nobody approves. */
    readonly pauses: ReadonlyArray<Span>
    /** The part of requests that is denied. */
    readonly denied: number
    /** What the controller manager's approver does in a second. */
    readonly perSecond: number
  }
  readonly api: ServerLimits
  readonly outages: ReadonlyArray<Outage>
  /** The CA is replaced; certificates of the one before are accepted for `overlap` still. */
  readonly authorities: ReadonlyArray<{ readonly at: Milliseconds; readonly overlap: Milliseconds }>
  readonly policies: ReadonlyArray<NamedPolicy>
}

export interface ServerLimits {
  /** What it bears, of all kinds together. */
  readonly requestsPerSecond: number
  /** Requests that are served at one time: the priority level's seats in API Priority and Fairness. */
  readonly seats: number
  /** Requests that may wait for a seat; one more is answered with 429. */
  readonly queue: number
  /** There and back without any load. */
  readonly latency: Milliseconds
  /** Watches that may be open at one time; one more is answered with 429. */
  readonly watches: number
  readonly retryAfter: Milliseconds
}

/** A policy by its name: parameters of this project's machine, or client-go's certificate manager. */
export type NamedPolicy =
  | { readonly _tag: 'Machine'; readonly name: string; readonly policy: RotationPolicy }
  | { readonly _tag: 'ClientGo'; readonly name: string }
