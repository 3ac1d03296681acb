/**
 * What a rotation does while it runs: one action at a time, and everything that is learnt on the way. Between two actions
 * it is one record, and no function of it waits for anything.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Step } from '../describe/transition.js'
import type { Action } from '../machine/action.js'
import { inUse } from '../machine/credential.js'
import { type Effect, effects } from '../machine/effects.js'
import type { Event, News } from '../machine/event.js'
import { type Facts, noFacts } from '../machine/facts.js'
import { decide, evolve, stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { StoreError } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { printable } from '../model/printable.js'
import type { CertificateTemplate } from '../model/template.js'
import { endOfTime, type Instant } from '../model/time.js'
import type { TlsCredential } from '../ports.js'
import { type Interruption, interruption, onSignal, type Signal } from '../signal.js'
import type { Agenda, Appointment } from './agenda.js'
import { credentialOf, type Keyring, keyring, makeReady, retain } from './keyring.js'
import { load } from './load.js'
import { type Fact, type Means, type Ports, perform } from './perform.js'
import { type Inquiry, inquiry } from './windows.js'

/** What a rotation says about itself, as it happens. */
export type Notice =
  | ({ readonly _tag: 'Step' } & Step)
  | { readonly _tag: 'Warning'; readonly at: Instant; readonly message: string }

export interface RotationSetup {
  readonly policy: RotationPolicy
  readonly template: O.Option<CertificateTemplate>
  readonly ports: Ports
  readonly notify: (notice: Notice) => void
}

/** What the rotations of a driver share. */
export interface Shared {
  readonly agenda: Agenda
  readonly limits: Means['limits']
}

/** A rotation: what it was set up with, what it knows, and what is under way. */
export interface Loop {
  readonly setup: RotationSetup
  readonly shared: Shared
  readonly keys: Keyring
  readonly appointment: Appointment
  readonly windows: Inquiry
  facts: Facts
  /** The state at `seenAt`. */
  state: State
  seenAt: Instant
  /** What has become known and is not taken in yet. */
  inbox: ReadonlyArray<Fact>
  isTakingIn: boolean
  /** The action that is being performed. */
  underWay: UnderWay | undefined
  isStopping: boolean
  /** How the run ends; absent while the rotation does not run. */
  end: End | undefined
  /** Who hears of the certificate to use. */
  listeners: ReadonlyArray<(credential: O.Option<TlsCredential>) => void>
}

interface UnderWay {
  readonly action: Action
  readonly interruption: Interruption
}

interface End {
  readonly resolve: (outcome: E.Either<StoreError, void>) => void
  readonly reject: (thrown: unknown) => void
  /** Hears no longer that the rotation is to stop. */
  readonly forgetSignal: IO<void>
}

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

/** The certificate to use now. */
export const current = ({ setup: { policy, ports }, facts, keys }: Loop): O.Option<TlsCredential> => {
  const certificate = inUse(policy, facts, ports.clock.now())
  return O.isSome(certificate) ? O.fromNullable(credentialOf(keys, certificate.value)) : O.none
}

const warn = ({ setup: { notify, ports } }: Loop, message: string): void =>
  quietly(() => notify({ _tag: 'Warning', at: ports.clock.now(), message: printable(message) }))

/** Takes in everything that waits, and begins what is next. */
const drain = (loop: Loop): void => {
  if (loop.isTakingIn || loop.end === undefined) return
  loop.isTakingIn = true
  takeIn(loop).then(
    () => {
      loop.isTakingIn = false
      if (loop.inbox.length > 0) drain(loop)
      else proceed(loop)
    },
    (error: unknown) => finish(loop)?.reject(error),
  )
}

const takeIn = async (loop: Loop): Promise<void> => {
  const { clock } = loop.setup.ports
  for (let [fact] = loop.inbox; fact !== undefined; [fact] = loop.inbox) {
    loop.inbox = loop.inbox.slice(1)
    const at = clock.now()
    await catchUp(loop, at)
    const event: Event = { ...fact, at }
    await step(loop, evolve(loop.setup.policy)(loop.facts, event), at, event)
  }
  await catchUp(loop, clock.now())
}

/** What the time alone has changed: the state, or the certificate to use. */
const catchUp = async (loop: Loop, at: Instant): Promise<void> => {
  const { facts, seenAt, setup } = loop
  const now = stateOf(setup.policy)(facts, at)
  const isChanged =
    now._tag !== loop.state._tag || effects(setup.policy)({ facts, at: seenAt }, { facts, at }).length > 0
  if (isChanged) await step(loop, facts, at)
  loop.state = now
  loop.seenAt = at
}

/** Takes in what is known at a time: by an event, or without one, by the time alone. */
const step = async (loop: Loop, after: Facts, at: Instant, event?: Event): Promise<void> => {
  const { facts: before, state: from, seenAt: since, setup, keys } = loop
  const to = stateOf(setup.policy)(after, at)
  loop.facts = after
  loop.state = to
  loop.seenAt = at
  for (const chain of chainsOf(after)) await makeReady(keys, chain)()
  const learnt = event === undefined ? {} : { event }
  quietly(() => setup.notify({ _tag: 'Step', since, at, ...learnt, before, after, from, to }))
  for (const effect of effects(setup.policy)({ facts: before, at: since }, { facts: after, at }, event))
    await carryOut(loop, effect)
  loop.windows.look()
}

const carryOut = async (loop: Loop, effect: Effect): Promise<void> => {
  const { ports } = loop.setup
  switch (effect._tag) {
    case 'Warn':
      return warn(loop, effect.message)
    case 'DiscardRequest': {
      const discarded = await ports.store.discardRequest()
      if (E.isLeft(discarded)) warn(loop, `${discarded.left.message}; ${discarded.left.remedy}`)
      return
    }
    case 'AdoptCluster': {
      const adopted = await ports.adoptCluster?.()
      if (adopted !== undefined && E.isLeft(adopted))
        warn(loop, `${adopted.left.message}; ${adopted.left.remedy}`)
      return
    }
    case 'RetainKeys':
      return retain(loop.keys, effect.keys)
    case 'Publish': {
      const now = current(loop)
      for (const listener of loop.listeners) quietly(() => listener(now))
    }
  }
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
    loop.inbox = [...loop.inbox, ...known]
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

/** A listener that throws is its owner's fault; the rotation goes on. */
const quietly = (call: () => void): void => {
  try {
    call()
  } catch {
    // Nothing to be done here, and nothing lost: `facts` and `credentials` say the same when asked.
  }
}

const chainsOf = ({ held, next }: Facts) => [
  ...(O.isSome(held) ? [held.value] : []),
  ...(O.isSome(next) && next.value._tag === 'Delivered' ? [next.value.delivered] : []),
]
