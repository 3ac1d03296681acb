/**
 * What can be measured of one rotation, or of many as one: a snapshot. Counters are of the process, gauges of the moment.
 * What would need a label for each certificate is the worst of all in place of it, so that the number of series is the
 * same for one rotation and for a thousand.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { StateName } from '../describe/transition.js'
import { isUsable, rotationDeadline } from '../machine/due.js'
import type { Facts, Held } from '../machine/facts.js'
import { stateOf } from '../machine/machine.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Instant, Milliseconds } from '../model/time.js'
import { emptyTally, type Histogram, noAges, plusHistogram, plusTally, type Tally } from './tally.js'

export const stateNames = [
  'Bootstrapping',
  'Pending',
  'Approved',
  'Issued',
  'RenewDue',
] as const satisfies ReadonlyArray<StateName>

/** Which certificate of a connection is meant: the one in use, one before it, or none. */
export const connectionKinds = ['current', 'earlier', 'none'] as const
export type ConnectionCounts = Readonly<Record<(typeof connectionKinds)[number], number>>

/** How runs of hooks ended. */
export const hookOutcomes = ['succeeded', 'failed', 'timed_out'] as const

/** What is counted of hooks (commands or functions that are run after a renewal). */
export interface HookCounts {
  readonly runs: Readonly<Record<(typeof hookOutcomes)[number], number>>
  /** Hooks whose last run did not succeed, and that are tried again. */
  readonly failing: number
}

/** How late the event loop was in the last minute or two, in seconds. */
export interface EventLoopDelay {
  readonly mean: number
  readonly p99: number
  readonly max: number
}

/** What the kubelet measures of its client certificate, and of its serving certificate. */
export interface RoleMetrics {
  /** How many rotations have this role. */
  readonly rotations: number
  /** The earliest end of their certificates; none: there is no certificate. */
  readonly notAfter: O.Option<Instant>
  readonly renewalFailures: number
  readonly replacedAges: Histogram
}

export interface Metrics {
  readonly at: Instant
  /** How many rotations are in which state. */
  readonly states: Readonly<Record<StateName, number>>
  /** Rotations with a certificate that works: within its time, and not rejected. */
  readonly usable: number
  /** Rotations whose last attempt failed, and is repeated. */
  readonly failing: number
  readonly client: RoleMetrics
  readonly server: RoleMetrics
  /** The smallest part of a certificate's life that is left, 1 to 0. */
  readonly lifeLeft: O.Option<number>
  /** The earliest renewal that is to come, or overdue. */
  readonly nextRenewal: O.Option<Instant>
  /** When a certificate was last received and stored. */
  readonly lastSuccess: O.Option<Instant>
  /** The server's clock minus ours, ms, as last seen; the one farthest from 0. */
  readonly clockSkew: Milliseconds
  readonly tally: Tally
  /** Absent: nothing that counts its connections follows. */
  readonly connections?: ConnectionCounts
  /** Absent: there are no hooks. */
  readonly hooks?: HookCounts
  /** Absent: not measured. */
  readonly eventLoopDelay?: EventLoopDelay
}

const noRole: RoleMetrics = { rotations: 0, notAfter: O.none, renewalFailures: 0, replacedAges: noAges }
const noStates = { Bootstrapping: 0, Pending: 0, Approved: 0, Issued: 0, RenewDue: 0 }

/** Those of no rotation at all. */
export const noMetrics = (at: Instant): Metrics => ({
  at,
  states: noStates,
  usable: 0,
  failing: 0,
  client: noRole,
  server: noRole,
  lifeLeft: O.none,
  nextRenewal: O.none,
  lastSuccess: O.none,
  clockSkew: 0,
  tally: emptyTally,
})

/** The metrics of a rotation at a time. */
export const measure = (policy: RotationPolicy, facts: Facts, tally: Tally, now: Instant): Metrics => {
  const { held, lastFailure } = facts
  const state = stateOf(policy)(facts, now)
  const role: RoleMetrics = {
    rotations: 1,
    notAfter: O.map(({ certificate }: Held) => certificate.notAfter)(held),
    renewalFailures: tally.renewalFailures,
    replacedAges: tally.replacedAges,
  }
  const isServer = isForServing(facts)
  const atRest = state._tag === 'Issued' && state.stage === 'installed'
  return {
    at: now,
    states: { ...noStates, [state._tag]: 1 },
    usable: O.isSome(held) && isUsable(policy, held.value, now) ? 1 : 0,
    failing: O.isSome(lastFailure) && !atRest ? 1 : 0,
    client: isServer ? noRole : role,
    server: isServer ? role : noRole,
    lifeLeft: O.map(partLeft(now))(held),
    nextRenewal: O.isSome(held) && policy.rotate ? O.some(rotationDeadline(policy, held.value, now)) : O.none,
    lastSuccess: O.map(({ receivedAt }: Held) => receivedAt)(held),
    clockSkew: facts.clockSkew,
    tally,
  }
}

const partLeft =
  (now: Instant) =>
  ({ certificate: { notBefore, notAfter } }: Held): number =>
    Math.min(1, Math.max(0, (notAfter - now) / (notAfter - notBefore)))

/** Whether the certificate is one for servers alone. */
const isForServing = ({ wanted, held }: Facts): boolean => {
  const usages = O.isSome(wanted)
    ? wanted.value.usages
    : O.isSome(held)
      ? O.toUndefined(held.value.certificate.extendedKeyUsages)
      : undefined
  return usages?.includes('server auth') === true && !usages.includes('client auth')
}

/** What stays of a rotation that has ended: its counters, which must not fall. */
export const countersOf = ({ at, client, server, tally, lastSuccess }: Metrics): Metrics => ({
  ...noMetrics(at),
  client: { ...client, rotations: 0, notAfter: O.none },
  server: { ...server, rotations: 0, notAfter: O.none },
  tally,
  lastSuccess,
})

/** Two as one, in any order. */
export const sumOf = (one: Metrics, other: Metrics): Metrics => ({
  at: one.at > other.at ? one.at : other.at,
  states: {
    Bootstrapping: one.states.Bootstrapping + other.states.Bootstrapping,
    Pending: one.states.Pending + other.states.Pending,
    Approved: one.states.Approved + other.states.Approved,
    Issued: one.states.Issued + other.states.Issued,
    RenewDue: one.states.RenewDue + other.states.RenewDue,
  },
  usable: one.usable + other.usable,
  failing: one.failing + other.failing,
  client: plusRole(one.client, other.client),
  server: plusRole(one.server, other.server),
  lifeLeft: least(one.lifeLeft, other.lifeLeft),
  nextRenewal: least(one.nextRenewal, other.nextRenewal),
  lastSuccess: greatest(one.lastSuccess, other.lastSuccess),
  clockSkew: Math.abs(one.clockSkew) > Math.abs(other.clockSkew) ? one.clockSkew : other.clockSkew,
  tally: plusTally(one.tally, other.tally),
  ...connectionsOf(one, other),
  ...hooksOf(one, other),
  ...delayOf(one, other),
})

const plusRole = (one: RoleMetrics, other: RoleMetrics): RoleMetrics => ({
  rotations: one.rotations + other.rotations,
  notAfter: least(one.notAfter, other.notAfter),
  renewalFailures: one.renewalFailures + other.renewalFailures,
  replacedAges: plusHistogram(one.replacedAges, other.replacedAges),
})

export const plusConnections = (one: ConnectionCounts, other: ConnectionCounts): ConnectionCounts => ({
  current: one.current + other.current,
  earlier: one.earlier + other.earlier,
  none: one.none + other.none,
})

const connectionsOf = (one: Metrics, other: Metrics): Pick<Metrics, 'connections'> => {
  const connections = joined(plusConnections, one.connections, other.connections)
  return connections === undefined ? {} : { connections }
}

const hooksOf = (one: Metrics, other: Metrics): Pick<Metrics, 'hooks'> => {
  const hooks = joined(plusHooks, one.hooks, other.hooks)
  return hooks === undefined ? {} : { hooks }
}

/** That of the process: the same for all. */
const delayOf = (one: Metrics, other: Metrics): Pick<Metrics, 'eventLoopDelay'> => {
  const eventLoopDelay = one.eventLoopDelay ?? other.eventLoopDelay
  return eventLoopDelay === undefined ? {} : { eventLoopDelay }
}

const joined = <A>(join: (one: A, other: A) => A, one?: A, other?: A): A | undefined =>
  one !== undefined && other !== undefined ? join(one, other) : (one ?? other)

/** Those of hooks of several rotations, or of several hooks. */
export const plusHooks = (one: HookCounts, other: HookCounts): HookCounts => ({
  runs: {
    succeeded: one.runs.succeeded + other.runs.succeeded,
    failed: one.runs.failed + other.runs.failed,
    timed_out: one.runs.timed_out + other.runs.timed_out,
  },
  failing: one.failing + other.failing,
})

/** The smaller of two, where there are two. */
const least = <A extends number>(one: O.Option<A>, other: O.Option<A>): O.Option<A> =>
  O.isSome(one) && O.isSome(other) ? (one.value < other.value ? one : other) : O.alt(() => other)(one)

const greatest = <A extends number>(one: O.Option<A>, other: O.Option<A>): O.Option<A> =>
  O.isSome(one) && O.isSome(other) ? (one.value > other.value ? one : other) : O.alt(() => other)(one)
