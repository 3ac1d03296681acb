/** What `status --watch` shows: a screen for a terminal, or a line for each change. Nothing in it depends on colour. */
import * as O from 'fp-ts/lib/Option.js'
import { windowInWords } from '../../src/describe/renewal.js'
import type { Told } from '../../src/describe/snapshot.js'
import { adviceFor, type Waiting, waitingFor } from '../../src/describe/waiting.js'
import { isUsable } from '../../src/machine/due.js'
import type { LastFailure } from '../../src/machine/facts.js'
import { stateOf } from '../../src/machine/machine.js'
import { printable } from '../../src/model/printable.js'
import { type Instant, inWords, rfc3339, wholeSecond } from '../../src/model/time.js'
import type { Situation } from './inquiry.js'
import { legend, lifeBar, lifeInWords, moment } from './life-bar.js'
import { agentInWords, connectionsInWords } from './status-report.js'

export interface Watched {
  /** What its files begin with, or its name in a file of `--config`. */
  readonly prefix: string
  /** Undefined: it cannot be read, and why. */
  readonly situation: Situation | undefined
  readonly problem?: string
}

export interface ScreenOptions {
  readonly title: string
  readonly now: Instant
  readonly columns: number
  /** Puts a colour around a text that says the same without it. */
  readonly paint: (colour: 'good' | 'bad' | 'due', text: string) => string
}

const indent = 2
const nameWidth = 13
const shownEvents = 4

/** The screen, a line each, none wider than the terminal. */
export const screen = (watched: ReadonlyArray<Watched>, options: ScreenOptions): ReadonlyArray<string> => [
  ...wrapped(`${options.title}, ${rfc3339(wholeSecond(options.now))}; Ctrl-C ends this`, options.columns, 0),
  ...(watched.some(({ situation }) => situation !== undefined && O.isSome(situation.facts.held))
    ? wrapped(`life: ${legend}`, options.columns, 0)
    : []),
  ...watched.flatMap((one) => ['', ...section(one, options)]),
]

const section = ({ prefix, situation, problem }: Watched, options: ScreenOptions): ReadonlyArray<string> => {
  if (situation === undefined)
    return wrapped(`${prefix}: ${printable(problem ?? '')}`, options.columns, indent)
  const { policy, facts, now, agent, snapshot } = situation
  const { columns, paint } = options
  const row = (name: string, text: string): ReadonlyArray<string> => {
    const [first = '', ...rest] = wrapped(printable(text, 4_000), columns - indent - nameWidth, 0)
    return [`${' '.repeat(indent)}${name.padEnd(nameWidth)}${first}`, ...rest.map(inset)]
  }
  const held = O.toUndefined(facts.held)
  const connections = O.toUndefined(snapshot?.connections ?? O.none)
  const { lastFailure, window } = facts
  const colour =
    held === undefined || !isUsable(policy, held, now) ? 'bad' : isCalm(situation) ? 'good' : 'due'
  return [
    `${prefix}: ${paint(colour, stateNameOf(situation))}`,
    ...(held === undefined
      ? row('certificate', 'none')
      : [
          ...row('certificate', `${held.certificate.serialNumber} of ${held.certificate.commonName}`),
          ...row(
            'life',
            lifeBar(policy, { ...held, window }, now, Math.min(100, columns - indent - nameWidth)),
          ),
          ...row('', lifeInWords(policy, { ...held, window }, now)),
        ]),
    ...(O.isNone(window) ? [] : row('window', windowInWords(policy, facts, window.value, now))),
    ...(snapshot === undefined
      ? []
      : row('waits for', waitingInWords(waitingFor(policy, facts, now, snapshot.awaited), now))),
    ...(snapshot !== undefined && O.isSome(lastFailure) && !isCalm(situation)
      ? row('last failure', failureInWords(lastFailure.value, now))
      : []),
    ...(snapshot === undefined
      ? []
      : adviceFor(policy, facts, now).flatMap((advice) => row('you can', advice))),
    ...(connections === undefined ? [] : row('connections', connectionsInWords(connections))),
    ...row('agent', agent === undefined ? 'cannot be asked' : agentInWords(agent)),
    ...situation.warnings.flatMap((warning) => row('warning', warning)),
    ...(snapshot?.recent ?? []).slice(-shownEvents).flatMap((told) => row(timeOf(told), eventInWords(told))),
  ]
}

const inset = (line: string): string => `${' '.repeat(indent + nameWidth)}${line}`

const stateNameOf = ({ snapshot, policy, facts, now }: Situation): string =>
  snapshot !== undefined && O.isNone(snapshot.known)
    ? printable(snapshot.state)
    : stateOf(policy)(facts, now)._tag

/** Nothing has to be done but to wait for the renewal. */
const isCalm = ({ policy, facts, now }: Situation): boolean => {
  const state = stateOf(policy)(facts, now)
  return state._tag === 'Issued' && state.stage === 'installed'
}

const waitingInWords = ({ what, since, until }: Waiting, now: Instant): string =>
  [
    what,
    ...(O.isSome(since) ? [`since ${moment(since.value, now)}`] : []),
    ...(O.isSome(until) ? [`until ${moment(until.value, now)}`] : []),
  ].join(', ')

const failureInWords = ({ at, attempt, failure }: LastFailure, now: Instant): string =>
  `${failure._tag}, attempt ${attempt}, ${inWords(now - at)} ago: ${failure.message}`

/** The time of the day; the date would not fit, and is in the log. */
const timeOf = ({ at }: Told): string => rfc3339(wholeSecond(at)).slice(11, 19)

const eventInWords = ({ level, reason, message }: Told): string =>
  `${level === 'info' ? '' : `${level} `}${reason}: ${message}`

/** A line for each prefix that says the same as long as nothing changes: it has no time of now in it. */
export const summaryLine = ({ prefix, situation, problem }: Watched): string => {
  if (situation === undefined) return `${prefix}: ${printable(problem ?? '')}`
  const { policy, facts, now, agent, snapshot } = situation
  const held = O.toUndefined(facts.held)
  const waiting = waitingFor(policy, facts, now, snapshot?.awaited)
  return [
    `${prefix}: ${stateNameOf(situation)}`,
    held === undefined
      ? 'no certificate'
      : `certificate ${held.certificate.serialNumber} until ${rfc3339(held.certificate.notAfter)}`,
    ...(snapshot === undefined
      ? []
      : [
          `waits for ${printable(waiting.what)}${O.isSome(waiting.until) ? ` until ${rfc3339(wholeSecond(waiting.until.value))}` : ''}`,
        ]),
    ...(agent === null ? ['no agent is running'] : []),
  ].join('; ')
}

/** Breaks a text between words; a word that is longer than a line is broken where the line ends. */
export const wrapped = (text: string, columns: number, inset: number): ReadonlyArray<string> => {
  const width = Math.max(20, columns)
  const lines: Array<string> = []
  let line = ''
  for (const word of text.split(' ')) {
    const room = width - (lines.length > 0 ? inset : 0)
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    while (line.length > room) {
      lines.push(line.slice(0, room))
      line = line.slice(room)
    }
  }
  lines.push(line)
  return lines.map((one, index) => `${index === 0 ? '' : ' '.repeat(inset)}${one}`)
}
