/** Calls of the API: what each comes to, and when its answer is there. */
import type { CredentialName } from '../machine/facts.js'
import type { ApiError } from '../model/failure.js'
import { endOfTime, type Milliseconds, second } from '../model/time.js'
import { errors } from './material.js'
import * as its from './nodes.js'
import { share } from './random.js'
import { requestQueue } from './server.js'
import type { Setting } from './setting.js'
import { salts } from './world.js'

/**
 * What a call comes to. `renewed`: a watch that the server ends, as it does from time to time. `held`: a connection to a
 * server that is starting; the call is made when it has.
 */
export const [granted, unreachable, overloaded, rejected, renewed, held] = [0, 1, 2, 3, 4, 5]
/** Kinds of calls, as they are counted (`record.ts`). */
export const [create, watch, read, list, probe] = [0, 1, 2, 3, 4]
const credentialNames: ReadonlyArray<CredentialName> = ['held', 'bootstrap', 'external']
/** An agent gives a call up after this. */
const patience: Milliseconds = 40 * second

export interface Calls {
  /** Calls with a credential: what that comes to is known at once, and is written into the node's row. */
  readonly send: (node: number, kind: number, time: Milliseconds, credential: CredentialName) => undefined
  /** What a call comes to, and when. */
  readonly answer: (node: number, what: number, time: Milliseconds) => undefined
  readonly isGranted: (node: number) => boolean
  /** Whether the call has to be made again, now that the server has started. */
  readonly isHeld: (node: number) => boolean
  /** Whose credential the last call went out with. */
  readonly credential: (node: number) => CredentialName
  /** The failure that the last call came to, which is counted at this time. */
  readonly failure: (node: number, time: Milliseconds) => ApiError
  /** A node that an outage had struck got what it wanted. */
  readonly recovered: (node: number, time: Milliseconds) => undefined
}

export const calls = ({ scenario, machine, around, record, rows, present, period }: Setting): Calls => {
  const { seed, start, api } = scenario
  const { get, put } = rows
  const queue = requestQueue(api)
  const failures = errors(api.retryAfter)

  const answer = (node: number, what: number, time: Milliseconds): undefined => {
    put(node, its.answers, what)
    put(node, its.answered, time)
  }
  const isGood = (node: number, time: Milliseconds, credential: CredentialName): boolean => {
    if (credential === 'bootstrap') return time < scenario.bootstrapTokensUntil
    return (
      credential === 'external' || (start + time >= get(node, its.notBefore) && time < get(node, its.good))
    )
  }
  return {
    send: (node, kind, time, credential) => {
      put(node, its.credential, credentialNames.indexOf(credential))
      const outage = around.outageAt(node, time)
      if (outage >= 0) {
        put(node, its.struck, outage + 1)
        const taken = around.takenAt(node, time)
        if (taken - time <= patience) return answer(node, held, taken)
        record.request(kind, time)
        return answer(node, unreachable, time + (taken === endOfTime ? api.latency : patience))
      }
      record.request(kind, time)
      const sent = get(node, its.sent)
      put(node, its.sent, sent + 1)
      const probes = machine.probeInterval > 0 ? (present.atRest * second) / period : 0
      const end = queue.arrive(time, share(seed, node, salts.service, sent), probes)
      if (end < 0) return answer(node, overloaded, time + api.latency)
      if (end - time > patience) return answer(node, unreachable, time + patience)
      answer(node, isGood(node, time, credential) ? granted : rejected, Math.ceil(end) + api.latency)
    },
    answer,
    isGranted: (node) => get(node, its.answers) === granted,
    isHeld: (node) => get(node, its.answers) === held,
    credential: (node) => {
      const number = get(node, its.credential)
      return number === 0 ? 'held' : number === 1 ? 'bootstrap' : 'external'
    },
    failure: (node, time) => {
      const what = get(node, its.answers)
      const why = what === unreachable ? 'unreachable' : what === overloaded ? 'overloaded' : 'rejected'
      record.inVain(why, time)
      return failures[why]
    },
    recovered: (node, time) => {
      const outage = get(node, its.struck)
      put(node, its.struck, 0)
      if (outage > 0) record.recovered(outage - 1, time)
    },
  }
}
