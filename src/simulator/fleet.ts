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
import type { Event } from '../machine/event.js'
import { type CredentialName, draftOf, type Facts, type Held, noFacts } from '../machine/facts.js'
import type { Draft } from '../model/request.js'
import { endOfTime, type Instant, instant, type Milliseconds, second, wholeSecond } from '../model/time.js'
import { virtualAgenda } from './agenda.js'
import { clientGo } from './client-go.js'
import { isAtRest, type Machine, ourMachine } from './machine.js'
import { certificateOf, chainOf, errors, keyIdOf, requestOf, templateOf } from './material.js'
import { at } from './numbers.js'
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
const [create, watch, get, list, probe] = [0, 1, 2, 3, 4]
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
  const queue = requestQueue(api)
  const csrs = requests(scenario, around, record)
  const failures = errors(api.retryAfter)
  const agenda = virtualAgenda(nodes.count)

  const numbers = () => new Float64Array(nodes.count)
  const flags = () => new Int32Array(nodes.count)
  const known = new Array<Facts | undefined>(nodes.count)
  /** What it is doing, what that comes to and when; whether that is out of the reach of what happens meanwhile. */
  const [doing, answers, answered, isSafe] = [flags(), flags(), numbers(), flags()]
  /** How far its clock is ahead; the number of its newest key, and of requests that it has sent. */
  const [skews, keys, sent] = [flags(), flags(), flags()]
  /** Whether it has a watch open; until when the server holds that; whether the last one failed; whose credential. */
  const [watches, held, failedWatch, credentials] = [flags(), numbers(), flags(), flags()]
  /** When something interrupts it next, and which outage did (its index and 1). */
  const [cuts, struck] = [numbers(), flags()]
  /** Its certificate: the number of its key, its dates, and until when the API accepts it or since when it lacks one. */
  const [certified, notBefore, notAfter, good] = [flags(), numbers(), numbers(), numbers()]
  /** At rest: since when, when the server was last asked, when rest ends, and when a renewal is due. */
  const [isResting, since, checked, until, deadlines] = [flags(), numbers(), numbers(), numbers(), numbers()]
  /** Whether what it does now is not told to the machine yet; what is owed, and when that was. */
  const [isQuiet, owed, submitted, renewal, received] = [flags(), flags(), numbers(), numbers(), numbers()]
  let [atRest, openWatches, now] = [0, 0, 0]

  // What is known ----------------------------------------------------------------------------------------------------

  const local = (node: number, time: Milliseconds): Instant => instant(start + time + at(skews, node))
  const offset = (node: number, time: Instant): Milliseconds =>
    time === endOfTime ? endOfTime : time - start - at(skews, node)
  /** When its certificate expires by its own clock. */
  const expiry = (node: number): Milliseconds => offset(node, instant(at(notAfter, node)))
  const factsOf = (node: number): Facts => known[node] ?? noFacts(O.some(templateOf(node)))
  const learn = (node: number, event: Event): undefined => {
    known[node] = machine.evolve(factsOf(node), event)
  }
  const keyId = (node: number, key: number): string => keyIdOf(seed, node, key)
  const newRequest = (node: number, key: number) => requestOf(keyId(node, key), templateOf(node))

  const learnSubmitted = (node: number, key: number, credential: CredentialName, time: Milliseconds) =>
    learn(node, {
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
    learn(node, { _tag: 'Observed', uid, observation: { _tag: 'Issued', chain }, at: local(node, time) })
  }

  /** Gives the machine what is owed to it. */
  const settle = (node: number): undefined => {
    const debts = at(owed, node)
    owed[node] = 0
    isQuiet[node] = 0
    const key = at(certified, node)
    if ((debts & owesRenewal) > 0) {
      learnSubmitted(node, key, machine.credential, at(renewal, node))
      const dates = [instant(at(notBefore, node)), instant(at(notAfter, node))] as const
      learnIssued(node, key, dates, at(received, node))
      learn(node, { _tag: 'Installed', keyId: keyId(node, key), at: local(node, at(received, node)) })
    }
    if ((debts & owesProbe) > 0) accepted(node, at(checked, node))
    if ((debts & owesRequest) > 0)
      learnSubmitted(node, at(keys, node), machine.credential, at(submitted, node))
  }
  const accepted = (node: number, time: Milliseconds): undefined =>
    learn(node, {
      _tag: 'CredentialAccepted',
      keyId: keyId(node, at(certified, node)),
      at: local(node, time),
    })

  // What is done -----------------------------------------------------------------------------------------------------

  const plan = (node: number, time: Milliseconds): undefined => {
    agenda.set(node, time)
  }
  const look = (node: number, time: Milliseconds): undefined => plan(node, Math.min(time, at(cuts, node)))

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
      learn(node, { _tag: 'Installed', keyId: certificate.keyId, at: local(node, time) })
      installed(node, time, certificate.notBefore, certificate.notAfter)
    }
  }

  const installed = (node: number, time: Milliseconds, from: Instant, to: Instant): undefined => {
    const before = at(notAfter, node) - at(notBefore, node)
    if (before > 0) record.renewed((start + time - at(notBefore, node)) / before)
    record.count('installed', time)
    lacked(node, time)
    recovered(node, time)
    certified[node] = at(keys, node)
    notBefore[node] = from
    notAfter[node] = to
    good[node] = Math.min(to - start, around.acceptedUntil(around.authorityAt(csrs.signedAt(node))))
  }
  /** Writes down how long it had no certificate that works. */
  const lacked = (node: number, time: Milliseconds): undefined => {
    if (time > at(good, node)) record.gap(at(good, node), time, at(notAfter, node) === 0)
  }
  const recovered = (node: number, time: Milliseconds): undefined => {
    const outage = at(struck, node)
    struck[node] = 0
    if (outage > 0) record.recovered(outage - 1, time)
  }

  /** A request of a kind: what it comes to, and when. */
  const send = (node: number, kind: number, time: Milliseconds, credential: CredentialName): undefined => {
    record.request(kind)
    const outage = around.outageAt(node, time)
    if (outage >= 0) {
      struck[node] = outage + 1
      return answer(node, unreachable, time + api.latency)
    }
    const chance = share(seed, node, salts.service, at(sent, node))
    sent[node] = at(sent, node) + 1
    const end = queue.arrive(time, chance, probeInterval > 0 ? (atRest * second) / period : 0)
    if (end < 0) return answer(node, overloaded, time + api.latency)
    if (end - time > patience) return answer(node, unreachable, time + patience)
    const isGood =
      credential === 'external' ||
      (credential === 'bootstrap'
        ? time < scenario.bootstrapTokensUntil
        : start + time >= at(notBefore, node) && time < at(good, node))
    answer(node, isGood ? granted : rejected, Math.ceil(end) + api.latency)
  }
  const answer = (node: number, what: number, time: Milliseconds): undefined => {
    answers[node] = what
    answered[node] = time
  }
  const failureOf = (node: number, time: Milliseconds) => {
    const what = at(answers, node)
    const why = what === unreachable ? 'unreachable' : what === overloaded ? 'overloaded' : 'rejected'
    record.inVain(why, time)
    return failures[why]
  }

  // At rest ----------------------------------------------------------------------------------------------------------

  const wait = (node: number, time: Milliseconds, facts: Facts, end: Instant): undefined => {
    doing[node] = waiting
    if (O.isSome(facts.held) && isCalm(node, time, facts)) {
      const here = local(node, time)
      const checkedAt = O.getOrElse(() => here)(facts.checkedAt)
      if (O.isSome(facts.checkedAt)) checked[node] = offset(node, checkedAt)
      const deadline = offset(node, machine.deadline(facts.held.value, here, checkedAt))
      if (deadline > time) return rest(node, time, deadline)
    }
    stir(node)
    look(node, offset(node, end))
  }

  /** Whether nothing but probes that will be answered, and the deadline, can come before the next interruption. */
  const isCalm = (node: number, time: Milliseconds, facts: Facts): boolean =>
    isAtRest(facts, local(node, time)) && time < at(good, node) && around.outageAt(node, time) < 0

  const rest = (node: number, time: Milliseconds, deadline: Milliseconds): undefined => {
    doing[node] = resting
    const end = Math.min(deadline, at(cuts, node), at(good, node), expiry(node))
    until[node] = end
    deadlines[node] = deadline
    if (at(isResting, node) === 0) {
      isResting[node] = 1
      atRest += 1
      since[node] = time
      if (skip && probeInterval > 0) record.startProbes(at(checked, node) + probeInterval)
    }
    const first = probeInterval > 0 ? at(checked, node) + probeInterval : endOfTime
    // A probe that is under way then is waited for.
    agenda.set(node, skip ? Math.max(end, lastAnswer(node, end)) : Math.min(end, first))
  }

  /** When the last probe that was begun before a time is answered; when the server was last asked, if none was. */
  const lastAnswer = (node: number, end: Milliseconds): Milliseconds => {
    const last = at(checked, node)
    const first = last + probeInterval
    return probeInterval === 0 || first >= end ? last : last + Math.ceil((end - first) / period) * period
  }

  /** Rest is over. */
  const stir = (node: number): undefined => {
    if (at(isResting, node) === 0) return
    isResting[node] = 0
    atRest -= 1
    if (!skip || probeInterval === 0) return
    const last = lastAnswer(node, at(until, node))
    record.endProbes(at(checked, node) + probeInterval, at(since, node), last - api.latency)
    if (last > at(checked, node)) owed[node] = at(owed, node) | owesProbe
    checked[node] = last
  }

  /** A probe by itself: one that is part of a rest is answered whatever comes, so that skipped ones are like it. */
  const ask = (node: number, time: Milliseconds, facts: Facts): undefined => {
    doing[node] = probing
    if (O.isSome(facts.checkedAt) && isCalm(node, time, facts)) {
      record.request(probe)
      isSafe[node] = 1
      answer(node, granted, time + api.latency)
      return plan(node, time + api.latency)
    }
    stir(node)
    request(node, probe, time, 'held')
  }

  const asked = (node: number, time: Milliseconds): undefined => {
    if (at(answers, node) === granted) {
      accepted(node, time)
      recovered(node, time)
    } else
      learn(node, {
        _tag: 'ProbeFailed',
        keyId: keyId(node, at(certified, node)),
        failure: failureOf(node, time),
        at: local(node, time),
      })
  }

  // Renewal ----------------------------------------------------------------------------------------------------------

  const submit = (node: number, time: Milliseconds, { draft, credential }: Of<'Submit'>): undefined => {
    if (O.isNone(draft)) keys[node] = at(keys, node) + 1
    request(node, create, time, credential)
  }
  /** A renewal that the machine hears of when it is over, or something gets in its way. */
  const renew = (node: number, time: Milliseconds): undefined => {
    isQuiet[node] = 1
    keys[node] = at(keys, node) + 1
    request(node, create, time, machine.credential)
  }
  const request = (node: number, kind: number, time: Milliseconds, credential: CredentialName): undefined => {
    doing[node] = kind === create ? submitting : probing
    credentials[node] = credentialNames.indexOf(credential)
    send(node, kind, time, credential)
    look(node, at(answered, node))
  }
  const credentialOf = (node: number): CredentialName => {
    const number = at(credentials, node)
    return number === 0 ? 'held' : number === 1 ? 'bootstrap' : 'external'
  }

  /** The answer to a submission: the request is at the API now, or was there already; or it failed. */
  const submissionEnds = (node: number, time: Milliseconds): undefined => {
    const key = at(keys, node)
    if (at(answers, node) !== granted) {
      settle(node)
      const draft = machine.remembers ? O.some(newRequest(node, key)) : O.none
      const failure = failureOf(node, time)
      learn(node, {
        _tag: 'SubmitFailed',
        draft,
        credential: credentialOf(node),
        failure,
        at: local(node, time),
      })
      return act(node, time)
    }
    submitted[node] = time
    failedWatch[node] = 0
    const there = csrs.sight(node, key, time)
    if (there === 'Gone') csrs.create(node, key, time - api.latency)
    else record.request(get)
    if (at(isQuiet, node) === 1 && time < expiry(node)) {
      owed[node] = at(owed, node) | owesRequest
      return observe(
        node,
        time,
        'Pending',
        machine.credential,
        Math.min(expiry(node), time + machine.patience),
      )
    }
    settle(node)
    learnSubmitted(node, key, credentialOf(node), time)
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
    const isOpen = at(watches, node) === 1 && credentialOf(node) === credential
    doing[node] = watching
    if (!isOpen) openWatch(node, time, credential)
    // What the server knows now, or when the watch began, is news at once; the rest when it happens.
    const seen = (isOpen ? time : at(answered, node)) - api.latency
    expect(node, seen, condition)
    if (at(isQuiet, node) === 0) return look(node, Math.min(at(answered, node), Math.max(time + 1, end)))
    if (at(answered, node) < end) return look(node, at(answered, node))
    // It would be asked in between.
    settle(node)
    expect(node, seen, condition)
    const action = machine.decide(factsOf(node), local(node, time))
    if (action._tag === 'Observe')
      look(node, Math.min(at(answered, node), Math.max(time + 1, offset(node, action.until))))
  }
  /** When an open watch is answered. */
  const expect = (node: number, seen: Milliseconds, condition: 'Pending' | 'Approved'): undefined => {
    if (at(watches, node) === 0) return
    const news = newsFor(node, seen, condition)
    if (news < at(held, node)) answer(node, granted, news + api.latency)
    else answer(node, renewed, at(held, node))
  }
  /** When the watch tells something; that a request is approved is passed over where the machine is not asked. */
  const newsFor = (node: number, seen: Milliseconds, condition: 'Pending' | 'Approved'): Milliseconds => {
    const key = at(keys, node)
    const signature = csrs.signedAt(node)
    if (at(isQuiet, node) === 1 && csrs.sight(node, key, signature) === 'Issued')
      return Math.max(seen, signature)
    return csrs.sight(node, key, seen) === condition ? csrs.changes(node, seen) : seen
  }

  const openWatch = (node: number, time: Milliseconds, credential: CredentialName): undefined => {
    closeWatch(node)
    credentials[node] = credentialNames.indexOf(credential)
    const before = machine.lists ? list : at(failedWatch, node) === 1 ? get : undefined
    answers[node] = granted
    if (before !== undefined) send(node, before, time, credential)
    if (at(answers, node) === granted) send(node, watch, time, credential)
    if (at(answers, node) !== granted) return
    if (openWatches >= api.watches) return answer(node, overloaded, at(answered, node))
    watches[node] = 1
    openWatches += 1
    held[node] =
      time + 300 * second + Math.floor(300 * second * share(seed, node, salts.watch, at(sent, node)))
  }
  const closeWatch = (node: number): undefined => {
    openWatches -= at(watches, node)
    watches[node] = 0
  }

  const observationEnds = (node: number, time: Milliseconds): undefined => {
    if (time < at(answered, node)) return lookAgain(node, time)
    const what = at(answers, node)
    if (what === renewed) {
      settle(node)
      closeWatch(node)
      return act(node, time)
    }
    if (what !== granted) {
      closeWatch(node)
      settle(node)
      failedWatch[node] = 1
      const { uid } = newRequest(node, at(keys, node))
      const failure = failureOf(node, time)
      learn(node, {
        _tag: 'ObserveFailed',
        uid,
        credential: credentialOf(node),
        failure,
        at: local(node, time),
      })
      return act(node, time)
    }
    failedWatch[node] = 0
    const sight = csrs.sight(node, at(keys, node), time - api.latency)
    if (at(isQuiet, node) === 1 && sight === 'Issued') return renewalEnds(node, time)
    settle(node)
    sighted(node, sight, time)
    act(node, time)
  }
  /** The machine wanted to look at something else meanwhile: it may go on watching. */
  const lookAgain = (node: number, time: Milliseconds): undefined => {
    settle(node)
    const action = machine.decide(factsOf(node), local(node, time))
    if (action._tag !== 'Observe') closeWatch(node)
    act(node, time)
  }

  const sighted = (node: number, sight: Sight, time: Milliseconds): undefined => {
    const key = at(keys, node)
    if (sight !== 'Approved') closeWatch(node)
    if (sight === 'Issued') return learnIssued(node, key, [csrs.notBefore(node), csrs.notAfter(node)], time)
    if (sight === 'Denied') record.inVain('denied', time)
    if (sight === 'Gone') record.inVain('deleted', time)
    const observation =
      sight === 'Denied'
        ? ({ _tag: sight, reason: 'Simulated', message: '' } as const)
        : ({ _tag: sight } as const)
    learn(node, { _tag: 'Observed', uid: keyId(node, key), observation, at: local(node, time) })
  }

  /** The certificate of a renewal that nothing got in the way of is installed, if the machine would find nothing wrong. */
  const renewalEnds = (node: number, time: Milliseconds): undefined => {
    const [from, to] = [csrs.notBefore(node), csrs.notAfter(node)]
    const here = local(node, time)
    if (here < from || here >= to || to < at(notAfter, node)) {
      settle(node)
      sighted(node, 'Issued', time)
      return act(node, time)
    }
    closeWatch(node)
    const key = at(keys, node)
    const certificate = certificateOf(keyId(node, key), anybody, from, to)
    const deadline = offset(node, machine.deadline({ certificate, receivedAt: here }, here, here))
    installed(node, time, from, to)
    isQuiet[node] = 0
    owed[node] = owesRenewal
    renewal[node] = at(submitted, node)
    received[node] = time
    checked[node] = time
    if (deadline > time && time < at(good, node)) return rest(node, time, deadline)
    settle(node)
    act(node, time)
  }

  // What happens to a node -------------------------------------------------------------------------------------------

  const join = (node: number, time: Milliseconds): undefined => {
    record.change('nodes', time, 1)
    skews[node] = around.skew(node)
    notBefore[node] = 0
    notAfter[node] = 0
    good[node] = time
    cuts[node] = around.nextChange(node, time).at
    begin(node, time, factsOf(node), O.none)
  }
  const begin = (node: number, time: Milliseconds, before: Facts, draft: O.Option<Draft>): undefined => {
    const kept = O.map((one: Held): Held => ({ ...one, rejectedAt: O.none, serverUntrustedAt: O.none }))(
      before.held,
    )
    known[node] = noFacts(before.wanted)
    learn(node, { _tag: 'Loaded', held: kept, draft, at: local(node, time) })
    act(node, time)
  }

  const interrupt = (node: number, time: Milliseconds): undefined => {
    const change = around.nextChange(node, at(cuts, node) - 1)
    const isUnderWay = at(doing, node) >= submitting
    const end = change._tag === 'Suspended' ? change.until : time
    cuts[node] = around.nextChange(node, end).at
    settle(node)
    if (change._tag === 'Left') return leave(node, time, change.until)
    if (change._tag === 'Restarted') {
      const { next } = factsOf(node)
      const draft =
        at(doing, node) === submitting ? O.some(newRequest(node, at(keys, node))) : O.map(draftOf)(next)
      closeWatch(node)
      return begin(node, time, factsOf(node), machine.remembers ? draft : O.none)
    }
    if (change._tag === 'Outage' && isUnderWay) struck[node] = around.outageAt(node, time) + 1
    if (isUnderWay) answer(node, unreachable, end)
    return end > time ? plan(node, end) : isUnderWay ? go(node, time) : act(node, time)
  }
  const leave = (node: number, time: Milliseconds, until: Milliseconds): undefined => {
    closeWatch(node)
    lacked(node, time)
    record.change('nodes', time, -1)
    known[node] = undefined
    doing[node] = absent
    struck[node] = 0
    plan(node, until)
  }

  /** Goes on with what a node is doing. */
  const go = (node: number, time: Milliseconds): undefined => {
    switch (at(doing, node)) {
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
    if (at(isSafe, node) === 1) {
      isSafe[node] = 0
      asked(node, time)
      doing[node] = waiting
    }
    const wasResting = at(doing, node) === resting && (skip || time >= at(until, node))
    if (wasResting) stir(node)
    if (at(doing, node) !== absent && time >= at(cuts, node)) {
      stir(node)
      return interrupt(node, time)
    }
    const isDue = wasResting && skip && time >= at(deadlines, node)
    if (isDue && time >= at(submitted, node) + machine.submitInterval && time < expiry(node))
      return renew(node, time)
    if (wasResting) settle(node)
    go(node, time)
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
        wake(agenda.first(), time)
      }
      return true
    },
    now: () => now,
    end: () => {
      record.advance(now)
      for (let node = 0; node < nodes.count; node += 1) {
        if (known[node] === undefined || now <= at(good, node)) continue
        lacked(node, now)
        record.lacks()
      }
    },
    record,
    facts: (node) => {
      if (known[node] === undefined) return undefined
      if (skip && at(doing, node) === resting && probeInterval > 0) {
        const answeredSoFar = Math.min(at(until, node), now - api.latency + 1)
        const last = lastAnswer(node, answeredSoFar)
        if (last > at(checked, node)) owed[node] = at(owed, node) | owesProbe
        checked[node] = last
      }
      settle(node)
      return known[node]
    },
  }
}

type Of<Tag extends Action['_tag']> = Extract<Action, { readonly _tag: Tag }>
