/** What a simulated fleet came to, as plain numbers; durations and times (from the start) in ms. */
import { inWords, type Milliseconds, rfc3339, second } from '../model/time.js'
import { type Fleet, fleet } from './fleet.js'
import {
  type Durations,
  durationClasses,
  type Kind,
  kinds,
  type Vanity,
  vanities,
  waveBefore,
} from './record.js'
import type { NamedPolicy, Scenario } from './scenario.js'
import { endOf } from './world.js'

/** Durations in classes; `counts[i]` of them are at most `upTo[i]`, the last count is of longer ones. */
export interface Histogram {
  readonly upTo: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

export interface Spread {
  readonly count: number
  readonly mean: Milliseconds
  readonly longest: Milliseconds
  readonly histogram: Histogram
}

export interface PolicyReport {
  readonly policy: string
  /** How far it was lived: the scenario's duration, or until it was interrupted. */
  readonly simulated: Milliseconds
  readonly requests: {
    readonly total: number
    readonly byKind: Readonly<Record<Kind, number>>
    /** A second. */
    readonly mean: number
    /** Of the seconds, 99 in a hundred have no more. */
    readonly p99: number
    readonly peak: number
    readonly peakAt: Milliseconds
    readonly peakToMean: number
    readonly inVain: number
    readonly inVainBy: Readonly<Record<Vanity, number>>
  }
  readonly certificates: { readonly signed: number; readonly installed: number }
  /** From joining to the first certificate. */
  readonly bootstraps: Spread
  /** Times without a certificate that works after there had been one. */
  readonly expired: Spread
  /** Nodes without a working certificate, at the worst time. */
  readonly without: { readonly most: number; readonly mostAt: Milliseconds; readonly atEnd: number }
  /** CertificateSigningRequests in etcd. */
  readonly objects: { readonly most: number; readonly mostAt: Milliseconds }
  readonly outages: ReadonlyArray<{
    readonly of: string
    readonly at: Milliseconds
    readonly lasting: Milliseconds
    /** Of those whose requests it struck: from its end until each had what it wanted. */
    readonly recovery: Spread
    /** Requests in the busiest second of the quarter of an hour after it. */
    readonly peakAfter: number
    /** Requests a second, from a minute before its end. */
    readonly wave: { readonly from: Milliseconds; readonly counts: ReadonlyArray<number> }
  }>
  /** Numbers for each `bin`: requests and installations in it; nodes, those without and objects at its end. */
  readonly series: Readonly<
    Record<Kind | 'installed' | 'nodes' | 'without' | 'objects', ReadonlyArray<number>>
  > & { readonly bin: Milliseconds }
  /** Certificates by the hundredths of their lives at which they were renewed. */
  readonly ages: ReadonlyArray<number>
  /** What is worst, in a sentence. */
  readonly worst: string
}

export interface Report {
  readonly title: string
  readonly seed: number
  /** RFC 3339. */
  readonly start: string
  readonly duration: Milliseconds
  readonly nodes: number
  readonly policies: ReadonlyArray<PolicyReport>
}

const sum = (numbers: Float64Array): number => numbers.reduce((total: number, one: number) => total + one, 0)
const rounded = (value: number): number => Math.round(value * 100) / 100

const spreadOf = ({ counts, total }: Durations): Spread => {
  const { count, sum: all, longest } = total()
  const last = counts.findLastIndex((one: number) => one > 0)
  return {
    count,
    mean: count === 0 ? 0 : Math.round(all / count),
    longest: Math.round(longest),
    histogram: { upTo: durationClasses.slice(0, last + 1), counts: Array.from(counts.slice(0, last + 1)) },
  }
}

const running = (changes: Float64Array): ReadonlyArray<number> => {
  let level = 0
  return Array.from(changes, (change) => {
    level += change
    return level
  })
}

/** The highest of some numbers, and where it is first. */
const highest = (numbers: ReadonlyArray<number>): { readonly most: number; readonly index: number } =>
  numbers.reduce((best, one, index) => (one > best.most ? { most: one, index } : best), { most: 0, index: 0 })

const percentile = (counts: Float64Array, part: number): number => {
  const wanted = sum(counts) * part
  let seen = 0
  return Math.max(
    0,
    counts.findIndex((count: number) => {
      seen += count
      return seen >= wanted
    }),
  )
}

/** The report of a fleet that was lived, or was ended before its time. */
export const reportOf = (scenario: Scenario, { name }: NamedPolicy, { record, now }: Fleet): PolicyReport => {
  const { bin, requests, vain, changes, rates } = record
  const simulated = now()
  const bins = Math.max(1, Math.ceil(simulated / bin))
  const lived = (numbers: Float64Array) => Array.from(numbers.slice(0, bins))
  const level = (numbers: Float64Array) => running(numbers.slice(0, bins))
  const byKind = {
    create: sum(requests.create),
    watch: sum(requests.watch),
    get: sum(requests.get),
    list: sum(requests.list),
    probe: sum(requests.probe),
  }
  const inVainBy = {
    unreachable: sum(vain.unreachable),
    overloaded: sum(vain.overloaded),
    rejected: sum(vain.rejected),
    denied: sum(vain.denied),
    deleted: sum(vain.deleted),
  }
  const total = kinds.reduce((all, kind) => all + byKind[kind], 0)
  const mean = (total / Math.max(simulated, second)) * second
  const peak = record.peak()
  const [without, objects] = [level(changes.without), level(changes.objects)]
  const [lacking, stored] = [highest(without), highest(objects)]
  const known = {
    policy: name,
    simulated,
    requests: {
      total,
      byKind,
      mean: rounded(mean),
      p99: percentile(rates, 0.99),
      peak: peak.count,
      peakAt: Math.round(peak.at),
      peakToMean: rounded(peak.count / Math.max(mean, Number.MIN_VALUE)),
      inVain: vanities.reduce((all, why) => all + inVainBy[why], 0),
      inVainBy,
    },
    certificates: { signed: sum(record.signatures), installed: sum(record.installed) },
    bootstraps: spreadOf(record.bootstraps),
    expired: spreadOf(record.gaps),
    without: { most: lacking.most, mostAt: lacking.index * bin, atEnd: record.lacking() },
    objects: { most: stored.most, mostAt: stored.index * bin },
    outages: record.outages
      .filter(({ outage }) => endOf(outage) <= simulated)
      .map(({ outage, recovery, from, counts }) => ({
        of: outage.of,
        at: outage.at,
        lasting: outage.lasting,
        recovery: spreadOf(recovery),
        peakAfter: highest(Array.from(counts).slice(waveBefore)).most,
        wave: { from: Math.round(from), counts: Array.from(counts) },
      })),
    series: {
      bin,
      create: lived(requests.create),
      watch: lived(requests.watch),
      get: lived(requests.get),
      list: lived(requests.list),
      probe: lived(requests.probe),
      installed: lived(record.installed),
      nodes: level(changes.nodes),
      without,
      objects,
    },
    ages: Array.from(record.ages),
  }
  return { ...known, worst: worstOf(scenario, known) }
}

/** The first of these that is so: what an operator would want to hear before anything else. */
const worstOf = (
  scenario: Scenario,
  { expired, without, outages, requests, bootstraps }: Omit<PolicyReport, 'worst'>,
): string => {
  const { count } = scenario.nodes
  const percent = (part: number) => `${rounded((100 * part) / count)} %`
  if (without.atEnd > 0)
    return `At the end ${without.atEnd} of ${count} nodes (${percent(without.atEnd)}) had no certificate that works.`
  if (expired.count > 0)
    return `Certificates expired, or were rejected, ${expired.count} times before there was another one, for ${inWords(expired.longest)} at the longest.`
  const slowest = outages.toSorted((one, other) => other.recovery.longest - one.recovery.longest)[0]
  if (slowest !== undefined && slowest.recovery.count > 0)
    return `After the outage ${inWords(slowest.at)} from the start (${slowest.of}, ${inWords(slowest.lasting)}) the last of those that it struck (${slowest.recovery.count}) had recovered after ${inWords(slowest.recovery.longest)}, with ${slowest.peakAfter} requests in the busiest second.`
  return `No certificate expired. The busiest second had ${requests.peak} requests, ${requests.peakToMean} times the mean; a first certificate took ${inWords(bootstraps.longest)} at the longest.`
}

/** Lives through a scenario with each of its policies, one after the other. */
export const simulate = (scenario: Scenario): Report => ({
  ...headOf(scenario),
  policies: scenario.policies.map((policy) => {
    const lived = fleet(scenario, policy)
    while (lived.advance(1_000));
    lived.end()
    return reportOf(scenario, policy, lived)
  }),
})

/** What a report says of its scenario. */
export const headOf = ({ title, seed, start, duration, nodes }: Scenario): Omit<Report, 'policies'> => ({
  title,
  seed,
  start: rfc3339(start),
  duration,
  nodes: nodes.count,
})
