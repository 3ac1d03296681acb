/**
 * From a request to its certificate. A renewal to which the API says yes at once is quiet: its times are computed, and
 * the machine hears of it when it is over, or when something gets in its way.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import type { CredentialName } from '../machine/facts.js'
import type { Instant, Milliseconds } from '../model/time.js'
import { type Calls, create, read, renewed } from './calls.js'
import { type Knowledge, owesRenewal, owesRequest } from './knowledge.js'
import { drawnOf } from './material.js'
import * as its from './nodes.js'
import type { Requests, Sight } from './requests.js'
import type { Rest } from './rest.js'
import { expiry, isQuiet, local, look, offset, type Setting } from './setting.js'
import type { Watches } from './watch.js'

/** Where these answer with a boolean: whether the machine is asked next. */
export interface Renewal {
  readonly submit: (node: number, time: Milliseconds, action: Of<'Submit'>) => undefined
  /** A quiet renewal begins. */
  readonly begin: (node: number, time: Milliseconds) => undefined
  readonly submitted: (node: number, time: Milliseconds) => boolean
  readonly observe: (node: number, time: Milliseconds, action: Of<'Observe'>) => undefined
  readonly observed: (node: number, time: Milliseconds) => boolean
  readonly install: (node: number, time: Milliseconds, action: Of<'Install'>) => undefined
  /** Writes down how long a node had no certificate that works. */
  readonly lacked: (node: number, time: Milliseconds) => undefined
}
type Of<Tag extends Action['_tag']> = Extract<Action, { readonly _tag: Tag }>

export const renewal = (
  setting: Setting,
  csrs: Requests,
  knowledge: Knowledge,
  calls: Calls,
  watches: Watches,
  rest: Rest,
): Renewal => {
  const { scenario, machine, around, record, rows } = setting
  const { seed, start, api } = scenario
  const { get, put } = rows
  const { settle, apply } = knowledge
  const { isGranted } = calls

  // Asking -----------------------------------------------------------------------------------------------------------

  const request = (
    node: number,
    time: Milliseconds,
    credential: CredentialName,
    isNew: boolean,
  ): undefined => {
    if (isNew) put(node, its.newest, get(node, its.newest) + 1)
    put(node, its.doing, its.submitting)
    calls.send(node, create, time, credential)
    look(setting, node, get(node, its.answered))
  }

  /** The answer to a submission: the request is at the API now, or was there already; or it failed. */
  const submitted = (node: number, time: Milliseconds): boolean => {
    const key = get(node, its.newest)
    const credential = calls.credential(node)
    if (calls.isHeld(node)) {
      request(node, time, credential, false)
      return false
    }
    if (!isGranted(node)) {
      settle(node, time)
      const draft = machine.remembers ? O.some(knowledge.request(node, key)) : O.none
      const failure = calls.failure(node, time)
      apply(node, { _tag: 'SubmitFailed', draft, credential, failure, at: local(setting, node, time) })
      return true
    }
    put(node, its.submitted, time)
    put(node, its.failedWatch, 0)
    const there = csrs.sight(node, key, time)
    if (there === 'Gone') csrs.create(node, key, time - api.latency)
    else record.request(read, time)
    const end = expiry(setting, node)
    if (isQuiet(setting, node) && time < end) {
      knowledge.owe(node, owesRequest)
      watches.observe(node, time, 'Pending', machine.credential, Math.min(end, time + machine.patience))
      return false
    }
    settle(node, time)
    knowledge.submitted(node, credential, time)
    if (there !== 'Gone' && there !== 'Pending') sighted(node, there, time)
    return true
  }

  const observed = (node: number, time: Milliseconds): boolean => {
    if (time < get(node, its.answered)) {
      // The machine wanted to look at something else meanwhile: it may go on watching.
      settle(node, time)
      const action = machine.decide(knowledge.facts(node), local(setting, node, time))
      if (action._tag !== 'Observe') watches.close(node)
      return true
    }
    if (get(node, its.answers) === renewed || calls.isHeld(node)) {
      settle(node, time)
      watches.close(node)
      return true
    }
    if (!isGranted(node)) {
      watches.close(node)
      settle(node, time)
      put(node, its.failedWatch, 1)
      apply(node, {
        _tag: 'ObserveFailed',
        uid: knowledge.keyId(node, get(node, its.newest)),
        credential: calls.credential(node),
        failure: calls.failure(node, time),
        at: local(setting, node, time),
      })
      return true
    }
    put(node, its.failedWatch, 0)
    const sight = csrs.sight(node, get(node, its.newest), time - api.latency)
    if (isQuiet(setting, node) && sight === 'Issued') return ended(node, time)
    settle(node, time)
    sighted(node, sight, time)
    return true
  }

  const sighted = (node: number, sight: Sight, time: Milliseconds): undefined => {
    if (sight !== 'Approved') watches.close(node)
    if (sight === 'Issued') return knowledge.issued(node, csrs.notBefore(node), csrs.notAfter(node), time)
    if (sight === 'Denied') record.inVain('denied', time)
    if (sight === 'Gone') record.inVain('deleted', time)
    const observation =
      sight === 'Denied'
        ? ({ _tag: sight, reason: 'Simulated', message: '' } as const)
        : ({ _tag: sight } as const)
    knowledge.observed(node, observation, time)
  }

  // Installing -------------------------------------------------------------------------------------------------------

  /** The certificate of a quiet renewal is installed, if the machine would find nothing wrong with it. */
  const ended = (node: number, time: Milliseconds): boolean => {
    const [from, to] = [csrs.notBefore(node), csrs.notAfter(node)]
    const here = local(setting, node, time)
    if (here < from || here >= to || to < get(node, its.notAfter)) {
      settle(node, time)
      sighted(node, 'Issued', time)
      return true
    }
    watches.close(node)
    const certificate = { keyId: drawnOf(seed, node, get(node, its.newest)), notBefore: from, notAfter: to }
    const deadline = offset(setting, node, machine.deadline({ certificate, receivedAt: here }, here, here))
    installed(node, time, from, to)
    put(node, its.isQuiet, 0)
    put(node, its.owed, owesRenewal)
    put(node, its.renewal, get(node, its.submitted))
    put(node, its.received, time)
    put(node, its.checked, time)
    if (deadline > time && time < get(node, its.good)) {
      rest.begin(node, time, deadline)
      return false
    }
    settle(node, time)
    return true
  }

  const installed = (node: number, time: Milliseconds, from: Instant, to: Instant): undefined => {
    const [began, life] = [get(node, its.notBefore), get(node, its.notAfter) - get(node, its.notBefore)]
    if (life > 0) record.renewed((start + time - began) / life)
    record.count('installed', time)
    lacked(node, time)
    calls.recovered(node, time)
    put(node, its.certified, get(node, its.newest))
    put(node, its.notBefore, from)
    put(node, its.notAfter, to)
    put(node, its.good, Math.min(to - start, around.acceptedUntil(csrs.signedAt(node))))
  }
  const lacked = (node: number, time: Milliseconds): undefined => {
    const since = get(node, its.good)
    if (time > since) record.gap(since, time, get(node, its.notAfter) === 0)
  }

  return {
    submit: (node, time, { draft, credential }) => request(node, time, credential, O.isNone(draft)),
    begin: (node, time) => {
      put(node, its.isQuiet, 1)
      request(node, time, machine.credential, true)
    },
    submitted,
    observe: (node, time, { known, credential, until }) =>
      watches.observe(node, time, known, credential, offset(setting, node, until)),
    observed,
    install: (node, time, { delivered: { certificate } }) => {
      apply(node, { _tag: 'Installed', keyId: certificate.keyId, at: local(setting, node, time) })
      installed(node, time, certificate.notBefore, certificate.notAfter)
    },
    lacked,
  }
}
