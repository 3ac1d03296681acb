/** A rotation as the driver keeps it, and what happens when something becomes known. */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { Step } from '../describe/transition.js'
import type { Action } from '../machine/action.js'
import { inUse } from '../machine/credential.js'
import { type Effect, effects } from '../machine/effects.js'
import type { Event } from '../machine/event.js'
import type { Facts } from '../machine/facts.js'
import { stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { StoreError } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { printable } from '../model/printable.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant } from '../model/time.js'
import type { TlsCredential } from '../ports.js'
import type { Interruption } from '../signal.js'
import type { Agenda, Appointment } from './agenda.js'
import { credentialOf, type Keyring, makeReady, retain } from './keyring.js'
import type { Fact, Means, Ports } from './perform.js'
import type { Inquiry } from './windows.js'

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

export interface End {
  readonly resolve: (outcome: E.Either<StoreError, void>) => void
  readonly reject: (thrown: unknown) => void
  /** Hears no longer that the rotation is to stop. */
  readonly forgetSignal: IO<void>
}

/** The certificate to use now. */
export const current = ({ setup: { policy, ports }, facts, keys }: Loop): O.Option<TlsCredential> => {
  const certificate = inUse(policy, facts, ports.clock.now())
  return O.isSome(certificate) ? O.fromNullable(credentialOf(keys, certificate.value)) : O.none
}

export const warn = ({ setup: { notify, ports } }: Loop, message: string): void =>
  quietly(() => notify({ _tag: 'Warning', at: ports.clock.now(), message: printable(message) }))

/** What the time alone has changed: the state, or the certificate to use. */
export const catchUp =
  (loop: Loop, at: Instant): Task<void> =>
  async () => {
    const { facts, seenAt, setup } = loop
    const now = stateOf(setup.policy)(facts, at)
    const isChanged =
      now._tag !== loop.state._tag || effects(setup.policy)({ facts, at: seenAt }, { facts, at }).length > 0
    if (isChanged) await step(loop, facts, at)()
    loop.state = now
    loop.seenAt = at
  }

/** Takes in what is known at a time: by an event, or without one, by the time alone. */
export const step =
  (loop: Loop, after: Facts, at: Instant, event?: Event): Task<void> =>
  async () => {
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
