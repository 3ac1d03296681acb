/** A log of events, run through the machine of today: what was known and decided then, and what would be decided now. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { FactsCodec } from '../machine/codec.js'
import type { Event } from '../machine/event.js'
import type { Facts } from '../machine/facts.js'
import { evolve, stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { Json } from '../model/codec.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Instant } from '../model/time.js'
import { type LogHeader, type LogLine, readLine, type Verdict, verdictOf } from './log.js'
import { transitionOf } from './transition.js'

/** A file of a log: its name, for people, and its text. */
export interface LogFile {
  readonly name: string
  readonly text: string
}

/** A line of a log, with what is known after it. */
export interface Entry {
  /** As in `FILE:12`. */
  readonly place: string
  readonly at: Instant
  readonly policy: RotationPolicy
  readonly facts: Facts
  /** A header: why it is there. */
  readonly because?: LogHeader['because']
  /** Absent: only the time has changed something. */
  readonly event?: Event
  /** What it is to people, where it is worth telling. */
  readonly message?: string
  readonly recorded?: Verdict
  readonly computed: Verdict
  /** Where what was recorded is not what is computed, a clause each. */
  readonly differences: ReadonlyArray<string>
}

export interface Replay {
  readonly entries: ReadonlyArray<Entry>
  /** The places of lines that were not written to their end: there a process was killed, or a disk was full. */
  readonly cut: ReadonlyArray<string>
}

/** Why a log cannot be replayed, and the place. */
export interface LogError {
  readonly place: string
  readonly what: string
}

/** What the machine is at after a line. */
interface Course {
  readonly at: Instant
  readonly policy: RotationPolicy
  readonly facts: Facts
  readonly state: State
}

/** Replays the files of a log, the oldest first. */
export const replay = (files: ReadonlyArray<LogFile>): E.Either<LogError, Replay> => {
  const entries: Array<Entry> = []
  const cut: Array<string> = []
  let course: Course | undefined
  for (const { name, text } of files) {
    // A line that was cut is the last one of its file, or its process's: a header follows.
    let unfinished: string | undefined
    for (const [index, line] of text.split('\n').entries()) {
      if (line === '') continue
      const place = `${name}:${index + 1}`
      const read = readLine(line)
      if (unfinished !== undefined && read._tag !== 'Header')
        return E.left({ place: unfinished, what: 'it is no JSON' })
      unfinished = undefined
      switch (read._tag) {
        case 'Broken':
          if (read.problem !== undefined)
            return E.left({ place, what: `${read.problem.where || 'it'} ${read.problem.what}` })
          unfinished = place
          cut.push(place)
          break
        case 'Header': {
          const entry = entryOfHeader(place, course, read.header, read.written)
          entries.push(entry)
          course = courseOf(entry)
          break
        }
        case 'Step': {
          if (course === undefined)
            return E.left({ place, what: 'it has no header before it: this is not the beginning of a log' })
          const entry = entryOfStep(place, course, read.line)
          entries.push(entry)
          course = courseOf(entry)
        }
      }
    }
  }
  return entries.length === 0
    ? E.left({ place: files.map(({ name }) => name).join(', '), what: 'there is no line of a log in it' })
    : E.right({ entries, cut })
}

const courseOf = ({ policy, facts, at }: Entry): Course => ({
  at,
  policy,
  facts,
  state: stateOf(policy)(facts, at),
})

/** A header that continues a file repeats what is known: it has to be what the lines before it make. */
const entryOfHeader = (
  place: string,
  course: Course | undefined,
  { at, because, policy, facts }: LogHeader,
  written: ReadonlyArray<string>,
): Entry => ({
  place,
  at,
  policy,
  facts,
  because,
  computed: verdictOf(policy, facts, at),
  differences:
    because !== 'continued' || course === undefined
      ? []
      : fieldsThatDiffer(FactsCodec.encode(facts), FactsCodec.encode(course.facts))
          .filter((field) => written.includes(field))
          .map((field) => `facts: another ${field} than the lines before make`),
})

const entryOfStep = (place: string, course: Course, line: LogLine): Entry => {
  const { policy, facts: before } = course
  const { at, state, why, action } = line
  const event = O.toUndefined(line.event)
  const after = event === undefined ? before : evolve(policy)(before, event)
  const from = event === undefined ? course.state : stateOf(policy)(before, at)
  const to = stateOf(policy)(after, at)
  const learnt = event === undefined ? {} : { event }
  const message = transitionOf(policy, { since: course.at, at, ...learnt, before, after, from, to })?.message
  const recorded = { state, why, action }
  const computed = verdictOf(policy, after, at)
  return {
    place,
    at,
    policy,
    facts: after,
    ...learnt,
    ...(message === undefined ? {} : { message }),
    recorded,
    computed,
    differences: [
      ...differenceOf('state', inWords(recorded), inWords(computed)),
      ...differenceOf('decision', recorded.action, computed.action),
    ],
  }
}

/** `RenewDue (deadline)`. */
const inWords = ({ state, why }: Verdict): string => (O.isSome(why) ? `${state} (${why.value})` : state)

const differenceOf = (what: string, recorded: string, computed: string): ReadonlyArray<string> =>
  recorded === computed ? [] : [`${what}: was ${recorded}, would be ${computed}`]

const fieldsThatDiffer = (one: Json, other: Json): ReadonlyArray<string> => {
  const [a, b] = [fieldsOf(one), fieldsOf(other)]
  return Object.keys(a).filter((field) => !isSame(a[field] ?? null, b[field] ?? null))
}

/** None of what has none. */
const fieldsOf = (json: Json): Readonly<Record<string, Json>> =>
  typeof json === 'object' && json !== null ? Object.fromEntries(Object.entries(json)) : {}

/** Whatever the order of the fields. */
const isSame = (one: Json, other: Json): boolean => {
  const [a, b] = [fieldsOf(one), fieldsOf(other)]
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return names.size === 0
    ? JSON.stringify(one) === JSON.stringify(other)
    : [...names].every((name) => isSame(a[name] ?? null, b[name] ?? null))
}

/** The last entry that is not later than the instant; none before the log begins. */
export const entryAt = ({ entries }: Replay, at: Instant): Entry | undefined =>
  entries.findLast((entry) => entry.at <= at)
