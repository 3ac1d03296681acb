/** What decides in a simulated node: this project's machine, or a model of another one behind the same interface. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import { type Received, rotationDeadline } from '../machine/due.js'
import type { Event } from '../machine/event.js'
import { type CredentialName, type Facts, isDoubted } from '../machine/facts.js'
import { decide, evolve } from '../machine/machine.js'
import { expired, notYetValid } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import { endOfTime, type Instant, type Milliseconds } from '../model/time.js'

export interface Machine {
  readonly decide: (facts: Facts, now: Instant) => Action
  readonly evolve: (facts: Facts, event: Event) => Facts
  /** When a certificate is renewed if nothing happens; the end of time: never. `checkedAt`: as in the facts. */
  readonly deadline: (held: Received, now: Instant, checkedAt: Instant) => Instant
  /** Whose credential a renewal goes out with while the certificate works. */
  readonly credential: CredentialName
  /** Between two probes of a certificate at rest; 0: there are none. */
  readonly probeInterval: Milliseconds
  /** Requests are at least so far apart. */
  readonly submitInterval: Milliseconds
  /** How long it waits for a certificate before it does something else; the end of time: until it has one. */
  readonly patience: Milliseconds
  /** Whether a watch is preceded by a list. */
  readonly lists: boolean
  /** Whether a request under way outlasts a restart. */
  readonly remembers: boolean
}

/** This project's machine, as it is. */
export const ourMachine = (policy: RotationPolicy): Machine => ({
  decide: decide(policy),
  evolve: evolve(policy),
  deadline: (held, now) => (policy.rotate ? rotationDeadline(policy, held, now) : endOfTime),
  credential: policy.authenticateWith,
  probeInterval: policy.authenticateWith === 'held' ? policy.probeInterval : 0,
  submitInterval: policy.submitInterval,
  patience: endOfTime,
  lists: false,
  remembers: true,
})

/** Whether a certificate works and nothing is under way or held against it: only probes and the deadline are to come. */
export const isAtRest = (facts: Facts, now: Instant): boolean => {
  const { wanted, held, next, requested, lastFailure, ongoing } = facts
  return (
    O.isSome(wanted) &&
    O.isSome(held) &&
    !isDoubted(facts) &&
    !expired(held.value.certificate, now) &&
    !notYetValid(held.value.certificate, now) &&
    O.isNone(next) &&
    O.isNone(requested) &&
    O.isNone(lastFailure) &&
    ongoing.length === 0
  )
}
