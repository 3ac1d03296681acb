/**
 * The driver joins machine and ports: it performs what the machine decides, and tells it what became of that. It has no
 * opinion of its own. One driver keeps any number of rotations on one agenda; one at rest is its facts and its key.
 *
 * The contract with whoever runs a rotation:
 * 1. `run(stop)` loads the store once, and then one action after the other is performed until `stop` is given. A watch
 *    gives way as soon as another action is next; `stop` cuts short everything but an installation.
 * 2. Everything that is learnt is told with `notify`, in order, before the next action begins; the events among it make
 *    the same facts again.
 * 3. `credentials` always answers with the certificate to use now, and tells of each change: after it is stored, or where
 *    no other works, as soon as it has arrived.
 * 4. `tell` brings news at any time; while a certificate is being stored they wait.
 */
import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { News } from '../machine/event.js'
import { type Facts, isRejected } from '../machine/facts.js'
import { stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { StoreError } from '../model/failure.js'
import type { Clock, CredentialSource } from '../ports.js'
import type { Signal } from '../signal.js'
import { agenda } from './agenda.js'
import { defaultLimits, type Limits, limit } from './limits.js'
import { loopOf, run, take } from './loop.js'
import { current, type RotationSetup, type Shared } from './step.js'

export type { Notice, RotationSetup } from './step.js'

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
  const one = agenda(clock)
  const shared: Shared = {
    agenda: one,
    limits: {
      handshakes: limit(most.handshakes, one, clock),
      keys: limit(most.keys, one, clock),
      installs: limit(most.installs, one, clock),
    },
  }
  return { rotation: (setup) => rotationOf(setup, shared) }
}

/** A rotation with a driver of its own, not yet running. */
export const rotation = (setup: RotationSetup): Rotation => driver(setup.ports.clock).rotation(setup)

const rotationOf = (setup: RotationSetup, shared: Shared): Rotation => {
  const loop = loopOf(setup, shared)
  return {
    run: (stop) => run(loop, stop),
    facts: () => loop.facts,
    state: () => stateOf(setup.policy)(loop.facts, setup.ports.clock.now()),
    credentials: {
      current: () => current(loop),
      subscribe: (listener) => {
        loop.listeners = loop.listeners.concat(listener)
        return () => {
          loop.listeners = loop.listeners.filter((one) => one !== listener)
        }
      },
    },
    tell: (news) => () => {
      // Connections report a rejection with each of their calls: only the first is news.
      if (news._tag === 'CredentialRejected' && isRejected(loop.facts)) return
      take(loop, news)
    },
  }
}
