/** What another process may ask a rotation to do: `rotate`, with a reason, and waiting for what comes of it; `reload`. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Transition } from '../../src/describe/transition.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { printable } from '../../src/model/printable.js'
import { after, inWords } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import type { Credential } from './credential.js'
import type { RotationOptions } from './options.js'
import type { Questions } from './questions.js'

const RotateCodec = t.type({ reason: t.string, wait: t.number })
const ReloadCodec = t.type({ reason: t.string })

/** Refusals that a person has to do something about: nobody waits longer for what they are about. */
const lasting = new Set(['Denied', 'SignerFailed', 'Forbidden', 'Invalid', 'NotServed'])

/** As far as the rotation is asked. */
export interface Steered {
  /** The certificate that is stored and in use. */
  readonly installed: () => Credential | undefined
  readonly listen: () => AsyncIterableIterator<Transition>
  readonly rotate: (reason: string) => void
  readonly explain: () => string
  readonly clock: Clock
}

export const steering = (
  { installed, listen, rotate, explain, clock }: Steered,
  onAsked: RotationOptions['onAsked'],
): Questions => ({
  rotate: (question) => async () => {
    const asked = RotateCodec.decode(question)
    if (E.isLeft(asked)) return E.left(misasked('rotate'))
    const { wait } = asked.right
    const reason = printable(asked.right.reason, 200)
    const before = installed()?.keyId
    const transitions = listen()
    onAsked?.({ what: 'rotate', reason })
    rotate(reason)
    const patience = interruption()
    const end = () => {
      patience.interrupt()
      return transitions.return?.()
    }
    if (wait === 0) {
      await end()
      return E.right({ begun: true })
    }
    const late = clock
      .sleepUntil(after(clock.now(), wait), patience.signal)()
      .then(() => undefined)
    try {
      for (;;) {
        const next = await Promise.race([transitions.next(), late])
        const found = installed()
        if (found !== undefined && found.keyId !== before)
          return E.right({ serialNumber: found.serialNumber, notAfter: found.notAfter.toISOString() })
        if (next === undefined)
          return E.left(notYet(`there is no new certificate after ${inWords(wait)}: ${explain()}`))
        if (next.done === true)
          return E.left(notYet('the rotation was stopped or reloaded before there was a new certificate'))
        const { reason: word, message } = next.value
        if (lasting.has(word)) return E.left(notYet(`${word}: ${message}`))
      }
    } finally {
      await end()
    }
  },
  reload: (question) => async () => {
    const asked = ReloadCodec.decode(question)
    if (E.isLeft(asked)) return E.left(misasked('reload'))
    if (onAsked === undefined)
      return E.left(failure('NotReloadable', 'later', 'this agent cannot reload', 'start it again'))
    // After the answer: it may end this rotation.
    setImmediate(() => onAsked({ what: 'reload', reason: printable(asked.right.reason, 200) }))
    return E.right({ begun: true })
  },
})

const notYet = (why: string): Failure<'NotRotated'> =>
  failure('NotRotated', 'soon', why, 'the rotation goes on; kube-cert-rotation explain says more')

const misasked = (what: string): Failure<'BadQuestion'> =>
  failure(
    'BadQuestion',
    'later',
    `what was asked with ${what} is incomplete`,
    'use a program of this version',
  )
