/**
 * The driver joins machine and ports: it performs what the machine decides, and tells it what became of that. It has no
 * opinion of its own. One driver keeps any number of rotations on one agenda; one at rest is its facts and its key.
 *
 * The contract with whoever runs a rotation:
 * 1. `run(stop)` loads the store once, and then one action after the other is performed until `stop` is given. A watch
 *    gives way as soon as another action is next; nothing else is cut short.
 * 2. Everything that is learnt is told with `notify`, in order, before the next action begins; the events among it make
 *    the same facts again.
 * 3. `credentials` always answers with the certificate to use now, and tells of each change: after it is stored, or where
 *    no other works, as soon as it has arrived.
 * 4. `tell` brings news at any time.
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
import { type Facts, type Held, isRejected, noFacts } from '../machine/facts.js'
import { decide, evolve, stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { StoreError } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { printable } from '../model/printable.js'
import type { CertificateTemplate } from '../model/template.js'
import { endOfTime, type Instant } from '../model/time.js'
import type { Clock, CredentialSource, TlsCredential } from '../ports.js'
import { type Interruption, interruption, onSignal, type Signal } from '../signal.js'
import { type Agenda, agenda } from './agenda.js'
import { keyring } from './keyring.js'
import { defaultLimits, type Limits, limit } from './limits.js'
import { load } from './load.js'
import { type Fact, type Means, type Ports, perform } from './perform.js'
import { inquiry } from './windows.js'

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

export interface Rotation {
  /** Runs until the signal is given. Only a store that cannot be read at the start is an error. To be run once. */
  readonly run: (stop: Signal) => TaskEither<StoreError, void>
  readonly facts: IO<Facts>
  /** The state of the facts now. */
  readonly state: IO<State>
  readonly credentials: CredentialSource
  readonly tell: (news: News) => IO<void>
}

/** What rotations share: the agenda, and the bounds of what runs at one time. */
export interface Driver {
  /** A rotation, not yet running. Its clock is the driver's. */
  readonly rotation: (setup: RotationSetup) => Rotation
}

/** A driver that goes by the clock. */
export const driver = (clock: Clock, limits: Partial<Limits> = {}): Driver => {
  const most = { ...defaultLimits, ...limits }
  const shared: Shared = {
    agenda: agenda(clock),
    limits: {
      handshakes: limit(most.handshakes),
      keys: limit(most.keys),
      installs: limit(most.installs),
    },
  }
  return { rotation: (setup) => rotationOf(setup, shared) }
}

/** A rotation with a driver of its own, not yet running. */
export const rotation = (setup: RotationSetup): Rotation => driver(setup.ports.clock).rotation(setup)

interface Shared {
  readonly agenda: Agenda
  readonly limits: Means['limits']
}

/** An action under way. */
interface Performance {
  readonly action: Action
  readonly interruption: Interruption
}

const rotationOf = (setup: RotationSetup, shared: Shared): Rotation => {
  const { policy, template, ports, notify } = setup
  const keys = keyring()
  const inbox: Array<Fact> = []
  const listeners = new Set<(credential: O.Option<TlsCredential>) => void>()
  let facts = noFacts(template)
  let state = stateOf(policy)(facts, ports.clock.now())
  let seenAt = ports.clock.now()
  let performing: Performance | undefined
  let busy = false
  /** How the run ends; absent while the rotation does not run. */
  let end: { readonly resolve: () => void; readonly reject: (thrown: unknown) => void } | undefined
  let stopping = false

  const warn = (message: string) =>
    quietly(() => notify({ _tag: 'Warning', at: ports.clock.now(), message: printable(message) }))

  const current = (): O.Option<TlsCredential> => {
    const certificate = inUse(policy, facts, ports.clock.now())
    return O.isSome(certificate) ? O.fromNullable(keys.credential(certificate.value)) : O.none
  }

  const publish = () => {
    const now = current()
    for (const listener of [...listeners]) quietly(() => listener(now))
  }

  const carryOut = async (effect: Effect): Promise<void> => {
    switch (effect._tag) {
      case 'Warn':
        return warn(effect.message)
      case 'DiscardRequest': {
        const discarded = await ports.store.discardRequest()
        if (E.isLeft(discarded)) warn(`${discarded.left.message}; ${discarded.left.remedy}`)
        return
      }
      case 'AdoptCluster': {
        const adopted = await ports.adoptCluster?.()
        if (adopted !== undefined && E.isLeft(adopted))
          warn(`${adopted.left.message}; ${adopted.left.remedy}`)
        return
      }
      case 'RetainKeys':
        return keys.retain(effect.keys)
      case 'Publish':
        return publish()
    }
  }

  /** Takes in what is known at a time: by an event, or without one, by the time alone. */
  const step = async (after: Facts, at: Instant, event?: Event): Promise<void> => {
    const [before, from, since] = [facts, state, seenAt]
    facts = after
    state = stateOf(policy)(facts, at)
    seenAt = at
    for (const chain of chainsOf(facts)) await keys.makeReady(chain)()
    const learnt = event === undefined ? {} : { event }
    quietly(() => notify({ _tag: 'Step', since, at, ...learnt, before, after, from, to: state }))
    for (const effect of effects(policy)({ facts: before, at: since }, { facts, at }, event))
      await carryOut(effect)
    windows.look()
  }

  /** What the time alone has changed: the state, or the certificate to use. */
  const catchUp = async (at: Instant): Promise<void> => {
    const now = stateOf(policy)(facts, at)
    const isChanged =
      now._tag !== state._tag || effects(policy)({ facts, at: seenAt }, { facts, at }).length > 0
    if (isChanged) await step(facts, at)
    state = now
    seenAt = at
  }

  /** First what the time alone has changed, then the event. */
  const learn = async (fact: Fact): Promise<void> => {
    const at = ports.clock.now()
    await catchUp(at)
    const event: Event = { ...fact, at }
    await step(evolve(policy)(facts, event), at, event)
  }

  /** Takes in everything that waits, and begins what is next. */
  const drain = (): void => {
    if (busy || end === undefined) return
    busy = true
    takeIn().then(() => {
      busy = false
      if (inbox.length > 0) drain()
      else proceed()
    }, end.reject)
  }

  const takeIn = async (): Promise<void> => {
    for (let fact = inbox.shift(); fact !== undefined; fact = inbox.shift()) await learn(fact)
    await catchUp(ports.clock.now())
  }

  /** Begins what is next, unless it is under way already. */
  const proceed = (): void => {
    if (busy || end === undefined) return
    if (stopping) {
      if (performing === undefined) end.resolve()
      else if (performing.action._tag !== 'Install') performing.interruption.interrupt()
      return
    }
    const now = ports.clock.now()
    const action = decide(policy)(facts, now)
    appointment.set(momentOf(action, facts, now))
    if (performing !== undefined) {
      if (performing.action._tag === 'Observe' && !isSameWatch(performing.action, action))
        performing.interruption.interrupt()
      return
    }
    if (action._tag !== 'Wait') begin(action)
  }

  const begin = (action: Exclude<Action, { readonly _tag: 'Wait' }>): void => {
    const mine = { action, interruption: interruption() }
    performing = mine
    const { signal } = mine.interruption
    const ended = (known: ReadonlyArray<Fact>) => {
      performing = undefined
      inbox.push(...known)
      drain()
    }
    // No port throws by its contract; one that does ends this rotation, and no other.
    const thrown = (error: unknown) => end?.reject(error)
    perform({ ports, keys, held: facts.held, limits: shared.limits, signal }, action)().then(ended, thrown)
  }

  const appointment = shared.agenda.add(() => drain())

  const tell = (news: News) => {
    inbox.push(news)
    drain()
  }
  const credentialOf = ({ certificate }: Held) => O.fromNullable(keys.credential(certificate))
  const windows = inquiry(ports, shared.agenda, () => facts, credentialOf, tell, warn)

  const run =
    (stop: Signal): TaskEither<StoreError, void> =>
    async () => {
      const found = await load(ports, keys)()
      if (E.isLeft(found)) return found
      found.right.warnings.forEach(warn)
      inbox.unshift({ _tag: 'Loaded', held: found.right.held, draft: found.right.draft })
      let forget: (() => void) | undefined
      try {
        await new Promise<void>((resolve, reject) => {
          end = { resolve, reject }
          drain()
          forget = onSignal(stop, () => {
            stopping = true
            proceed()
          })
        })
        return E.right(undefined)
      } finally {
        forget?.()
        windows.end()
        end = undefined
        appointment.set(endOfTime)
      }
    }

  return {
    run,
    facts: () => facts,
    state: () => stateOf(policy)(facts, ports.clock.now()),
    credentials: {
      current,
      subscribe: (listener) => {
        listeners.add(listener)
        return () => {
          listeners.delete(listener)
        }
      },
    },
    tell: (news) => () => {
      // Connections report a rejection with each of their calls: only the first is news.
      if (news._tag === 'CredentialRejected' && isRejected(facts)) return
      tell(news)
    },
  }
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
