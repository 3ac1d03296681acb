/**
 * Everything that can happen to the machine, exhaustively: from each state that was reached, each outcome of the action
 * it decides on, each piece of news, each event that does not fit, each step of the clock, a restart. First all
 * sequences up to a depth, then, a state standing for all that look like it, until nothing new is found.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { decide, evolve, stateOf } from '../../../src/machine/machine.js'
import { notYetValid } from '../../../src/model/certificate.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import { after, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { classOf } from './classes.js'
import { type Credentials, unfairEnd } from './fair.js'
import { type Journal, onAction, onEvent, onRestart } from './invariants.js'
import { clock, misfits, news, outcomes, type Path, type Point, restart, type Step } from './steps.js'

export interface Arrow {
  /** What was known when `event` came, and after it. Without an event: the time went on from `before` to `at`. */
  readonly from: Facts
  readonly label: string
  readonly before: Instant
  readonly at: Instant
  readonly event: Event | undefined
  readonly to: Facts
}

export interface Exploration {
  /** Distinct states of machine, clock and journal on sequences up to `depth`. */
  readonly points: number
  /** Event sequences up to `depth`. */
  readonly sequences: number
  /** Classes of states that look alike, until there are no more. */
  readonly classes: number
  readonly edges: number
  /** Whether nothing new was left to find. */
  readonly closed: boolean
  /** What was wrong, and how to get there. */
  readonly faults: ReadonlyArray<string>
}

export interface Limits {
  readonly depth: number
  readonly classes: number
  /** Whether renewal windows are suggested. */
  readonly windows: boolean
  readonly credentials: ReadonlyArray<Credentials>
}

export const explore = (
  policy: RotationPolicy,
  from: ReadonlyArray<Point>,
  limits: Limits,
  onArrow: (arrow: Arrow) => void = () => {},
): Exploration => {
  const faults = new Map<string, string>()
  const report = (fault: string, path: Path | undefined) => {
    const kind = fault.replace(/\d{2,}/g, 'n')
    if (!faults.has(kind)) faults.set(kind, `${fault}\n  after: ${tell(path)}`)
  }
  let edges = 0
  /** All points one step on, every invariant checked on the way. */
  const successors = (point: Point): ReadonlyArray<Point> => {
    const { facts, now } = point
    const { _tag } = stateOf(policy)(facts, now)
    const action = decide(policy)(facts, now)
    const acting = onAction(policy, point.journal, facts, action, now)
    for (const fault of acting.faults) report(`${fault} (${action._tag} in ${_tag})`, point.path)
    // The clock may have moved on when the action is decided on.
    for (const later of [second, 6 * minute, 2 * hour].map((by) => after(now, by)))
      for (const fault of onAction(policy, point.journal, facts, decide(policy)(facts, later), later).faults)
        report(`${fault} (later, in ${_tag})`, point.path)
    for (const event of misfits(point))
      if (evolve(policy)(facts, event) !== facts)
        report(`5: ${event._tag}, which does not fit, changes ${_tag}`, point.path)
    const steps = [
      ...outcomes(point, action),
      ...news(point, limits.windows),
      ...clock(policy, point),
      restart(point),
    ]
    edges += steps.length
    return steps.map((step) => follow(point, acting.journal, step))
  }
  const follow = (point: Point, acted: Journal, step: Step): Point => {
    const path = { label: step.label, before: point.path }
    let journal = step.action === undefined ? point.journal : acted
    let facts = step.restart ? noFacts(point.facts.wanted) : point.facts
    if (step.facts.length === 0)
      onArrow({ from: facts, label: step.label, before: point.now, at: step.at, event: undefined, to: facts })
    for (const fact of step.facts) {
      const event: Event = { ...fact, at: step.at }
      const next = evolve(policy)(facts, event)
      if (event._tag === 'Loaded') journal = onRestart(journal, event)
      const verdict = onEvent(policy, journal, facts, event, next, step.lost)
      for (const fault of verdict.faults)
        report(`${fault} (${fact._tag} in ${stateOf(policy)(facts, step.at)._tag})`, path)
      onArrow({ from: facts, label: step.label, before: point.now, at: step.at, event, to: next })
      journal = verdict.journal
      facts = next
    }
    return { facts, now: step.at, journal, keys: step.keys ?? point.keys, path }
  }

  const exact = new Map<string, { readonly point: Point; count: number }>()
  const classes = new Map<string, Point>()
  const queue: Array<Point> = []
  const meet = (point: Point) => {
    const key = classOf(policy, point)
    if (classes.has(key) || classes.size >= limits.classes) return
    classes.set(key, point)
    queue.push(point)
    for (const credentials of limits.credentials) {
      if (!credentials.bootstrap && !standsAlone(policy, point)) continue
      const end = unfairEnd(policy, point.facts, point.now, credentials)
      if (end !== undefined) report(`2: in a fair world ${JSON.stringify(credentials)} it ${end}`, point.path)
    }
  }
  let frontier = new Map(from.map((point) => [JSON.stringify(point), { point, count: 1 }]))
  let sequences = 0
  for (let depth = 0; depth < limits.depth; depth++) {
    const next = new Map<string, { readonly point: Point; count: number }>()
    for (const { point, count } of frontier.values()) {
      meet(point)
      for (const successor of successors(point)) {
        sequences += count
        const { path: _, ...value } = successor
        const key = JSON.stringify(value)
        const known = next.get(key)
        if (known === undefined) next.set(key, { point: successor, count })
        else known.count += count
        if (!exact.has(key)) exact.set(key, { point: successor, count: 0 })
      }
    }
    frontier = next
  }
  for (const { point } of frontier.values()) meet(point)
  // The queue grows while it is read.
  for (const point of queue) for (const successor of successors(point)) meet(successor)
  return {
    points: exact.size,
    sequences,
    classes: classes.size,
    edges,
    closed: classes.size < limits.classes,
    faults: [...faults.values()],
  }
}

const tell = (path: Path | undefined): string =>
  path === undefined ? 'start' : `${tell(path.before)} → ${path.label}`

/** Without a bootstrap credential only a certificate with time to spare can help itself. */
const standsAlone = (policy: RotationPolicy, { facts, now }: Point): boolean => {
  const held = O.toUndefined(facts.held)
  return (
    policy.authenticateWith === 'external' ||
    (held !== undefined &&
      !notYetValid(held.certificate, now) &&
      held.certificate.notAfter - now > 40 * minute)
  )
}
