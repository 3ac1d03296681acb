/** Real rotations beside simulated ones: curves of requests, and how far they are apart. */
import { defaultPolicy } from '../../src/model/policy.js'
import { second } from '../../src/model/time.js'
import { fleet, type NamedPolicy, reportOf, type Scenario } from '../../src/simulator/index.js'
import { endOf } from '../../src/simulator/world.js'

/**
 * A request of a certificate's life: when it came, ms from the start. `watch`: also a reading of one, since agents of one
 * process and one credential share a watch and read what they missed.
 */
export interface Seen {
  readonly at: number
  readonly kind: 'create' | 'watch' | 'other'
}

/** Our machine without probes: a server counts only what a certificate's life takes. */
export const unprobed: NamedPolicy = {
  _tag: 'Machine',
  name: 'default',
  policy: { ...defaultPolicy, probeInterval: 0 },
}

export interface Side {
  /** Requests in each second. */
  readonly create: ReadonlyArray<number>
  readonly watch: ReadonlyArray<number>
  readonly installed: number
  /** From the end of the outage until the last one that it struck had its certificate, ms; none: not measured. */
  readonly recovery?: number
}

/**
 * Counts what rotations tell: certificates, and how long the last of those that the outage struck took to recover.
 * `tell()` is the `onTransition` of one.
 */
export const tally = (
  now: () => number,
  outage: { readonly at: number; readonly until: number },
): {
  readonly told: () => { readonly installed: number; readonly recovery: number }
  readonly tell: () => (transition: { readonly reason: string }) => void
} => {
  let [installed, recovery] = [0, 0]
  const isDown = () => now() >= outage.at && now() < outage.until
  return {
    told: () => ({ installed, recovery }),
    tell: () => {
      let isStruck = false
      return ({ reason }) => {
        if (reason === 'Unreachable' && isDown()) isStruck = true
        if (reason !== 'Installed') return
        installed += 1
        if (isStruck && !isDown()) recovery = Math.max(recovery, now() - outage.until)
        isStruck = false
      }
    },
  }
}

/** Requests by the second. */
export const bySecond = (
  seen: ReadonlyArray<Seen>,
  kind: Seen['kind'],
  seconds: number,
): ReadonlyArray<number> => {
  const counts = new Array<number>(seconds).fill(0)
  for (const { at, kind: its } of seen) {
    const place = Math.floor(at / second)
    if (its === kind && place >= 0 && place < seconds) counts[place] = (counts[place] ?? 0) + 1
  }
  return counts
}

/** What the simulator makes of the scenario's first policy. */
export const simulated = (scenario: Scenario): Side => {
  const [policy] = scenario.policies
  if (policy === undefined) throw new Error('there is no policy')
  const lived = fleet(scenario, policy)
  while (lived.advance(10_000));
  lived.end()
  const { series, certificates, outages } = reportOf(scenario, policy, lived)
  // What comes while the API is down is seen by nobody.
  const isSeen = (at: number) =>
    !scenario.outages.some(
      (outage) => outage.of === 'api' && at * second >= outage.at && at * second < endOf(outage),
    )
  const [create, watch] = [series.create, series.watch].map((counts) =>
    counts.map((sent, at) => (isSeen(at) ? sent : 0)),
  )
  return {
    create: create ?? [],
    watch: watch ?? [],
    installed: certificates.installed,
    recovery: Math.max(0, ...outages.map(({ recovery }) => recovery.longest)),
  }
}

const sum = (counts: ReadonlyArray<number>) => counts.reduce((total, count) => total + count, 0)

/** Kolmogorov's distance: by how much of all requests the two are apart at the worst time. */
export const distance = (one: ReadonlyArray<number>, other: ReadonlyArray<number>): number => {
  const [all, others] = [Math.max(1, sum(one)), Math.max(1, sum(other))]
  let [a, b, worst] = [0, 0, 0]
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    a += one[at] ?? 0
    b += other[at] ?? 0
    worst = Math.max(worst, Math.abs(a / all - b / others))
  }
  return worst
}

export interface Comparison {
  readonly lines: ReadonlyArray<string>
  readonly create: number
  readonly watch: number
  /** Real requests for each simulated one. */
  readonly ratio: number
}

/** Both curves beside each other, in steps of some seconds, and their distances. */
export const compare = (real: Side, model: Side, step = 5): Comparison => {
  const seconds = Math.max(real.create.length, model.create.length)
  const part = (counts: ReadonlyArray<number>, at: number) => sum(counts.slice(at, at + step))
  const lines = ['seconds      creates real  simulated   watches real  simulated']
  for (let at = 0; at < seconds; at += step) {
    const cells = [part(real.create, at), part(model.create, at), part(real.watch, at), part(model.watch, at)]
    lines.push(
      `${`${at}-${at + step}`.padEnd(12)} ${cells.map((cell) => String(cell).padStart(12)).join('')}`,
    )
  }
  const [create, watch] = [distance(real.create, model.create), distance(real.watch, model.watch)]
  const [all, modelled] = [sum(real.create) + sum(real.watch), sum(model.create) + sum(model.watch)]
  const peak = (side: Side) => Math.max(...side.create.map((count, at) => count + (side.watch[at] ?? 0)))
  return {
    lines: [
      ...lines,
      `distance (Kolmogorov): creates ${create.toFixed(3)}, watches ${watch.toFixed(3)}`,
      `requests: ${all} real, ${modelled} simulated; busiest second ${peak(real)} and ${peak(model)}; installed ${real.installed} and ${model.installed}`,
      `recovery of the last one: ${real.recovery ?? '-'} ms real, ${model.recovery ?? '-'} ms simulated`,
    ],
    create,
    watch,
    ratio: all / Math.max(1, modelled),
  }
}
