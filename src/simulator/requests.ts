/** The certificate requests of a control plane, of each node the newest: what becomes of one is known when it is made. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { cleaningInterval, decidedFor, undecidedFor } from '../control-plane/cleaner.js'
import { validity } from '../control-plane/validity.js'
import { after, endOfTime, type Instant, instant, type Milliseconds } from '../model/time.js'
import { at } from './numbers.js'
import { exponential, share } from './random.js'
import type { Recorder } from './record.js'
import type { Scenario } from './scenario.js'
import { worker } from './server.js'
import { salts, type World } from './world.js'

export type Sight = 'Pending' | 'Approved' | 'Issued' | 'Denied' | 'Gone'

export interface Requests {
  /** Makes the request of a node with its key's number at a time. */
  readonly create: (node: number, key: number, now: Milliseconds) => void
  readonly sight: (node: number, key: number, now: Milliseconds) => Sight
  /** When one that is undecided, or not signed yet, changes next. */
  readonly changes: (node: number, now: Milliseconds) => Milliseconds
  /** When it was approved or denied, or is to be. */
  readonly decidedAt: (node: number) => Milliseconds
  /** When it was signed, or is to be. */
  readonly signedAt: (node: number) => Milliseconds
  /** From when to when its certificate is good. */
  readonly notBefore: (node: number) => Instant
  readonly notAfter: (node: number) => Instant
}

export const requests = (scenario: Scenario, world: World, record: Recorder): Requests => {
  const { seed, start, approval, signer, nodes } = scenario
  const numbers = () => new Float64Array(nodes.count)
  const [keys, denials] = [new Int32Array(nodes.count), new Int32Array(nodes.count)]
  const [decided, signed, gone, from, until] = [numbers(), numbers(), numbers(), numbers(), numbers()]
  const [approve, sign] = [worker(approval.perSecond), worker(signer.perSecond)]
  const isAutomatic = approval.delay === 0 && approval.hours === undefined

  /** When the cleaner finds a request that it may delete from a time on. */
  const cleaned = (from: Milliseconds): Milliseconds =>
    world.managed((Math.floor(from / cleaningInterval) + 1) * cleaningInterval)

  const delayOf = (node: number, key: number): Milliseconds =>
    approval.distribution === 'constant'
      ? approval.delay
      : Math.round(approval.delay * exponential(share(seed, node, salts.approval, key)))

  /** When it is signed; never by a CA that has expired. */
  const certify = (node: number, now: Milliseconds): Milliseconds => {
    const found = validity({
      now: instant(start + now),
      signingDuration: signer.duration,
      expirationSeconds: O.none,
      authorityEnd: after(start, signer.authorityEnd),
      flavour: signer.kubernetes,
      backdating: signer.backdating,
    })
    if (E.isLeft(found)) return endOfTime
    from[node] = found.right.notBefore
    until[node] = found.right.notAfter
    return now
  }

  return {
    create: (node, key, now) => {
      keys[node] = key
      const undecided = cleaned(now + undecidedFor)
      const ready = isAutomatic
        ? world.managed(world.attended(now))
        : world.attended(now + delayOf(node, key))
      const isDenied = approval.denied > 0 && share(seed, node, salts.denial, key) < approval.denied
      const isLate = ready >= undecided
      const decision = isLate ? endOfTime : isAutomatic ? Math.ceil(approve(ready)) : ready
      const signature =
        isLate || isDenied ? endOfTime : certify(node, Math.ceil(sign(world.managed(decision))))
      decided[node] = decision
      signed[node] = signature
      denials[node] = isDenied ? 1 : 0
      const end = isLate
        ? undecided
        : signature - decision > undecidedFor && !isDenied
          ? cleaned(decision + undecidedFor)
          : cleaned(decision + decidedFor)
      gone[node] = end
      record.change('objects', now, 1)
      record.change('objects', end, -1)
      if (signature <= end) record.count('signatures', signature)
    },
    sight: (node, key, now) => {
      if (at(keys, node) !== key || now >= at(gone, node)) return 'Gone'
      if (now < at(decided, node)) return 'Pending'
      if (at(denials, node) === 1) return 'Denied'
      return now < at(signed, node) ? 'Approved' : 'Issued'
    },
    changes: (node, now) => {
      const next = now < at(decided, node) ? decided : signed
      return Math.min(at(next, node), at(gone, node))
    },
    decidedAt: (node) => at(decided, node),
    signedAt: (node) => at(signed, node),
    notBefore: (node) => instant(at(from, node)),
    notAfter: (node) => instant(at(until, node)),
  }
}
