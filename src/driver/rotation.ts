/**
 * The loop that joins machine and ports: decide, perform, evolve, again. It has no opinion of its own.
 *
 * The contract with whoever runs it:
 * 1. `run(stop)` loads the store once and then performs one action at a time until `stop` is given.
 * 2. Everything it learns, it says with `notify`, in order; a support case is the list of these events.
 * 3. `credentials` always answers with the certificate to use now, and tells of each change: after it is stored, or where
 *    no other works, as soon as it has arrived.
 * 4. `tell` brings news at any time; news cuts short what waits and nothing else.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { remarksOn } from '../machine/acceptance.js'
import type { Event, News, Outcome } from '../machine/event.js'
import { decide, evolve } from '../machine/machine.js'
import { heldOf, initial, inUse, nextKeyOf, type State } from '../machine/state.js'
import type { StoreError } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { printable } from '../model/printable.js'
import type { Draft } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import { type Instant, inWords, minute, rfc3339 } from '../model/time.js'
import type { CredentialSource, TlsCredential } from '../ports.js'
import { type Interruption, interruption, onSignal, type Signal } from '../signal.js'
import { keyring } from './keyring.js'
import { loading } from './loading.js'
import { type Means, type Ports, perform } from './performing.js'

/** What a rotation says about itself, as it happens. */
export type Notice =
  /** An event and what it changed; `from` and `to` may be the same state. */
  | { readonly _tag: 'Step'; readonly event: Event; readonly from: State; readonly to: State }
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
  readonly state: IO<State>
  readonly credentials: CredentialSource
  readonly tell: (news: News) => IO<void>
}

/** A rotation, not yet running. */
export const rotation = ({ policy, template, ports, notify }: RotationSetup): Rotation => {
  const keys = keyring()
  const inbox: Array<News> = []
  const listeners = new Set<(credential: O.Option<TlsCredential>) => void>()
  let state = initial(template)
  let interrupted: Interruption = interruption()
  let told: TlsCredential | undefined
  let skew = 0

  const say = (notice: Notice) => quietly(() => notify(notice))
  const warn = (message: string) =>
    say({ _tag: 'Warning', at: ports.clock.now(), message: printable(message) })

  const current = (): O.Option<TlsCredential> => {
    const certificate = inUse(policy, state, ports.clock.now())
    return O.isSome(certificate) ? O.fromNullable(keys.credential(certificate.value)) : O.none
  }

  const serverTime = (time: Instant) => {
    const difference = time - ports.clock.now()
    // The header has whole seconds, and an answer takes its time.
    const apart = Math.abs(difference) > minute
    if (apart && Math.abs(difference - skew) > minute)
      warn(
        `the API server's clock is ${inWords(Math.abs(difference))} ${difference > 0 ? 'ahead of' : 'behind'} ours: it says ${rfc3339(time)}; set the clocks`,
      )
    skew = apart ? difference : 0
  }

  /** Takes in what was learnt; then the keys, the store and the listeners are brought in line with the new state. */
  const step = async (fact: Outcome | News): Promise<void> => {
    const event: Event = { ...fact, at: ports.clock.now() }
    const from = state
    state = evolve(policy)(from, event)
    for (const chain of chainsOf(state)) await keys.equip(chain)()
    say({ _tag: 'Step', event, from, to: state })
    if (state._tag === 'Issued' && state.stage === 'delivered' && from._tag !== 'Issued')
      remarksOn(state).forEach(warn)
    const given = idsOf(state)
    // A saved request can come to nothing in the very step that tells of it: not wanted any more, its name taken.
    const saved = 'draft' in fact ? O.map(({ keyId }: Draft) => keyId)(fact.draft) : O.none
    const before = O.alt(() => nextKeyOf(from))(saved)
    if (O.isSome(before) && !given.includes(before.value)) {
      const discarded = await ports.store.discardRequest()
      if (E.isLeft(discarded)) warn(`${discarded.left.message}; ${discarded.left.remedy}`)
    }
    keys.retain(given)
    const now = O.toUndefined(current())
    if (now?.pem !== told?.pem) {
      told = now
      for (const listener of [...listeners]) quietly(() => listener(O.fromNullable(now)))
    }
  }

  const run =
    (stop: Signal): TaskEither<StoreError, void> =>
    async () => {
      const found = await loading(ports, keys)()
      if (E.isLeft(found)) return found
      found.right.warnings.forEach(warn)
      await step({ _tag: 'Loaded', held: found.right.held, draft: found.right.draft })
      const forget = onSignal(stop, () => interrupted.interrupt())
      while (!stop.aborted) {
        interrupted = interruption()
        for (const news of inbox.splice(0)) await step(news)
        const means: Means = { ports, keys, held: heldOf(state), stop, news: interrupted.signal, serverTime }
        const facts = await perform(means, decide(policy)(state, ports.clock.now()))
        for (const fact of facts) await step(fact)
      }
      forget()
      return E.right(undefined)
    }

  return {
    run,
    state: () => state,
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
      if (inbox.length === 0 && isKnown(policy, state, news)) return
      inbox.push(news)
      interrupted.interrupt()
    },
  }
}

/**
 * Connections report a refusal with each of their calls: what says nothing new must not cut a watch short every time.
 */
const isKnown = (policy: RotationPolicy, state: State, news: News): boolean => {
  if (news._tag !== 'CredentialAccepted' && news._tag !== 'CredentialRejected') return false
  const held = O.toUndefined(heldOf(state))
  return (
    policy.authenticateWith === 'external' ||
    held?.certificate.keyId !== news.keyId ||
    O.isSome(held.rejectedAt) === (news._tag === 'CredentialRejected')
  )
}

/** A listener that throws is its owner's trouble; the rotation goes on. */
const quietly = (call: () => void): void => {
  try {
    call()
  } catch {
    // Nothing to be done here, and nothing lost: `state` and `credentials` say the same when asked.
  }
}

const chainsOf = (state: State) => {
  const held = heldOf(state)
  return [...(O.isSome(held) ? [held.value] : []), ...('delivered' in state ? [state.delivered] : [])]
}

/** The ids of the keys that a state speaks of. */
const idsOf = (state: State): ReadonlyArray<string> => {
  const next = nextKeyOf(state)
  return [
    ...chainsOf(state).map(({ certificate }) => certificate.keyId),
    ...(O.isSome(next) ? [next.value] : []),
  ]
}
