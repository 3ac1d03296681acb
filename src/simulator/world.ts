/** When what happens to whom: the scenario as functions of a node and a time. Everything is known beforehand. */
import { day, endOfTime, type Milliseconds } from '../model/time.js'
import { normal, share } from './random.js'
import type { Outage, Scenario, Span } from './scenario.js'

/** What each draw is for. */
export const salts = {
  join: 0,
  rank: 1,
  skew: 2,
  otherSkew: 3,
  approval: 4,
  denial: 5,
  service: 6,
  watch: 7,
  key: 8,
  struck: 100,
  moment: 1_000,
}

/** Something that interrupts a node. Times from the start, ms. */
export type Change =
  | { readonly _tag: 'Outage'; readonly at: Milliseconds; readonly until: Milliseconds }
  | { readonly _tag: 'Suspended'; readonly at: Milliseconds; readonly until: Milliseconds }
  | { readonly _tag: 'Restarted'; readonly at: Milliseconds }
  | { readonly _tag: 'Left'; readonly at: Milliseconds; readonly until: Milliseconds }

const never: Change = { _tag: 'Left', at: endOfTime, until: endOfTime }

export interface World {
  /** How far a node's clock is ahead of the server's. */
  readonly skew: (node: number) => Milliseconds
  /** When a node is first there. */
  readonly joins: (node: number) => Milliseconds
  /** The first change that begins for a node after a time. */
  readonly nextChange: (node: number, after: Milliseconds) => Change
  /** The index of the outage that keeps a node from the API at a time; -1: none. */
  readonly outageAt: (node: number, at: Milliseconds) => number
  /** When a call that comes in an outage is taken: at its end by a server that is starting, else never. */
  readonly takenAt: (node: number, at: Milliseconds) => Milliseconds
  /** The first time at or after `at` when the controller manager runs. */
  readonly managed: (at: Milliseconds) => Milliseconds
  /** Until when certificates are accepted that are signed at a time: by the CA of that time. */
  readonly acceptedUntil: (signedAt: Milliseconds) => Milliseconds
  /** The first time at or after `at` when approvers are at work. */
  readonly attended: (at: Milliseconds) => Milliseconds
}

export const world = (scenario: Scenario): World => {
  const { seed, nodes, approval, authorities } = scenario
  const outages = scenario.outages.map((outage, index) => ({ ...outage, index, salt: salts.struck + index }))
  const cuts = outages.filter(({ of }) => of !== 'controller-manager')
  const isStruck = (node: number, salt: number, part: number) => part >= 1 || share(seed, node, salt) < part
  const waves = [
    ...nodes.restarts.map((wave, index) => ({ ...wave, lasting: 0, salt: 200 + index })),
    ...nodes.suspensions.map((wave, index) => ({ ...wave, salt: 400 + index })),
  ]

  /** An elastic node is there while the fleet is larger than its rank. */
  const elastic = (node: number) => {
    const { autoscaling } = nodes
    if (autoscaling === undefined) return undefined
    const { lowest, every } = autoscaling
    const rank = (share(seed, node, salts.rank) - lowest) / (1 - lowest)
    if (rank < 0) return undefined
    const from = Math.floor(every * (Math.acos(1 - 2 * rank) / (2 * Math.PI)))
    return { from, to: every - from, every }
  }
  const leaves = (node: number, after: Milliseconds): Change => {
    const there = elastic(node)
    if (there === undefined) return never
    const { from, to, every } = there
    const at = Math.floor((after - to) / every + 1) * every + to
    return { _tag: 'Left', at, until: at - to + every + from }
  }

  const nextChange = (node: number, after: Milliseconds): Change => {
    let next = leaves(node, after)
    for (const outage of cuts)
      if (outage.at > after && outage.at < next.at && isStruck(node, outage.salt, outage.part))
        next = { _tag: 'Outage', at: outage.at, until: outage.at + outage.lasting }
    for (const { at, over, part, lasting, salt } of waves) {
      const moment = Math.floor(at + over * share(seed, node, salts.moment + salt))
      if (moment > after && moment < next.at && isStruck(node, salt, part))
        next =
          lasting > 0
            ? { _tag: 'Suspended', at: moment, until: moment + lasting }
            : { _tag: 'Restarted', at: moment }
    }
    return next
  }

  const isOver = ({ at, lasting }: Span, now: Milliseconds) => now < at || now >= at + lasting
  const cutAt = (node: number, at: Milliseconds) => {
    for (const cut of cuts) if (!isOver(cut, at) && isStruck(node, cut.salt, cut.part)) return cut
    return undefined
  }
  const past = (spans: ReadonlyArray<Span>, from: Milliseconds): Milliseconds => {
    let now = from
    for (const span of spans) if (!isOver(span, now)) now = span.at + span.lasting
    return now
  }
  const inOrder = <A extends Span>(spans: ReadonlyArray<A>) =>
    spans.toSorted((one, other) => one.at - other.at)
  const halts = inOrder(outages.filter(({ of }) => of === 'controller-manager'))
  const pauses = inOrder(approval.pauses)

  const { start } = scenario
  const atWork = (at: Milliseconds): Milliseconds => {
    const { hours } = approval
    if (hours === undefined) return at
    const opens = (midnight: number) => Math.max(start + at, midnight + hours.from)
    const isOpen = (midnight: number) =>
      hours.days.includes(new Date(midnight).getUTCDay()) && opens(midnight) < midnight + hours.to
    let midnight = Math.floor((start + at) / day) * day
    while (!isOpen(midnight)) midnight += day
    return opens(midnight) - start
  }

  /** When a pause ends outside of office hours they are waited for, and the next pause may lie in them. */
  const attended = (at: Milliseconds): Milliseconds => {
    const then = atWork(past(pauses, at))
    return then === at ? at : attended(then)
  }

  return {
    skew: (node) =>
      nodes.clockSkew === 0
        ? 0
        : Math.round(
            nodes.clockSkew * normal(share(seed, node, salts.skew), share(seed, node, salts.otherSkew)),
          ),
    joins: (node) => {
      const joined = Math.floor(nodes.joinOver * share(seed, node, salts.join))
      const there = elastic(node)
      if (there === undefined) return joined
      const { from, to, every } = there
      const within = joined % every
      return within < from ? joined - within + from : within < to ? joined : joined - within + every + from
    },
    nextChange,
    outageAt: (node, at) => cutAt(node, at)?.index ?? -1,
    takenAt: (node, at) => {
      const cut = cutAt(node, at)
      if (cut === undefined || cut.of !== 'api') return endOfTime
      return at < endOf(cut) - (cut.starting ?? 0) ? endOfTime : endOf(cut)
    },
    managed: (at) => past(halts, at),
    acceptedUntil: (signedAt) => {
      for (const { at, overlap } of authorities) if (at > signedAt) return at + overlap
      return endOfTime
    },
    attended,
  }
}

/** When a part of a fleet is there again after a wave: what outages are measured by. */
export const endOf = ({ at, lasting }: Outage): Milliseconds => at + lasting
