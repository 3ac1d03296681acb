/** Watches of a request: which are open, and what they tell when. The server ends each after five to ten minutes. */
import type { Action } from '../machine/action.js'
import type { CredentialName } from '../machine/facts.js'
import { type Milliseconds, second } from '../model/time.js'
import { type Calls, granted, list, overloaded, read, renewed, watch } from './calls.js'
import type { Knowledge } from './knowledge.js'
import * as its from './nodes.js'
import { share } from './random.js'
import type { Requests } from './requests.js'
import { isQuiet, local, look, offset, type Setting } from './setting.js'
import { salts } from './world.js'

type Condition = Extract<Action, { readonly _tag: 'Observe' }>['known']

export interface Watches {
  /** Waits for another condition than this, until `end` at most. */
  readonly observe: (
    node: number,
    time: Milliseconds,
    condition: Condition,
    credential: CredentialName,
    end: Milliseconds,
  ) => undefined
  /** Closes a node's watch, if one is open. */
  readonly close: (node: number) => undefined
}

/** How long the server holds a watch at least, and how much longer at most. */
const shortest: Milliseconds = 300 * second

export const watches = (
  setting: Setting,
  csrs: Requests,
  { settle, facts }: Knowledge,
  { send, answer, isGranted, credential: credentialOf }: Calls,
): Watches => {
  const { scenario, machine, rows } = setting
  const { seed, api } = scenario
  const { get, put } = rows
  let openWatches = 0

  /** A watch that is open is gone on with; what it told is not told again. */
  const observe = (
    node: number,
    time: Milliseconds,
    condition: Condition,
    credential: CredentialName,
    end: Milliseconds,
  ): undefined => {
    const isOpen = get(node, its.hasWatch) === 1 && credentialOf(node) === credential
    put(node, its.doing, its.watching)
    if (!isOpen) open(node, time, credential)
    // What the server knows now, or when the watch began, is news at once; the rest when it happens.
    const seen = (isOpen ? time : get(node, its.answered)) - api.latency
    expect(node, seen, condition)
    const answered = get(node, its.answered)
    if (!isQuiet(setting, node)) return look(setting, node, Math.min(answered, Math.max(time + 1, end)))
    if (answered < end) return look(setting, node, answered)
    // It would be asked in between.
    settle(node, time)
    expect(node, seen, condition)
    const action = machine.decide(facts(node), local(setting, node, time))
    if (action._tag === 'Observe') {
      const until = Math.max(time + 1, offset(setting, node, action.until))
      look(setting, node, Math.min(get(node, its.answered), until))
    }
  }
  /** When an open watch is answered. */
  const expect = (node: number, seen: Milliseconds, condition: Condition): undefined => {
    if (get(node, its.hasWatch) === 0) return
    const [news, heldUntil] = [newsFor(node, seen, condition), get(node, its.heldUntil)]
    if (news < heldUntil) answer(node, granted, news + api.latency)
    else answer(node, renewed, heldUntil)
  }
  /** When the watch tells something; that a request is approved is passed over where the machine is not asked. */
  const newsFor = (node: number, seen: Milliseconds, condition: Condition): Milliseconds => {
    const key = get(node, its.newest)
    const signature = csrs.signedAt(node)
    if (isQuiet(setting, node) && csrs.sight(node, key, signature) === 'Issued')
      return Math.max(seen, signature)
    return csrs.sight(node, key, seen) === condition ? csrs.changes(node, seen) : seen
  }

  const open = (node: number, time: Milliseconds, credential: CredentialName): undefined => {
    close(node)
    const before = machine.lists ? list : get(node, its.failedWatch) === 1 ? read : undefined
    put(node, its.answers, granted)
    if (before !== undefined) send(node, before, time, credential)
    if (isGranted(node)) send(node, watch, time, credential)
    if (!isGranted(node)) return
    const answered = get(node, its.answered)
    if (openWatches >= api.watches) return answer(node, overloaded, answered)
    put(node, its.hasWatch, 1)
    put(node, its.sees, answered - api.latency)
    openWatches += 1
    const longer = Math.floor(shortest * share(seed, node, salts.watch, get(node, its.sent)))
    put(node, its.heldUntil, time + shortest + longer)
  }
  const close = (node: number): undefined => {
    openWatches -= get(node, its.hasWatch)
    put(node, its.hasWatch, 0)
  }

  return { observe, close }
}
