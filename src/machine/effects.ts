/**
 * What follows from a change, as values. Whoever runs the machine performs them in this order, after the event is noted
 * down and before the next decision: warnings are told, a saved request that is over is removed from the store, keys
 * that nothing speaks of are forgotten, the cluster of the bootstrap kubeconfig is adopted, and what follows the
 * credential hears of another one.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Certificate, KeyId } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Draft } from '../model/request.js'
import { after, type Instant, inWords, minute, rfc3339 } from '../model/time.js'
import { remarksOn } from './acceptance.js'
import { inUse } from './credential.js'
import type { Event } from './event.js'
import { type Facts, isServerUntrusted, nextKeyOf } from './facts.js'
import { answered } from './ongoing.js'

export type Effect =
  /** A sentence for people. */
  | { readonly _tag: 'Warn'; readonly message: string }
  /** Removes the saved request and its key from the store. */
  | { readonly _tag: 'DiscardRequest' }
  /** Forgets every private key in memory but these. */
  | { readonly _tag: 'RetainKeys'; readonly keys: ReadonlyArray<KeyId> }
  /**
   * Takes the server and the CA of the bootstrap kubeconfig into the kubeconfig that uses the certificate: that one's
   * server cannot be verified, this one's could, and has answered.
   */
  | { readonly _tag: 'AdoptCluster' }
  /** Offers this certificate to whoever follows the credential; none: there is none that has not expired. */
  | { readonly _tag: 'Publish'; readonly certificate: O.Option<Certificate> }

/** Facts at a time. */
export interface Moment {
  readonly facts: Facts
  readonly at: Instant
}

/** What follows from a change of facts by an event, or of the time alone. */
export const effects =
  (policy: RotationPolicy) =>
  (before: Moment, now: Moment, event?: Event): ReadonlyArray<Effect> => {
    const found: Array<Effect> = []
    if (event !== undefined && before.facts !== now.facts) {
      for (const message of [...skewed(before.facts, now), ...remarks(before.facts, now.facts)])
        found.push({ _tag: 'Warn', message })
      const keys = keysOf(now.facts)
      const saved = O.alt(() => nextKeyOf(before.facts))(savedIn(event))
      if (O.isSome(saved) && !keys.includes(saved.value)) found.push({ _tag: 'DiscardRequest' })
      if (
        [...keysOf(before.facts), ...(O.isSome(saved) ? [saved.value] : [])].some(
          (key) => !keys.includes(key),
        )
      )
        found.push({ _tag: 'RetainKeys', keys })
      if (isServerUntrusted(before.facts) && answered(policy, before.facts, event) === 'bootstrap')
        found.push({ _tag: 'AdoptCluster' })
    }
    const certificate = inUse(policy, now.facts, now.at)
    if (O.toUndefined(inUse(policy, before.facts, before.at)) !== O.toUndefined(certificate))
      found.push({ _tag: 'Publish', certificate })
    return found
  }

/** A saved request can come to nothing in the very event that tells of it: not wanted any more, its name taken. */
const savedIn = (event: Event): O.Option<KeyId> => {
  if (event._tag === 'Submitted') return O.some(event.request.keyId)
  return 'draft' in event ? O.map(({ keyId }: Draft) => keyId)(event.draft) : O.none
}

/** The ids of the keys that the facts speak of. */
export const keysOf = (facts: Facts): ReadonlyArray<KeyId> => {
  const next = nextKeyOf(facts)
  return [
    ...(O.isSome(facts.held) ? [facts.held.value.certificate.keyId] : []),
    ...(O.isSome(next) ? [next.value] : []),
  ]
}

const skewed = (before: Facts, { facts, at }: Moment): ReadonlyArray<string> => {
  const { clockSkew } = facts
  if (clockSkew === 0 || Math.abs(clockSkew - before.clockSkew) <= minute) return []
  const direction = clockSkew > 0 ? 'ahead of' : 'behind'
  return [
    `the API server's clock is ${inWords(Math.abs(clockSkew))} ${direction} ours: it says ${rfc3339(after(at, clockSkew))}; set the clocks`,
  ]
}

/** What a person should know of a certificate that has just arrived and is taken. */
const remarks = (before: Facts, { held, next }: Facts): ReadonlyArray<string> => {
  if (O.isNone(next) || next.value._tag !== 'Delivered') return []
  const known = O.isSome(before.next) && before.next.value._tag === 'Delivered'
  return known ? [] : remarksOn(held, next.value.delivered)
}
