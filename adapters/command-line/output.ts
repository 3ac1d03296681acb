import type { Transition } from '../../src/describe/transition.js'
import { type Instant, instant, rfc3339, wholeSecond } from '../../src/model/time.js'

export type LogFormat = 'text' | 'json'
export type Level = 'info' | 'warn' | 'error'

/** A transition as a line of a log. */
export const transitionLine = (format: LogFormat, transition: Transition): string => {
  const { at, level, from, to, reason, message, csr, serialNumber, notAfter, rotateAt } = transition
  if (format === 'json')
    return JSON.stringify({
      time: precisely(at),
      level,
      msg: message,
      from,
      to,
      reason,
      csr,
      serialNumber,
      notAfter: notAfter && precisely(notAfter),
      rotateAt: rotateAt && precisely(rotateAt),
    })
  const about = [
    ...(csr === undefined || message.includes(csr) ? [] : [`request ${csr}`]),
    ...(serialNumber === undefined ? [] : [`certificate ${serialNumber}`]),
    ...(notAfter === undefined ? [] : [`until ${precisely(notAfter)}`]),
  ]
  const states = from === to ? to : `${from} → ${to}`
  return `${textHead(at, level)} ${states}: ${message}${about.length > 0 ? ` (${about.join(', ')})` : ''}`
}

/** Anything else worth a line. */
export const messageLine = (format: LogFormat, at: Date, level: Level, message: string): string =>
  format === 'json'
    ? JSON.stringify({ time: precisely(at), level, msg: message })
    : `${textHead(at, level)} ${message}`

/** The beginning of a line for people: whole seconds. */
export const toTheSecond = (at: Instant): string => rfc3339(wholeSecond(at))

const precisely = (at: Date): string => rfc3339(instant(at.getTime()))

const textHead = (at: Date, level: Level): string =>
  `${toTheSecond(instant(at.getTime()))} ${level.toUpperCase().padEnd(5)}`
