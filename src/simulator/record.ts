/** What is written down while a fleet lives: counts in slots of a second, in bins for pictures, and distributions. */
import { day, hour, type Milliseconds, minute, second } from '../model/time.js'
import { add, at } from './numbers.js'
import type { Outage, Scenario } from './scenario.js'
import { endOf } from './world.js'

/** Requests by what is done: a probe is a self review; get and list read requests. */
export const kinds = ['create', 'watch', 'get', 'list', 'probe'] as const
export type Kind = (typeof kinds)[number]
const probe = 4

/** Why a request was in vain. */
export const vanities = ['unreachable', 'overloaded', 'rejected', 'denied', 'deleted'] as const
export type Vanity = (typeof vanities)[number]

/** How long bins are: some thousand of them, in a length that people use. */
export const binLength = (duration: Milliseconds): Milliseconds =>
  [6 * hour, hour, 10 * minute, minute, 10 * second, second].reduce(
    (best, length) => (duration / length <= 9_000 ? length : best),
    day,
  )

/** The bounds of the classes of durations, ms: each half as much again as the one before, from a tenth of a second on. */
export const durationClasses = Array.from({ length: 48 }, (_, index) => Math.round(100 * 1.5 ** index))

/** Durations in classes, with their sum and the longest. */
export interface Durations {
  readonly counts: Float64Array
  readonly add: (duration: Milliseconds) => void
  readonly total: () => { readonly count: number; readonly sum: Milliseconds; readonly longest: Milliseconds }
}

const durations = (): Durations => {
  const counts = new Float64Array(durationClasses.length + 1)
  let [count, sum, longest] = [0, 0, 0]
  return {
    counts,
    add: (duration) => {
      add(counts, durationClasses.filter((bound) => bound < duration).length, 1)
      count += 1
      sum += duration
      longest = Math.max(longest, duration)
    },
    total: () => ({ count, sum, longest }),
  }
}

/** Rates above this are one class. */
const fastest = 1 << 16
/** The wave after an outage is kept by the second, from a minute before its end for so long. */
export const waveBefore = 60
const waveSlots = 16 * 60
/** The part of its life at which a certificate was renewed, in hundredths, up to twice its life. */
const ageClasses = 200

/** So many slots ahead requests can be written down. */
const slotsAhead = 1 << 15

export interface Recorder {
  readonly bin: Milliseconds
  readonly requests: Readonly<Record<Kind, Float64Array>>
  readonly vain: Readonly<Record<Vanity, Float64Array>>
  /** How many there are more in this bin than in the one before. */
  readonly changes: Readonly<Record<'nodes' | 'without' | 'objects', Float64Array>>
  readonly signatures: Float64Array
  readonly installed: Float64Array
  readonly ages: Float64Array
  /** How many slots had so many requests. */
  readonly rates: Float64Array
  readonly peak: () => { readonly count: number; readonly at: Milliseconds }
  /** Of each outage: how long those that it struck took to recover, and requests by the slot around its end. */
  readonly outages: ReadonlyArray<{
    readonly outage: Outage
    readonly recovery: Durations
    readonly from: Milliseconds
    readonly counts: Float64Array
  }>
  readonly bootstraps: Durations
  readonly gaps: Durations
  /** Time goes on: everything before is written down. */
  readonly advance: (now: Milliseconds) => void
  /** A request at a time: now, or at most `ahead` later. */
  readonly request: (kind: number, at: Milliseconds) => void
  readonly ahead: Milliseconds
  readonly inVain: (why: Vanity, now: Milliseconds) => void
  /** So many more from a time on; none beyond the end. */
  readonly change: (what: 'nodes' | 'without' | 'objects', now: Milliseconds, by: number) => void
  readonly count: (what: 'signatures' | 'installed', now: Milliseconds) => void
  /** A certificate was renewed at this part of its life. */
  readonly renewed: (part: number) => void
  /** A node had no certificate that works from one time to the other: before its first, or later. */
  readonly gap: (from: Milliseconds, to: Milliseconds, isFirst: boolean) => void
  /** A node has none at the end. */
  readonly lacks: () => void
  readonly lacking: () => number
  /** A node that an outage struck is as before. */
  readonly recovered: (outage: number, now: Milliseconds) => void
  /** A probe at this time, and again each period, until they end. */
  readonly startProbes: (first: Milliseconds) => void
  /** Ends probes that began to be counted at `since`; `last` was the last of them, or is before `first`. */
  readonly endProbes: (first: Milliseconds, since: Milliseconds, last: Milliseconds) => void
}

/** A recorder for probes that come again after `period`; slots are so long that a period has a whole number of them. */
export const recorder = (scenario: Scenario, period: Milliseconds): Recorder => {
  const { duration } = scenario
  const bin = binLength(duration)
  const bins = Math.ceil(duration / bin)
  const series = () => new Float64Array(bins)
  const perPeriod = Math.max(1, Math.round(period / second))
  const length = period / perPeriod
  const slotOf = (now: Milliseconds): number => {
    const periods = Math.floor(now / period)
    return periods * perPeriod + Math.floor((now - periods * period) / length)
  }
  const binOf = (now: Milliseconds): number => Math.min(bins - 1, Math.floor(now / bin))

  const byKind = kinds.map(series)
  const [create = series(), watch = series(), get = series(), list = series(), probes = series()] = byKind
  const current = new Float64Array(kinds.length)
  const rates = new Float64Array(fastest + 1)
  const phases = new Float64Array(perPeriod)
  const struck = scenario.outages.map((outage) => ({
    outage,
    recovery: durations(),
    first: Math.max(0, slotOf(endOf(outage)) - waveBefore),
    counts: new Float64Array(waveSlots),
  }))
  /** Requests of slots to come, in a ring; the last of them. */
  const later = new Float64Array(slotsAhead * kinds.length)
  const placeOf = (its: number, kind: number): number => (its % slotsAhead) * kinds.length + kind
  let last = 0
  let slot = 0
  let lacking = 0
  let peak = { count: 0, slot: 0 }

  /** Writes a slot down. */
  const close = () => {
    const place = binOf(slot * length)
    let total = 0
    const regular = at(phases, slot % perPeriod)
    add(current, probe, regular)
    for (let kind = 0; kind < kinds.length; kind += 1) {
      if (slot <= last) {
        add(current, kind, at(later, placeOf(slot, kind)))
        later[placeOf(slot, kind)] = 0
      }
      const count = at(current, kind)
      if (count === 0) continue
      total += count
      const counts = byKind[kind]
      if (counts !== undefined) add(counts, place, count)
      current[kind] = 0
    }
    add(rates, Math.min(total, fastest), 1)
    if (total > peak.count) peak = { count: total, slot }
    for (const { first, counts } of struck)
      if (slot >= first && slot < first + waveSlots) add(counts, slot - first, total)
    slot += 1
  }

  const phaseOf = (first: Milliseconds): number => slotOf(first) % perPeriod
  /** The slot that is open has the phase of probes that begin a period later. */
  const isCountedEarly = (first: Milliseconds): boolean =>
    slot % perPeriod === phaseOf(first) && slotOf(first) !== slot

  const vain = {
    unreachable: series(),
    overloaded: series(),
    rejected: series(),
    denied: series(),
    deleted: series(),
  }
  const changes = { nodes: series(), without: series(), objects: series() }
  const counted = { signatures: series(), installed: series() }
  const ages = new Float64Array(ageClasses)
  const [bootstraps, gaps] = [durations(), durations()]
  const change = (what: keyof typeof changes, now: Milliseconds, by: number): void => {
    if (now < duration) add(changes[what], binOf(now), by)
  }
  return {
    bin,
    requests: { create, watch, get, list, probe: probes },
    vain,
    changes,
    ...counted,
    ages,
    rates,
    peak: () => ({ count: peak.count, at: peak.slot * length }),
    outages: struck.map(({ first, ...rest }) => ({ ...rest, from: first * length })),
    bootstraps,
    gaps,
    advance: (now) => {
      const next = slotOf(now)
      while (slot < next) close()
    },
    request: (kind, at) => {
      const its = slotOf(at)
      if (its === slot) add(current, kind, 1)
      else {
        add(later, placeOf(its, kind), 1)
        last = Math.max(last, its)
      }
    },
    ahead: (slotsAhead - 1) * length,
    inVain: (why, now) => add(vain[why], binOf(now), 1),
    change,
    count: (what, now) => {
      if (now < duration) add(counted[what], binOf(now), 1)
    },
    renewed: (part) => add(ages, Math.min(ageClasses - 1, Math.floor(part * 100)), 1),
    gap: (from, to, isFirst) => {
      change('without', from, 1)
      change('without', to, -1)
      if (isFirst) bootstraps.add(to - from)
      else gaps.add(to - from)
    },
    lacks: () => {
      lacking += 1
    },
    lacking: () => lacking,
    recovered: (index, now) => {
      for (const { outage, recovery } of struck.slice(index, index + 1))
        recovery.add(Math.max(0, now - endOf(outage)))
    },
    startProbes: (first) => {
      add(phases, phaseOf(first), 1)
      if (isCountedEarly(first)) add(current, probe, -1)
    },
    endProbes: (first, since, last) => {
      add(phases, phaseOf(first), -1)
      // What was taken back of the slot that is open still, or is not counted with its phase any more.
      if (slotOf(since) === slot && isCountedEarly(first)) add(current, probe, 1)
      if (last >= first && slotOf(last) === slot) add(current, probe, 1)
    },
  }
}
