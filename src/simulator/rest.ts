/**
 * A certificate at rest: only probes and its deadline are to come. With skipping, its probes are one line in the record,
 * and the node is not heard of before something else happens.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Facts } from '../machine/facts.js'
import { endOfTime, type Instant, type Milliseconds } from '../model/time.js'
import { type Calls, granted, probe } from './calls.js'
import { type Knowledge, owesProbe } from './knowledge.js'
import { isAtRest } from './machine.js'
import * as its from './nodes.js'
import { expiry, local, look, offset, type Setting } from './setting.js'

export interface Rest {
  /** The machine waits until a time: at rest, if it is that. */
  readonly wait: (node: number, time: Milliseconds, facts: Facts, end: Instant) => undefined
  /** A certificate comes to rest; its renewal is due at `deadline`. */
  readonly begin: (node: number, time: Milliseconds, deadline: Milliseconds) => undefined
  /** Rest is over, if it was. */
  readonly stir: (node: number) => undefined
  /** The machine probes: whether the certificate is accepted. */
  readonly probe: (node: number, time: Milliseconds, facts: Facts) => undefined
  /** A probe is answered; whether the machine is asked next. */
  readonly probed: (node: number, time: Milliseconds) => boolean
  /** What is owed to a node at rest up to now. */
  readonly catchUp: (node: number, now: Milliseconds) => undefined
}

export const rest = (setting: Setting, { apply, accepted, owe, keyId }: Knowledge, calls: Calls): Rest => {
  const { scenario, machine, around, record, rows, present, period, skip } = setting
  const { probeInterval } = machine
  const { latency } = scenario.api
  const { get, put } = rows

  /** Whether nothing but probes that will be answered, and the deadline, can come before the next interruption. */
  const isCalm = (node: number, time: Milliseconds, facts: Facts): boolean =>
    isAtRest(facts, local(setting, node, time)) &&
    time < get(node, its.good) &&
    around.outageAt(node, time) < 0

  /** When the last probe that was begun before a time is answered; when the server was last asked, if none was. */
  const lastAnswer = (node: number, end: Milliseconds): Milliseconds => {
    const last = get(node, its.checked)
    const first = last + probeInterval
    return probeInterval === 0 || first >= end ? last : last + Math.ceil((end - first) / period) * period
  }
  /** The last of the probes up to a time is owed. */
  const checkedBy = (node: number, end: Milliseconds): Milliseconds => {
    const last = lastAnswer(node, end)
    if (last > get(node, its.checked)) owe(node, owesProbe)
    put(node, its.checked, last)
    return last
  }

  const begin = (node: number, time: Milliseconds, deadline: Milliseconds): undefined => {
    put(node, its.doing, its.resting)
    const end = Math.min(deadline, get(node, its.cut), get(node, its.good), expiry(setting, node))
    put(node, its.until, end)
    put(node, its.deadline, deadline)
    const first = probeInterval > 0 ? get(node, its.checked) + probeInterval : endOfTime
    if (get(node, its.isResting) === 0) {
      put(node, its.isResting, 1)
      present.atRest += 1
      put(node, its.since, time)
      if (skip && probeInterval > 0) record.startProbes(first)
    }
    // A probe that is under way then is waited for.
    present.due = skip ? Math.max(end, lastAnswer(node, end)) : Math.min(end, first)
  }

  const stir = (node: number): undefined => {
    if (get(node, its.isResting) === 0) return
    put(node, its.isResting, 0)
    present.atRest -= 1
    if (!skip || probeInterval === 0) return
    const first = get(node, its.checked) + probeInterval
    record.endProbes(first, get(node, its.since), checkedBy(node, get(node, its.until)) - latency)
  }

  const send = (node: number, time: Milliseconds): undefined => {
    calls.send(node, probe, time, 'held')
    look(setting, node, get(node, its.answered))
  }

  return {
    wait: (node, time, facts, end) => {
      put(node, its.doing, its.waiting)
      if (O.isSome(facts.held) && isCalm(node, time, facts)) {
        const here = local(setting, node, time)
        const checkedAt = O.getOrElse(() => here)(facts.checkedAt)
        if (O.isSome(facts.checkedAt)) put(node, its.checked, offset(setting, node, checkedAt))
        const deadline = offset(setting, node, machine.deadline(facts.held.value, here, checkedAt))
        if (deadline > time) return begin(node, time, deadline)
      }
      stir(node)
      look(setting, node, offset(setting, node, end))
    },
    begin,
    stir,
    // One that is part of a rest is answered whatever comes, so that skipped ones are like it.
    probe: (node, time, facts) => {
      put(node, its.doing, its.probing)
      if (O.isSome(facts.checkedAt) && isCalm(node, time, facts)) {
        record.request(probe, time)
        put(node, its.isSafe, 1)
        calls.answer(node, granted, time + latency)
        present.due = time + latency
        return
      }
      stir(node)
      send(node, time)
    },
    probed: (node, time) => {
      if (calls.isHeld(node)) {
        send(node, time)
        return false
      }
      if (calls.isGranted(node)) {
        accepted(node, time)
        calls.recovered(node, time)
      } else
        apply(node, {
          _tag: 'ProbeFailed',
          keyId: keyId(node, get(node, its.certified)),
          failure: calls.failure(node, time),
          at: local(setting, node, time),
        })
      return true
    },
    catchUp: (node, now) => {
      if (skip && get(node, its.doing) === its.resting && probeInterval > 0)
        checkedBy(node, Math.min(get(node, its.until), now - latency + 1))
    },
  }
}
