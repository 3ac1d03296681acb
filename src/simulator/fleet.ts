/**
 * A fleet in virtual time. Each node is its facts, a line of numbers and one entry of the agenda; `decide` says what it
 * does next, the world what that comes to, `evolve` what is known then.
 *
 * What nothing can interfere with is not gone through step by step: the probes of a certificate at rest, and renewals to
 * which the API says yes at once. Their times are computed, and what they do to the facts is owed: `settle` gives the
 * machine the last of each kind before anything else is told to it. Without skipping the same facts come out.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import type { Event, Observation } from '../machine/event.js'
import { type CredentialName, draftOf, type Facts, type Held, noFacts } from '../machine/facts.js'
import type { Draft } from '../model/request.js'
import { endOfTime, type Instant, instant, type Milliseconds, second, wholeSecond } from '../model/time.js'
import { virtualAgenda } from './agenda.js'
import { clientGo } from './client-go.js'
import { isAtRest, type Machine, ourMachine } from './machine.js'
import { certificateOf, chainOf, errors, keyIdOf, requestOf, templateOf } from './material.js'
import * as its from './nodes.js'
import { share } from './random.js'
import { type Recorder, recorder } from './record.js'
import { requests, type Sight } from './requests.js'
import type { NamedPolicy, Scenario } from './scenario.js'
import { requestQueue } from './server.js'
import { salts, world } from './world.js'

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

/** What a node is doing. */
const [absent, waiting, resting, submitting, watching, probing] = [0, 1, 2, 3, 4, 5]
/** What a request comes to. */
const [granted, unreachable, overloaded, rejected, renewed] = [0, 1, 2, 3, 4]
const [create, watch, read, list, probe] = [0, 1, 2, 3, 4]
const credentialNames: ReadonlyArray<CredentialName> = ['held', 'bootstrap', 'external']
const [owesProbe, owesRequest, owesRenewal] = [1, 2, 4]
/** Whom a certificate is for does not matter to when it is renewed. */
const anybody = templateOf(0)
/** An agent gives a request up after this. */
const patience: Milliseconds = 40 * second

export const fleet = (
  scenario: Scenario,
  policy: NamedPolicy,
  { skip = true }: { readonly skip?: boolean } = {},
): Fleet => {
  const { seed, start, duration, nodes, api } = scenario
  const machine: Machine = policy._tag === 'ClientGo' ? clientGo : ourMachine(policy.policy)
  const { probeInterval } = machine
  /** From one probe to the next. */
  const period = probeInterval > 0 ? probeInterval + api.latency : second
  const around = world(scenario)
  const record = recorder(scenario, period)
  const rows = its.nodesOf(nodes.count)
  const { get, put } = rows
  const queue = requestQueue(api)
  const csrs = requests(scenario, around, record, rows)
  const failures = errors(api.retryAfter)
  const agenda = virtualAgenda(nodes.count)

  const known = new Array<Facts | undefined>(nodes.count)
  let [atRest, openWatches, now, due] = [0, 0, 0, 0]

  // What is known ----------------------------------------------------------------------------------------------------

  const local = (node: number, time: Milliseconds): Instant => instant(start + time + get(node, its.skew))
  const offset = (node: number, time: Instant): Milliseconds =>
    time === endOfTime ? endOfTime : time - start - get(node, its.skew)
  /** When its certificate expires by its own clock. */
  const expiry = (node: number): Milliseconds => offset(node, instant(get(node, its.notAfter)))
  const factsOf = (node: number): Facts => known[node] ?? noFacts(O.some(templateOf(node)))
  const apply = (node: number, event: Event): undefined => {
    known[node] = machine.evolve(factsOf(node), event)
  }
  const keyId = (node: number, key: number): string => keyIdOf(seed, node, key)
  const newRequest = (node: number, key: number) => requestOf(keyId(node, key), templateOf(node))

  const applySubmitted = (node: number, key: number, credential: CredentialName, time: Milliseconds) =>
    apply(node, {
      _tag: 'Submitted',
      request: newRequest(node, key),
      credential,
      serverTime: O.some(wholeSecond(instant(start + time))),
      at: local(node, time),
    })
  const learnIssued = (
    node: number,
    key: number,
    dates: readonly [Instant, Instant],
    time: Milliseconds,
  ): undefined => {
    const { template, uid } = newRequest(node, key)
    const chain = chainOf(uid, template, ...dates)
    apply(node, { _tag: 'Observed', uid, observation: { _tag: 'Issued', chain }, at: local(node, time) })
  }

  const learnObserved = (node: number, observation: Observation, time: Milliseconds): undefined =>
    apply(node, {
      _tag: 'Observed',
      uid: keyId(node, get(node, its.newest)),
      observation,
      at: local(node, time),
    })

  /** Gives the machine what is owed to it: what it would have been told before a time. */
  const settle = (node: number, time: Milliseconds): undefined => {
    const debts = get(node, its.owed)
    const approved = Math.max(get(node, its.sees), csrs.decidedAt(node))
    const isTold =
      get(node, its.isQuiet) === 1 && get(node, its.hasWatch) === 1 && approved + api.latency < time
    put(node, its.owed, 0)
    put(node, its.isQuiet, 0)
    const key = get(node, its.certified)
    if ((debts & owesRenewal) > 0) {
      applySubmitted(node, key, machine.credential, get(node, its.renewal))
      const dates = [instant(get(node, its.notBefore)), instant(get(node, its.notAfter))] as const
      learnIssued(node, key, dates, get(node, its.received))
      apply(node, { _tag: 'Installed', keyId: keyId(node, key), at: local(node, get(node, its.received)) })
    }
    if ((debts & owesProbe) > 0) accepted(node, get(node, its.checked))
    if ((debts & owesRequest) === 0) return
    applySubmitted(node, get(node, its.newest), machine.credential, get(node, its.submitted))
    if (
      isTold &&
      approved < get(node, its.heldUntil) &&
      csrs.sight(node, get(node, its.newest), approved) === 'Approved'
    )
      learnObserved(node, { _tag: 'Approved' }, approved + api.latency)
  }
  const accepted = (node: number, time: Milliseconds): undefined =>
    apply(node, {
      _tag: 'CredentialAccepted',
      keyId: keyId(node, get(node, its.certified)),
      at: local(node, time),
    })

  // What is done -----------------------------------------------------------------------------------------------------

  const plan = (_: number, time: Milliseconds): undefined => {
    due = time
  }
  const look = (node: number, time: Milliseconds): undefined => plan(node, Math.min(time, get(node, its.cut)))

  /** Does what the machine decides, until something has to be waited for. */
  const act = (node: number, time: Milliseconds): undefined => {
    for (;;) {
      const facts = factsOf(node)
      const action = machine.decide(facts, local(node, time))
      if (action._tag === 'Wait') return wait(node, time, facts, action.until)
      if (action._tag === 'Probe') return ask(node, time, facts)
      stir(node)
      if (action._tag === 'Submit') return submit(node, time, action)
      if (action._tag === 'Observe')
        return observe(node, time, action.known, action.credential, offset(node, action.until))
      const { certificate } = action.delivered
      apply(node, { _tag: 'Installed', keyId: certificate.keyId, at: local(node, time) })
      installed(node, time, certificate.notBefore, certificate.notAfter)
    }
  }

  const installed = (node: number, time: Milliseconds, from: Instant, to: Instant): undefined => {
    const before = get(node, its.notAfter) - get(node, its.notBefore)
    if (before > 0) record.renewed((start + time - get(node, its.notBefore)) / before)
    record.count('installed', time)
    lacked(node, time)
    recovered(node, time)
    put(node, its.certified, get(node, its.newest))
    put(node, its.notBefore, from)
    put(node, its.notAfter, to)
    put(node, its.good, Math.min(to - start, around.acceptedUntil(around.authorityAt(csrs.signedAt(node)))))
  }
  /** Writes down how long it had no certificate that works. */
  const lacked = (node: number, time: Milliseconds): undefined => {
    if (time > get(node, its.good)) record.gap(get(node, its.good), time, get(node, its.notAfter) === 0)
  }
  const recovered = (node: number, time: Milliseconds): undefined => {
    const outage = get(node, its.struck)
    put(node, its.struck, 0)
    if (outage > 0) record.recovered(outage - 1, time)
  }

  /** A request of a kind: what it comes to, and when. */
  const send = (node: number, kind: number, time: Milliseconds, credential: CredentialName): undefined => {
    record.request(kind, time)
    const outage = around.outageAt(node, time)
    if (outage >= 0) {
      put(node, its.struck, outage + 1)
      return answer(node, unreachable, time + api.latency)
    }
    const chance = share(seed, node, salts.service, get(node, its.sent))
    put(node, its.sent, get(node, its.sent) + 1)
    const end = queue.arrive(time, chance, probeInterval > 0 ? (atRest * second) / period : 0)
    if (end < 0) return answer(node, overloaded, time + api.latency)
    if (end - time > patience) return answer(node, unreachable, time + patience)
    const isGood =
      credential === 'external' ||
      (credential === 'bootstrap'
        ? time < scenario.bootstrapTokensUntil
        : start + time >= get(node, its.notBefore) && time < get(node, its.good))
    answer(node, isGood ? granted : rejected, Math.ceil(end) + api.latency)
  }
  const answer = (node: number, what: number, time: Milliseconds): undefined => {
    put(node, its.answers, what)
    put(node, its.answered, time)
  }
  const failureOf = (node: number, time: Milliseconds) => {
    const what = get(node, its.answers)
    const why = what === unreachable ? 'unreachable' : what === overloaded ? 'overloaded' : 'rejected'
    record.inVain(why, time)
    return failures[why]
  }

  // At rest ----------------------------------------------------------------------------------------------------------

  const wait = (node: number, time: Milliseconds, facts: Facts, end: Instant): undefined => {
    put(node, its.doing, waiting)
    if (O.isSome(facts.held) && isCalm(node, time, facts)) {
      const here = local(node, time)
      const checkedAt = O.getOrElse(() => here)(facts.checkedAt)
      if (O.isSome(facts.checkedAt)) put(node, its.checked, offset(node, checkedAt))
      const deadline = offset(node, machine.deadline(facts.held.value, here, checkedAt))
      if (deadline > time) return rest(node, time, deadline)
    }
    stir(node)
    look(node, offset(node, end))
  }

  /** Whether nothing but probes that will be answered, and the deadline, can come before the next interruption. */
  const isCalm = (node: number, time: Milliseconds, facts: Facts): boolean =>
    isAtRest(facts, local(node, time)) && time < get(node, its.good) && around.outageAt(node, time) < 0

  const rest = (node: number, time: Milliseconds, deadline: Milliseconds): undefined => {
    put(node, its.doing, resting)
    const end = Math.min(deadline, get(node, its.cut), get(node, its.good), expiry(node))
    put(node, its.until, end)
    put(node, its.deadline, deadline)
    if (get(node, its.isResting) === 0) {
      put(node, its.isResting, 1)
      atRest += 1
      put(node, its.since, time)
      if (skip && probeInterval > 0) record.startProbes(get(node, its.checked) + probeInterval)
    }
    const first = probeInterval > 0 ? get(node, its.checked) + probeInterval : endOfTime
    // A probe that is under way then is waited for.
    plan(node, skip ? Math.max(end, lastAnswer(node, end)) : Math.min(end, first))
  }

  /** When the last probe that was begun before a time is answered; when the server was last asked, if none was. */
  const lastAnswer = (node: number, end: Milliseconds): Milliseconds => {
    const last = get(node, its.checked)
    const first = last + probeInterval
    return probeInterval === 0 || first >= end ? last : last + Math.ceil((end - first) / period) * period
  }

  /** Rest is over. */
  const stir = (node: number): undefined => {
    if (get(node, its.isResting) === 0) return
    put(node, its.isResting, 0)
    atRest -= 1
    if (!skip || probeInterval === 0) return
    const last = lastAnswer(node, get(node, its.until))
    record.endProbes(get(node, its.checked) + probeInterval, get(node, its.since), last - api.latency)
    if (last > get(node, its.checked)) put(node, its.owed, get(node, its.owed) | owesProbe)
    put(node, its.checked, last)
  }

  /** A probe by itself: one that is part of a rest is answered whatever comes, so that skipped ones are like it. */
  const ask = (node: number, time: Milliseconds, facts: Facts): undefined => {
    put(node, its.doing, probing)
    if (O.isSome(facts.checkedAt) && isCalm(node, time, facts)) {
      record.request(probe, time)
      put(node, its.isSafe, 1)
      answer(node, granted, time + api.latency)
      return plan(node, time + api.latency)
    }
    stir(node)
    request(node, probe, time, 'held')
  }

  const asked = (node: number, time: Milliseconds): undefined => {
    if (get(node, its.answers) === granted) {
      accepted(node, time)
      recovered(node, time)
    } else
      apply(node, {
        _tag: 'ProbeFailed',
        keyId: keyId(node, get(node, its.certified)),
        failure: failureOf(node, time),
        at: local(node, time),
      })
  }

  // Renewal ----------------------------------------------------------------------------------------------------------

  const submit = (node: number, time: Milliseconds, { draft, credential }: Of<'Submit'>): undefined => {
    if (O.isNone(draft)) put(node, its.newest, get(node, its.newest) + 1)
    request(node, create, time, credential)
  }
  /** A renewal that the machine hears of when it is over, or something gets in its way. */
  const renew = (node: number, time: Milliseconds): undefined => {
    put(node, its.isQuiet, 1)
    put(node, its.newest, get(node, its.newest) + 1)
    request(node, create, time, machine.credential)
  }
  const request = (node: number, kind: number, time: Milliseconds, credential: CredentialName): undefined => {
    put(node, its.doing, kind === create ? submitting : probing)
    put(node, its.credential, credentialNames.indexOf(credential))
    send(node, kind, time, credential)
    look(node, get(node, its.answered))
  }
  const credentialOf = (node: number): CredentialName => {
    const number = get(node, its.credential)
    return number === 0 ? 'held' : number === 1 ? 'bootstrap' : 'external'
  }

  /** The answer to a submission: the request is at the API now, or was there already; or it failed. */
  const submissionEnds = (node: number, time: Milliseconds): undefined => {
    const key = get(node, its.newest)
    if (get(node, its.answers) !== granted) {
      settle(node, time)
      const draft = machine.remembers ? O.some(newRequest(node, key)) : O.none
      const failure = failureOf(node, time)
      apply(node, {
        _tag: 'SubmitFailed',
        draft,
        credential: credentialOf(node),
        failure,
        at: local(node, time),
      })
      return act(node, time)
    }
    put(node, its.submitted, time)
    put(node, its.failedWatch, 0)
    const there = csrs.sight(node, key, time)
    if (there === 'Gone') csrs.create(node, key, time - api.latency)
    else record.request(read, time)
    if (get(node, its.isQuiet) === 1 && time < expiry(node)) {
      put(node, its.owed, get(node, its.owed) | owesRequest)
      return observe(
        node,
        time,
        'Pending',
        machine.credential,
        Math.min(expiry(node), time + machine.patience),
      )
    }
    settle(node, time)
    applySubmitted(node, key, credentialOf(node), time)
    if (there !== 'Gone' && there !== 'Pending') sighted(node, there, time)
    act(node, time)
  }

  /** A watch that is open is gone on with; what it told is not told again. */
  const observe = (
    node: number,
    time: Milliseconds,
    condition: 'Pending' | 'Approved',
    credential: CredentialName,
    end: Milliseconds,
  ): undefined => {
    const isOpen = get(node, its.hasWatch) === 1 && credentialOf(node) === credential
    put(node, its.doing, watching)
    if (!isOpen) openWatch(node, time, credential)
    // What the server knows now, or when the watch began, is news at once; the rest when it happens.
    const seen = (isOpen ? time : get(node, its.answered)) - api.latency
    expect(node, seen, condition)
    if (get(node, its.isQuiet) === 0)
      return look(node, Math.min(get(node, its.answered), Math.max(time + 1, end)))
    if (get(node, its.answered) < end) return look(node, get(node, its.answered))
    // It would be asked in between.
    settle(node, time)
    expect(node, seen, condition)
    const action = machine.decide(factsOf(node), local(node, time))
    if (action._tag === 'Observe')
      look(node, Math.min(get(node, its.answered), Math.max(time + 1, offset(node, action.until))))
  }
  /** When an open watch is answered. */
  const expect = (node: number, seen: Milliseconds, condition: 'Pending' | 'Approved'): undefined => {
    if (get(node, its.hasWatch) === 0) return
    const news = newsFor(node, seen, condition)
    if (news < get(node, its.heldUntil)) answer(node, granted, news + api.latency)
    else answer(node, renewed, get(node, its.heldUntil))
  }
  /** When the watch tells something; that a request is approved is passed over where the machine is not asked. */
  const newsFor = (node: number, seen: Milliseconds, condition: 'Pending' | 'Approved'): Milliseconds => {
    const key = get(node, its.newest)
    const signature = csrs.signedAt(node)
    if (get(node, its.isQuiet) === 1 && csrs.sight(node, key, signature) === 'Issued')
      return Math.max(seen, signature)
    return csrs.sight(node, key, seen) === condition ? csrs.changes(node, seen) : seen
  }

  const openWatch = (node: number, time: Milliseconds, credential: CredentialName): undefined => {
    closeWatch(node)
    put(node, its.credential, credentialNames.indexOf(credential))
    const before = machine.lists ? list : get(node, its.failedWatch) === 1 ? read : undefined
    put(node, its.answers, granted)
    if (before !== undefined) send(node, before, time, credential)
    if (get(node, its.answers) === granted) send(node, watch, time, credential)
    if (get(node, its.answers) !== granted) return
    if (openWatches >= api.watches) return answer(node, overloaded, get(node, its.answered))
    put(node, its.hasWatch, 1)
    put(node, its.sees, get(node, its.answered) - api.latency)
    openWatches += 1
    put(
      node,
      its.heldUntil,
      time + 300 * second + Math.floor(300 * second * share(seed, node, salts.watch, get(node, its.sent))),
    )
  }
  const closeWatch = (node: number): undefined => {
    openWatches -= get(node, its.hasWatch)
    put(node, its.hasWatch, 0)
  }

  const observationEnds = (node: number, time: Milliseconds): undefined => {
    if (time < get(node, its.answered)) return lookAgain(node, time)
    const what = get(node, its.answers)
    if (what === renewed) {
      settle(node, time)
      closeWatch(node)
      return act(node, time)
    }
    if (what !== granted) {
      closeWatch(node)
      settle(node, time)
      put(node, its.failedWatch, 1)
      const { uid } = newRequest(node, get(node, its.newest))
      const failure = failureOf(node, time)
      apply(node, {
        _tag: 'ObserveFailed',
        uid,
        credential: credentialOf(node),
        failure,
        at: local(node, time),
      })
      return act(node, time)
    }
    put(node, its.failedWatch, 0)
    const sight = csrs.sight(node, get(node, its.newest), time - api.latency)
    if (get(node, its.isQuiet) === 1 && sight === 'Issued') return renewalEnds(node, time)
    settle(node, time)
    sighted(node, sight, time)
    act(node, time)
  }
  /** The machine wanted to look at something else meanwhile: it may go on watching. */
  const lookAgain = (node: number, time: Milliseconds): undefined => {
    settle(node, time)
    const action = machine.decide(factsOf(node), local(node, time))
    if (action._tag !== 'Observe') closeWatch(node)
    act(node, time)
  }

  const sighted = (node: number, sight: Sight, time: Milliseconds): undefined => {
    const key = get(node, its.newest)
    if (sight !== 'Approved') closeWatch(node)
    if (sight === 'Issued') return learnIssued(node, key, [csrs.notBefore(node), csrs.notAfter(node)], time)
    if (sight === 'Denied') record.inVain('denied', time)
    if (sight === 'Gone') record.inVain('deleted', time)
    const observation =
      sight === 'Denied'
        ? ({ _tag: sight, reason: 'Simulated', message: '' } as const)
        : ({ _tag: sight } as const)
    learnObserved(node, observation, time)
  }

  /** The certificate of a renewal that nothing got in the way of is installed, if the machine would find nothing wrong. */
  const renewalEnds = (node: number, time: Milliseconds): undefined => {
    const [from, to] = [csrs.notBefore(node), csrs.notAfter(node)]
    const here = local(node, time)
    if (here < from || here >= to || to < get(node, its.notAfter)) {
      settle(node, time)
      sighted(node, 'Issued', time)
      return act(node, time)
    }
    closeWatch(node)
    const key = get(node, its.newest)
    const certificate = certificateOf(keyId(node, key), anybody, from, to)
    const deadline = offset(node, machine.deadline({ certificate, receivedAt: here }, here, here))
    installed(node, time, from, to)
    put(node, its.isQuiet, 0)
    put(node, its.owed, owesRenewal)
    put(node, its.renewal, get(node, its.submitted))
    put(node, its.received, time)
    put(node, its.checked, time)
    if (deadline > time && time < get(node, its.good)) return rest(node, time, deadline)
    settle(node, time)
    act(node, time)
  }

  // What happens to a node -------------------------------------------------------------------------------------------

  const join = (node: number, time: Milliseconds): undefined => {
    record.change('nodes', time, 1)
    put(node, its.skew, around.skew(node))
    put(node, its.notBefore, 0)
    put(node, its.notAfter, 0)
    put(node, its.good, time)
    put(node, its.cut, around.nextChange(node, time).at)
    begin(node, time, factsOf(node), O.none)
  }
  const begin = (node: number, time: Milliseconds, before: Facts, draft: O.Option<Draft>): undefined => {
    const kept = O.map((one: Held): Held => ({ ...one, rejectedAt: O.none, serverUntrustedAt: O.none }))(
      before.held,
    )
    known[node] = noFacts(before.wanted)
    apply(node, { _tag: 'Loaded', held: kept, draft, at: local(node, time) })
    act(node, time)
  }

  const interrupt = (node: number, time: Milliseconds): undefined => {
    const change = around.nextChange(node, get(node, its.cut) - 1)
    const isUnderWay = get(node, its.doing) >= submitting
    const end = change._tag === 'Suspended' ? change.until : time
    put(node, its.cut, around.nextChange(node, end).at)
    settle(node, time)
    if (change._tag === 'Left') return leave(node, time, change.until)
    if (change._tag === 'Restarted') {
      const { next } = factsOf(node)
      const draft =
        get(node, its.doing) === submitting
          ? O.some(newRequest(node, get(node, its.newest)))
          : O.map(draftOf)(next)
      closeWatch(node)
      return begin(node, time, factsOf(node), machine.remembers ? draft : O.none)
    }
    if (change._tag === 'Outage' && isUnderWay) put(node, its.struck, around.outageAt(node, time) + 1)
    if (isUnderWay) answer(node, unreachable, end)
    return end > time ? plan(node, end) : isUnderWay ? go(node, time) : act(node, time)
  }
  const leave = (node: number, time: Milliseconds, until: Milliseconds): undefined => {
    closeWatch(node)
    lacked(node, time)
    record.change('nodes', time, -1)
    known[node] = undefined
    put(node, its.doing, absent)
    put(node, its.struck, 0)
    plan(node, until)
  }

  /** Goes on with what a node is doing. */
  const go = (node: number, time: Milliseconds): undefined => {
    switch (get(node, its.doing)) {
      case absent:
        return join(node, time)
      case submitting:
        return submissionEnds(node, time)
      case watching:
        return observationEnds(node, time)
      case probing:
        asked(node, time)
        return act(node, time)
      default:
        return act(node, time)
    }
  }

  /** A node's time has come. */
  const wake = (node: number, time: Milliseconds): undefined => {
    if (get(node, its.isSafe) === 1) {
      put(node, its.isSafe, 0)
      asked(node, time)
      put(node, its.doing, waiting)
    }
    const wasResting = get(node, its.doing) === resting && (skip || time >= get(node, its.until))
    if (wasResting) stir(node)
    if (get(node, its.doing) !== absent && time >= get(node, its.cut)) {
      stir(node)
      return interrupt(node, time)
    }
    const isDue = wasResting && skip && time >= get(node, its.deadline)
    if (isDue && time >= get(node, its.submitted) + machine.submitInterval && time < expiry(node))
      return renew(node, time)
    if (wasResting) settle(node, time)
    go(node, time)
  }

  /** Whether it cannot reach the API from now until it is due: what it does then nobody else sees, and it is gone through at once. */
  const isCutOff = (node: number): boolean => {
    if (due > Math.min(duration, now + record.ahead)) return false
    const outage = around.outageAt(node, now)
    return outage >= 0 && around.outageAt(node, due) === outage
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
        while (skip && isCutOff(node)) wake(node, due)
        agenda.set(node, due)
      }
      return true
    },
    now: () => now,
    end: () => {
      record.advance(now)
      for (let node = 0; node < nodes.count; node += 1) {
        if (known[node] === undefined || now <= get(node, its.good)) continue
        lacked(node, now)
        record.lacks()
      }
    },
    record,
    facts: (node) => {
      if (known[node] === undefined) return undefined
      if (skip && get(node, its.doing) === resting && probeInterval > 0) {
        const answeredSoFar = Math.min(get(node, its.until), now - api.latency + 1)
        const last = lastAnswer(node, answeredSoFar)
        if (last > get(node, its.checked)) put(node, its.owed, get(node, its.owed) | owesProbe)
        put(node, its.checked, last)
      }
      settle(node, now + 1)
      return known[node]
    },
  }
}

type Of<Tag extends Action['_tag']> = Extract<Action, { readonly _tag: Tag }>
