import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { News } from '../machine/event.js'
import type { Facts, Held } from '../machine/facts.js'
import { retryDelay } from '../machine/retry.js'
import type { KeyId } from '../model/certificate.js'
import { failure, type Interrupted, type WindowError } from '../model/failure.js'
import { after, day, endOfTime, hour, type Milliseconds, minute } from '../model/time.js'
import { isSameWindow, isWindow } from '../model/window.js'
import type { Suggestion, TlsCredential } from '../ports.js'
import { interruption } from '../signal.js'
import type { Agenda } from './agenda.js'
import type { Ports } from './perform.js'

/** Asks for the renewal window of the certificate held: once for each certificate, then when the answer says so. */
export interface Inquiry {
  /** Asks where another certificate is held than was asked for last. */
  readonly look: IO<void>
  readonly end: IO<void>
}

/** Between a minute and a day, whatever the answer says (RFC 9773, section 4.3). */
const bounded = (delay: Milliseconds): Milliseconds =>
  Number.isNaN(delay) ? minute : Math.min(Math.max(delay, minute), day)

const nothingToAsk: Inquiry = { look: () => {}, end: () => {} }

/** Where nobody suggests windows, nothing is asked, and nothing is on the agenda. */
export const inquiry = (
  { windows, clock }: Pick<Ports, 'windows' | 'clock'>,
  agenda: Agenda,
  facts: IO<Facts>,
  credentialOf: (held: Held) => O.Option<TlsCredential>,
  tell: (news: News) => void,
  warn: (message: string) => void,
): Inquiry => {
  if (windows === undefined) return nothingToAsk
  const stopping = interruption()
  let askedFor: KeyId | undefined
  let asking = false
  let isStale = false
  /** Failures in a row that say the same. */
  let failed = { message: '', times: 0 }

  /** Tells of the 1st, 2nd, 4th and so on of a row; when to ask again. */
  const failing = (error: WindowError | Interrupted, keyId: KeyId): Milliseconds => {
    if (error._tag === 'Interrupted') return minute
    const { message, remedy, retryAfter } = error
    failed = { message, times: failed.message === message ? failed.times + 1 : 1 }
    const { times } = failed
    if (Number.isInteger(Math.log2(times)))
      warn(`${message}${times === 1 ? '' : ` (${times} times in a row)`}; ${remedy}`)
    return O.getOrElse(() => retryDelay({ initial: 2 * minute, maximum: hour }, times, keyId))(retryAfter)
  }

  const ask = async (): Promise<void> => {
    const held = O.toUndefined(facts().held)
    if (held === undefined || stopping.signal.aborted) return
    if (asking) {
      isStale = true
      return
    }
    asking = true
    isStale = false
    const { keyId } = held.certificate
    askedFor = keyId
    appointment.set(endOfTime)
    const answer = E.filterOrElseW(
      isSensible,
      nonsense,
    )(await windows.suggest({ ...held, credential: credentialOf(held) }, stopping.signal)())
    asking = false
    if (stopping.signal.aborted) return
    const delay = E.isLeft(answer) ? failing(answer.left, keyId) : answer.right.askAgainAfter
    appointment.set(after(clock.now(), bounded(delay)))
    if (E.isRight(answer)) {
      const { window } = answer.right
      failed = { message: '', times: 0 }
      if (!isSameWindow(facts().window, window)) tell({ _tag: 'WindowSuggested', window })
    }
    if (isStale) void ask()
    else look()
  }

  const look = () => {
    const held = O.toUndefined(facts().held)
    if (held !== undefined && held.certificate.keyId !== askedFor) void ask()
  }

  const appointment = agenda.add(() => void ask())
  const forget = windows.subscribe?.(() => void ask())

  return {
    look,
    end: () => {
      stopping.interrupt()
      forget?.()
      appointment.set(endOfTime)
    },
  }
}

const isSensible = ({ window }: Suggestion): boolean => O.isNone(window) || isWindow(window.value)

const nonsense = ({ window }: Suggestion): WindowError =>
  failure(
    'WindowUnknown',
    'later',
    `${O.toUndefined(window)?.source} suggests a renewal window that does not end after it starts`,
    'correct it; it counts as no answer',
  )
