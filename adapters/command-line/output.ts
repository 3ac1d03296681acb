import type { Transition } from '../node/index.js'

export type LogFormat = 'text' | 'json'

/** RFC 3339 in UTC, with milliseconds only where there are any. */
export const timeOf = (at: Date): string => at.toISOString().replace('.000Z', 'Z')

/** A transition as a line of a log. */
export const transitionLine = (format: LogFormat, transition: Transition): string => {
  const { at, level, from, to, reason, message, csr, serialNumber, notAfter, rotateAt } = transition
  if (format === 'json')
    return JSON.stringify({
      time: timeOf(at),
      level,
      msg: message,
      from,
      to,
      reason,
      csr,
      serialNumber,
      notAfter: notAfter && timeOf(notAfter),
      rotateAt: rotateAt && timeOf(rotateAt),
    })
  const about = [
    ...(csr === undefined ? [] : [`request ${csr}`]),
    ...(serialNumber === undefined ? [] : [`certificate ${serialNumber}`]),
    ...(notAfter === undefined ? [] : [`until ${timeOf(notAfter)}`]),
  ]
  const states = from === to ? to : `${from} → ${to}`
  return `${textHead(at, level)} ${states}: ${message}${about.length > 0 ? ` (${about.join(', ')})` : ''}`
}

/** Anything else worth a line. */
export const messageLine = (
  format: LogFormat,
  at: Date,
  level: 'info' | 'warn' | 'error',
  message: string,
): string =>
  format === 'json'
    ? JSON.stringify({ time: timeOf(at), level, msg: message })
    : `${textHead(at, level)} ${message}`

const textHead = (at: Date, level: string): string => `${timeOf(at)} ${level.toUpperCase().padEnd(5)}`
