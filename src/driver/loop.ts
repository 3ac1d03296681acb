/**
 * What a rotation does while it runs: one action at a time, and everything that is learnt on the way. Between two actions
 * it is one record, and no function of it waits for anything.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Action } from '../machine/action.js'
import type { Event, News } from '../machine/event.js'
import { type Facts, noFacts } from '../machine/facts.js'
import { decide, evolve, stateOf } from '../machine/machine.js'
import type { StoreError } from '../model/failure.js'
import { endOfTime, type Instant } from '../model/time.js'
import { interruption, onSignal, type Signal } from '../signal.js'
import { credentialOf, keyring } from './keyring.js'
import { load } from './load.js'
import { type Fact, perform } from './perform.js'
import { catchUp, type End, type Loop, type RotationSetup, type Shared, step, warn } from './step.js'
import { inquiry } from './windows.js'

/** A rotation that does not run yet. */
export const loopOf = (setup: RotationSetup, shared: Shared): Loop => {
  const { policy, ports } = setup
  const facts = noFacts(setup.template)
  const seenAt = ports.clock.now()
  const keys = keyring()
  const loop: Loop = {
    setup,
    shared,
    keys,
    appointment: shared.agenda.add(() => drain(loop)),
    windows: inquiry(
      ports,
      shared.agenda,
      () => loop.facts,
      ({ certificate }) => O.fromNullable(credentialOf(keys, certificate)),
      (news) => take(loop, news),
      (message) => warn(loop, message),
    ),
    facts,
    state: stateOf(policy)(facts, seenAt),
    seenAt,
    inbox: [],
    isTakingIn: false,
    underWay: undefined,
    isStopping: false,
    end: undefined,
    listeners: [],
  }
  return loop
}

/** Loads the store and performs what is decided, until the signal is given. */
export const run =
  (loop: Loop, stop: Signal): TaskEither<StoreError, void> =>
  () =>
    // No function waits for the end, which is years away: the loop has what ends the promise.
    new Promise((resolve, reject) => {
      const begin = async () => {
        const found = await load(loop.setup.ports, loop.keys)()
        if (E.isLeft(found)) {
          resolve(found)
          return
        }
        const { held, draft, warnings } = found.right
        for (const warning of warnings) warn(loop, warning)
        loop.inbox = [{ _tag: 'Loaded', held, draft }, ...loop.inbox]
        const forgetSignal = onSignal(stop, () => {
          loop.isStopping = true
          proceed(loop)
        })
        loop.end = { resolve, reject, forgetSignal }
        drain(loop)
      }
      begin().catch(reject)
    })

/** Takes in what somebody tells. */
export const take = (loop: Loop, news: News): void => {
  loop.inbox = [...loop.inbox, news]
  drain(loop)
}

/** Whether there is something to take in, and nothing is being stored that it could make useless half-way. */
const hasNews = ({ inbox, underWay }: Loop): boolean =>
  inbox.length > 0 && underWay?.action._tag !== 'Install'

/** Takes in everything that waits, and begins what is next. */
const drain = (loop: Loop): void => {
  if (loop.isTakingIn || loop.end === undefined) return
  loop.isTakingIn = true
  takeIn(loop).then(
    () => {
      loop.isTakingIn = false
      if (hasNews(loop)) drain(loop)
      else proceed(loop)
    },
    (error: unknown) => finish(loop)?.reject(error),
  )
}

const takeIn = async (loop: Loop): Promise<void> => {
  const { clock } = loop.setup.ports
  for (let [fact] = loop.inbox; fact !== undefined && hasNews(loop); [fact] = loop.inbox) {
    loop.inbox = loop.inbox.slice(1)
    const at = clock.now()
    await catchUp(loop, at)()
    const event: Event = { ...fact, at }
    await step(loop, evolve(loop.setup.policy)(loop.facts, event), at, event)()
  }
  await catchUp(loop, clock.now())()
}

/** Begins what is next, unless it is under way already. */
const proceed = (loop: Loop): void => {
  const { underWay, facts, setup } = loop
  if (loop.isTakingIn || loop.end === undefined) return
  if (loop.isStopping) {
    if (underWay === undefined) finish(loop)?.resolve(E.right(undefined))
    else if (underWay.action._tag !== 'Install') underWay.interruption.interrupt()
    return
  }
  const now = setup.ports.clock.now()
  const action = decide(setup.policy)(facts, now)
  loop.appointment.set(momentOf(action, facts, now))
  if (underWay !== undefined) {
    if (underWay.action._tag === 'Observe' && !isSameWatch(underWay.action, action))
      underWay.interruption.interrupt()
    return
  }
  if (action._tag !== 'Wait') begin(loop, action)
}

const begin = (loop: Loop, action: Exclude<Action, { readonly _tag: 'Wait' }>): void => {
  const { setup, shared, keys, facts } = loop
  const underWay = { action, interruption: interruption() }
  loop.underWay = underWay
  const { signal } = underWay.interruption
  const ended = (known: ReadonlyArray<Fact>) => {
    loop.underWay = undefined
    // What has waited for an installation comes after it.
    loop.inbox = action._tag === 'Install' ? [...known, ...loop.inbox] : [...loop.inbox, ...known]
    drain(loop)
  }
  // No port throws by its contract; one that does ends this rotation, and no other.
  const thrown = (error: unknown) => finish(loop)?.reject(error)
  perform({ ports: setup.ports, keys, held: facts.held, limits: shared.limits, signal }, action)().then(
    ended,
    thrown,
  )
}

/** Nothing is begun any more; what the run was is for its promise. */
const finish = (loop: Loop): End | undefined => {
  const { end } = loop
  loop.end = undefined
  end?.forgetSignal()
  loop.windows.end()
  loop.appointment.set(endOfTime)
  return end
}

/** When to look again: when a wait is over, or the certificate in use expires while something is under way. */
const momentOf = (action: Action, { held }: Facts, now: Instant): Instant => {
  if ('until' in action) return action.until
  const notAfter = O.isSome(held) ? held.value.certificate.notAfter : endOfTime
  return notAfter > now ? notAfter : endOfTime
}

const isSameWatch = (one: Action, other: Action): boolean =>
  one._tag === 'Observe' &&
  other._tag === 'Observe' &&
  one.request.uid === other.request.uid &&
  one.known === other.known &&
  one.credential === other.credential
