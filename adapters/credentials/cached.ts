import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Failure, type Interrupted, interrupted } from '../../src/model/failure.js'
import type { Instant } from '../../src/model/time.js'
import type { ClientCredential, Credentials } from '../../src/ports.js'
import { type Interruption, interruption, onSignal } from '../../src/signal.js'

type Outcome = E.Either<Failure<'NoCredential'> | Interrupted, ClientCredential>

/** An asking under way, for so many who wait. */
interface Asking {
  readonly outcome: Promise<Outcome>
  readonly stop: Interruption['interrupt']
  waiting: number
}

/**
 * A credential that costs something to ask for: it is kept until it expires or is rejected, and asked for once for all
 * who wait. When the last of them waits no more, the asking is cut short.
 */
export const cached = (
  ask: (
    signal: Interruption['signal'],
  ) => TaskEither<Failure<'NoCredential'> | Interrupted, ClientCredential>,
  now: IO<Instant>,
): Credentials => {
  let held: O.Option<ClientCredential> = O.none
  let asking: Asking | undefined

  const begin = (): Asking => {
    const { signal, interrupt } = interruption()
    const begun: Asking = { outcome: ask(signal)(), stop: interrupt, waiting: 0 }
    asking = begun
    const end = () => {
      if (asking === begun) asking = undefined
    }
    begun.outcome.then((outcome) => {
      if (asking === begun && E.isRight(outcome)) held = O.some(outcome.right)
      end()
    }, end)
    return begun
  }

  const wait = (joined: Asking, signal: Interruption['signal']): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      joined.waiting += 1
      const forget = onSignal(signal, () => {
        joined.waiting -= 1
        if (joined.waiting === 0) {
          joined.stop()
          // Who comes now has to ask anew.
          if (asking === joined) asking = undefined
        }
        resolve(E.left(interrupted))
      })
      joined.outcome.then(resolve, reject).finally(forget)
    })

  return {
    current: (signal) => async () => {
      if (signal.aborted) return E.left(interrupted)
      const usable = O.filter(
        ({ expiresAt }: ClientCredential) => !O.isSome(expiresAt) || now() < expiresAt.value,
      )
      held = usable(held)
      return O.isSome(held) ? E.right(held.value) : wait(asking ?? begin(), signal)
    },
    wasRejected: (credential) => () => {
      // One that has been replaced meanwhile says nothing about its successor.
      if (O.isSome(held) && held.value === credential) held = O.none
    },
  }
}
