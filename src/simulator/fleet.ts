/**
 * A fleet in virtual time. Each node is its facts, a line of numbers and one entry of the agenda; `decide` says what it
 * does next, the world what that comes to, `evolve` what is known then.
 *
 * What nothing can interfere with is not gone through step by step: the probes of a certificate at rest (`rest.ts`), and
 * renewals to which the API says yes at once (`renewal.ts`). Their times are computed, and what they do to the facts is
 * owed (`knowledge.ts`). Without skipping the same facts come out.
 */
import * as O from 'fp-ts/lib/Option.js'
import { draftOf, type Facts, type Held, noFacts } from '../machine/facts.js'
import type { Draft } from '../model/request.js'
import { endOfTime, type Milliseconds, second } from '../model/time.js'
import { virtualAgenda } from './agenda.js'
import { calls, unreachable } from './calls.js'
import { clientGo } from './client-go.js'
import { knowledge } from './knowledge.js'
import { type Machine, ourMachine } from './machine.js'
import * as its from './nodes.js'
import { type Recorder, recorder } from './record.js'
import { renewal } from './renewal.js'
import { requests } from './requests.js'
import { rest } from './rest.js'
import type { NamedPolicy, Scenario } from './scenario.js'
import { expiry, local, type Setting } from './setting.js'
import { watches } from './watch.js'
import { world } from './world.js'

export interface Fleet {
  /** Lives through so many events, at most until the end; whether there is more. */
  readonly advance: (events: number) => boolean
  readonly now: () => Milliseconds
  /** Ends it where it is: what is under way then is written down. */
  readonly end: () => void
  readonly record: Recorder
  /** What a node knows now; none: it is not there. */
  readonly facts: (node: number) => Facts | undefined
}

export const fleet = (
  scenario: Scenario,
  policy: NamedPolicy,
  { skip = true }: { readonly skip?: boolean } = {},
): Fleet => {
  const { duration, nodes, api } = scenario
  const machine: Machine = policy._tag === 'ClientGo' ? clientGo : ourMachine(policy.policy)
  const period = machine.probeInterval > 0 ? machine.probeInterval + api.latency : second
  const around = world(scenario)
  const record = recorder(scenario, period)
  const rows = its.nodesOf(nodes.count)
  const present = { due: 0, atRest: 0 }
  const setting: Setting = { scenario, machine, around, record, rows, period, skip, present }
  const csrs = requests(scenario, around, record, rows)
  const known = knowledge(setting, csrs)
  const called = calls(setting)
  const resting = rest(setting, known, called)
  const watching = watches(setting, csrs, known, called)
  const renewing = renewal(setting, csrs, known, called, watching, resting)
  const agenda = virtualAgenda(nodes.count)
  const { get, put } = rows
  let now = 0

  /** Does what the machine decides, until something has to be waited for. */
  const act = (node: number, time: Milliseconds): undefined => {
    for (;;) {
      const facts = known.facts(node)
      const action = machine.decide(facts, local(setting, node, time))
      if (action._tag === 'Wait') return resting.wait(node, time, facts, action.until)
      if (action._tag === 'Probe') return resting.probe(node, time, facts)
      resting.stir(node)
      if (action._tag === 'Submit') return renewing.submit(node, time, action)
      if (action._tag === 'Observe') return renewing.observe(node, time, action)
      renewing.install(node, time, action)
    }
  }

  /** Goes on with what a node is doing. */
  const go = (node: number, time: Milliseconds): undefined => {
    switch (get(node, its.doing)) {
      case its.absent:
        return join(node, time)
      case its.submitting:
        return renewing.submitted(node, time) ? act(node, time) : undefined
      case its.watching:
        return renewing.observed(node, time) ? act(node, time) : undefined
      case its.probing:
        return resting.probed(node, time) ? act(node, time) : undefined
      default:
        return act(node, time)
    }
  }

  // What happens to a node -------------------------------------------------------------------------------------------

  const join = (node: number, time: Milliseconds): undefined => {
    record.change('nodes', time, 1)
    put(node, its.skew, around.skew(node))
    put(node, its.notBefore, 0)
    put(node, its.notAfter, 0)
    put(node, its.good, time)
    put(node, its.cut, around.nextChange(node, time).at)
    begin(node, time, O.none)
  }
  /** Its process starts; what it stored is there. */
  const begin = (node: number, time: Milliseconds, draft: O.Option<Draft>): undefined => {
    const { held, wanted } = known.facts(node)
    const kept = O.map((one: Held): Held => ({ ...one, rejectedAt: O.none, serverUntrustedAt: O.none }))(held)
    known.begin(node, noFacts(wanted))
    known.apply(node, { _tag: 'Loaded', held: kept, draft, at: local(setting, node, time) })
    act(node, time)
  }

  const interrupt = (node: number, time: Milliseconds): undefined => {
    const change = around.nextChange(node, get(node, its.cut) - 1)
    const doing = get(node, its.doing)
    const isUnderWay = doing === its.submitting || doing === its.watching || doing === its.probing
    const end = change._tag === 'Suspended' ? change.until : time
    put(node, its.cut, around.nextChange(node, end).at)
    known.settle(node, time)
    if (change._tag === 'Left') return leave(node, time, change.until)
    if (change._tag === 'Restarted') {
      const draft =
        doing === its.submitting
          ? O.some(known.request(node, get(node, its.newest)))
          : O.map(draftOf)(known.facts(node).next)
      watching.close(node)
      return begin(node, time, machine.remembers ? draft : O.none)
    }
    if (change._tag === 'Outage' && isUnderWay) put(node, its.struck, around.outageAt(node, time) + 1)
    if (isUnderWay) called.answer(node, unreachable, end)
    if (end > time) present.due = end
    else if (isUnderWay) go(node, time)
    else act(node, time)
  }
  const leave = (node: number, time: Milliseconds, until: Milliseconds): undefined => {
    watching.close(node)
    renewing.lacked(node, time)
    record.change('nodes', time, -1)
    known.forget(node)
    put(node, its.doing, its.absent)
    put(node, its.struck, 0)
    present.due = until
  }

  // Time goes on -----------------------------------------------------------------------------------------------------

  /** A node's time has come. */
  const wake = (node: number, time: Milliseconds): undefined => {
    if (get(node, its.isSafe) === 1) {
      put(node, its.isSafe, 0)
      resting.probed(node, time)
      put(node, its.doing, its.waiting)
    }
    const doing = get(node, its.doing)
    const wasResting = doing === its.resting && (skip || time >= get(node, its.until))
    if (wasResting) resting.stir(node)
    if (doing !== its.absent && time >= get(node, its.cut)) {
      resting.stir(node)
      return interrupt(node, time)
    }
    const isDue = wasResting && skip && time >= get(node, its.deadline)
    if (isDue && time >= get(node, its.submitted) + machine.submitInterval && time < expiry(setting, node))
      return renewing.begin(node, time)
    if (wasResting) known.settle(node, time)
    go(node, time)
  }

  /** Whether it cannot reach the API from now until it is due: what it does then nobody else sees, and it is gone through at once. */
  const isCutOff = (node: number): boolean => {
    if (present.due > Math.min(duration, now + record.ahead)) return false
    const outage = around.outageAt(node, now)
    return outage >= 0 && around.outageAt(node, present.due) === outage
  }

  for (let node = 0; node < nodes.count; node += 1) agenda.set(node, around.joins(node))

  return {
    advance: (events) => {
      for (let left = events; left > 0; left -= 1) {
        const time = agenda.next()
        if (time > duration || time === endOfTime) {
          now = duration
          return false
        }
        now = time
        record.advance(time)
        const node = agenda.first()
        wake(node, time)
        while (skip && isCutOff(node)) wake(node, present.due)
        agenda.set(node, present.due)
      }
      return true
    },
    now: () => now,
    end: () => {
      record.advance(now)
      for (let node = 0; node < nodes.count; node += 1) {
        if (!known.isThere(node) || now <= get(node, its.good)) continue
        renewing.lacked(node, now)
        record.lacks()
      }
    },
    record,
    facts: (node) => {
      if (!known.isThere(node)) return undefined
      resting.catchUp(node, now)
      known.settle(node, now + 1)
      return known.facts(node)
    },
  }
}
