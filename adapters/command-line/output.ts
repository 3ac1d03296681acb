import { type Instant, instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import { logFields, precisely, type Told } from './log-fields.js'

export type LogFormat = 'text' | 'json'
/** From everything to what a person has to act on. */
export const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

export const isLevel = (text: string): text is Level => levels.some((level) => level === text)

/** Which lines a log has, and how they are written. */
export interface Log {
  readonly format: LogFormat
  /** The least that is logged. */
  readonly level: Level
}

/** Whether a log that begins at `least` has lines of this level. */
export const isLogged = (least: Level, level: Level): boolean =>
  levels.indexOf(level) >= levels.indexOf(least)

/** A transition as a line of a log. */
export const transitionLine = (format: LogFormat, told: Told): string => {
  if (format === 'json')
    return JSON.stringify(Object.fromEntries(logFields.map(({ name, read }) => [name, read(told)])))
  const { at, level, from, to, message, csr, serialNumber, notAfter, certificate } = told
  const about = [
    ...(csr === undefined || message.includes(csr) ? [] : [`request ${csr}`]),
    ...(serialNumber === undefined ? [] : [`certificate ${serialNumber}`]),
    ...(notAfter === undefined ? [] : [`until ${precisely(notAfter)}`]),
  ]
  const states = from === to ? to : `${from} → ${to}`
  return `${textHead(at, level)} ${owner(certificate)}${states}: ${message}${about.length > 0 ? ` (${about.join(', ')})` : ''}`
}

/** Anything else worth a line. */
export const messageLine = (
  format: LogFormat,
  at: Date,
  level: Level,
  message: string,
  certificate?: string,
): string =>
  format === 'json'
    ? JSON.stringify({ time: precisely(at), level, msg: message, certificate })
    : `${textHead(at, level)} ${owner(certificate)}${message}`

/** The beginning of a line for people: whole seconds. */
export const toTheSecond = (at: Instant): string => rfc3339(wholeSecond(at))

const textHead = (at: Date, level: Level): string =>
  `${toTheSecond(instant(at.getTime()))} ${level.toUpperCase().padEnd(5)}`

const owner = (certificate: string | undefined): string =>
  certificate === undefined ? '' : `${certificate}: `
