/**
 * What the nodes of a fleet know: the machine's facts. Of what was skipped, the last of each kind is owed to the machine:
 * `settle` tells it before anything else is told.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Event, Observation } from '../machine/event.js'
import { type CredentialName, type Facts, noFacts } from '../machine/facts.js'
import type { OutstandingRequest } from '../model/request.js'
import { type Instant, instant, type Milliseconds, wholeSecond } from '../model/time.js'
import { chainOf, keyIdOf, requestOf, templateOf } from './material.js'
import * as its from './nodes.js'
import type { Requests } from './requests.js'
import { isQuiet, local, type Setting } from './setting.js'

export interface Knowledge {
  readonly facts: (node: number) => Facts
  readonly isThere: (node: number) => boolean
  /** It leaves. */
  readonly forget: (node: number) => undefined
  /** It starts, and knows no more than this. */
  readonly begin: (node: number, facts: Facts) => undefined
  readonly apply: (node: number, event: Event) => undefined
  readonly keyId: (node: number, key: number) => string
  readonly request: (node: number, key: number) => OutstandingRequest
  /** The server accepted the node's certificate. */
  readonly accepted: (node: number, time: Milliseconds) => undefined
  /** The server took the request of its newest key. */
  readonly submitted: (node: number, credential: CredentialName, time: Milliseconds) => undefined
  /** The certificate of its newest key came, with these dates. */
  readonly issued: (node: number, from: Instant, to: Instant, time: Milliseconds) => undefined
  readonly observed: (node: number, observation: Observation, time: Milliseconds) => undefined
  /** From now on something is owed. */
  readonly owe: (node: number, what: number) => undefined
  /** Gives the machine what is owed to it: what it would have been told before a time. */
  readonly settle: (node: number, time: Milliseconds) => undefined
}

/** What may be owed: a probe that was answered, a request that was taken, a renewal from its request to its end. */
export const [owesProbe, owesRequest, owesRenewal] = [1, 2, 4]

export const knowledge = (setting: Setting, csrs: Requests): Knowledge => {
  const { scenario, machine, rows } = setting
  const { get, put } = rows
  const known = new Array<Facts | undefined>(scenario.nodes.count)

  const facts = (node: number): Facts => known[node] ?? noFacts(O.some(templateOf(node)))
  const apply = (node: number, event: Event): undefined => {
    known[node] = machine.evolve(facts(node), event)
  }
  const keyId = (node: number, key: number): string => keyIdOf(scenario.seed, node, key)
  const request = (node: number, key: number): OutstandingRequest =>
    requestOf(keyId(node, key), templateOf(node))

  const accepted = (node: number, time: Milliseconds): undefined =>
    apply(node, {
      _tag: 'CredentialAccepted',
      keyId: keyId(node, get(node, its.certified)),
      at: local(setting, node, time),
    })
  const taken = (node: number, key: number, credential: CredentialName, time: Milliseconds): undefined =>
    apply(node, {
      _tag: 'Submitted',
      request: request(node, key),
      credential,
      serverTime: O.some(wholeSecond(instant(scenario.start + time))),
      at: local(setting, node, time),
    })
  const seen = (node: number, key: number, observation: Observation, time: Milliseconds): undefined =>
    apply(node, { _tag: 'Observed', uid: keyId(node, key), observation, at: local(setting, node, time) })
  const arrived = (node: number, key: number, from: Instant, to: Instant, time: Milliseconds): undefined =>
    seen(node, key, { _tag: 'Issued', chain: chainOf(keyId(node, key), templateOf(node), from, to) }, time)

  const observed = (node: number, observation: Observation, time: Milliseconds): undefined =>
    seen(node, get(node, its.newest), observation, time)

  const settle = (node: number, time: Milliseconds): undefined => {
    const debts = get(node, its.owed)
    const approved = Math.max(get(node, its.sees), csrs.decidedAt(node))
    const answered = approved + scenario.api.latency
    const isTold = isQuiet(setting, node) && get(node, its.hasWatch) === 1 && answered < time
    put(node, its.owed, 0)
    put(node, its.isQuiet, 0)
    const [key, newest] = [get(node, its.certified), get(node, its.newest)]
    if ((debts & owesRenewal) > 0) {
      const received = get(node, its.received)
      taken(node, key, machine.credential, get(node, its.renewal))
      arrived(node, key, instant(get(node, its.notBefore)), instant(get(node, its.notAfter)), received)
      apply(node, { _tag: 'Installed', keyId: keyId(node, key), at: local(setting, node, received) })
    }
    if ((debts & owesProbe) > 0) accepted(node, get(node, its.checked))
    if ((debts & owesRequest) === 0) return
    taken(node, newest, machine.credential, get(node, its.submitted))
    if (isTold && approved < get(node, its.heldUntil) && csrs.sight(node, newest, approved) === 'Approved')
      observed(node, { _tag: 'Approved' }, answered)
  }

  return {
    facts,
    isThere: (node) => known[node] !== undefined,
    forget: (node) => {
      known[node] = undefined
    },
    begin: (node, facts) => {
      known[node] = facts
    },
    apply,
    keyId,
    request,
    accepted,
    submitted: (node, credential, time) => taken(node, get(node, its.newest), credential, time),
    issued: (node, from, to, time) => arrived(node, get(node, its.newest), from, to, time),
    observed,
    owe: (node, what) => {
      put(node, its.owed, get(node, its.owed) | what)
    },
    settle,
  }
}
