/** The certificate requests of a control plane, of each node the newest: what becomes of one is known when it is made. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { cleaningInterval, decidedFor, undecidedFor } from '../control-plane/cleaner.js'
import { validity } from '../control-plane/validity.js'
import { after, endOfTime, type Instant, instant, type Milliseconds } from '../model/time.js'
import type { Nodes } from './nodes.js'
import * as its from './nodes.js'
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

export const requests = (
  scenario: Scenario,
  world: World,
  record: Recorder,
  { get, put }: Nodes,
): Requests => {
  const { seed, start, approval, signer } = scenario
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
    put(node, its.issuedFrom, found.right.notBefore)
    put(node, its.issuedUntil, found.right.notAfter)
    return now
  }

  return {
    create: (node, key, now) => {
      put(node, its.requested, key)
      const undecided = cleaned(now + undecidedFor)
      const ready = isAutomatic
        ? world.managed(world.attended(now))
        : world.attended(now + delayOf(node, key))
      const isDenied = approval.denied > 0 && share(seed, node, salts.denial, key) < approval.denied
      const isLate = ready >= undecided
      const decision = isLate ? endOfTime : isAutomatic ? Math.ceil(approve(ready)) : ready
      const signature =
        isLate || isDenied ? endOfTime : certify(node, Math.ceil(sign(world.managed(decision))))
      put(node, its.decided, decision)
      put(node, its.signed, signature)
      put(node, its.isDenied, isDenied ? 1 : 0)
      const end = isLate
        ? undecided
        : signature - decision > undecidedFor && !isDenied
          ? cleaned(decision + undecidedFor)
          : cleaned(decision + decidedFor)
      put(node, its.gone, end)
      record.change('objects', now, 1)
      record.change('objects', end, -1)
      if (signature <= end) record.count('signatures', signature)
    },
    sight: (node, key, now) => {
      if (get(node, its.requested) !== key || now >= get(node, its.gone)) return 'Gone'
      if (now < get(node, its.decided)) return 'Pending'
      if (get(node, its.isDenied) === 1) return 'Denied'
      return now < get(node, its.signed) ? 'Approved' : 'Issued'
    },
    changes: (node, now) => {
      const next = now < get(node, its.decided) ? its.decided : its.signed
      return Math.min(get(node, next), get(node, its.gone))
    },
    decidedAt: (node) => get(node, its.decided),
    signedAt: (node) => get(node, its.signed),
    notBefore: (node) => instant(get(node, its.issuedFrom)),
    notAfter: (node) => instant(get(node, its.issuedUntil)),
  }
}
