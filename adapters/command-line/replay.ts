import { readFile } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import { entryAt, type LogFile, replay } from '../../src/describe/replay.js'
import { printable } from '../../src/model/printable.js'
import { type Instant, instant, rfc3339 } from '../../src/model/time.js'
import { reasonOf } from '../platform/system-error.js'
import { command, complain } from './command.js'
import { type Flags, readFlagsAndFiles, type UsageError, usageError } from './flags.js'
import { isDifferent, linesAt, linesOf, reportAt, reportOf } from './replay-report.js'

export const replayFlags = {
  at: {
    value: 'INSTANT',
    help: 'explain the situation at this time (2026-11-23T17:20:02Z), and nothing else',
  },
  output: { value: 'json', short: 'o', help: 'json: for programs' },
} satisfies Flags<string>

export interface ReplayRequest {
  /** The oldest first. */
  readonly files: ReadonlyArray<string>
  readonly at?: Instant
  readonly json: boolean
}

export const readReplay = (args: ReadonlyArray<string>): E.Either<UsageError, ReplayRequest> => {
  const read = readFlagsAndFiles(replayFlags, args)
  if (E.isLeft(read)) return read
  const { given, files } = read.right
  const { output = 'text', at } = given
  if (files.length === 0)
    return E.left(
      usageError('no file is named', 'name that of run --event-log; FILE.1 before FILE where there is one'),
    )
  if (output !== 'json' && output !== 'text')
    return E.left(usageError(`-o ${output} is not known`, 'write -o json, or leave it out'))
  const request = { files, json: output === 'json' }
  if (at === undefined) return E.right(request)
  const moment = instantFrom(at)
  return moment === undefined
    ? E.left(usageError(`--at: ${JSON.stringify(at)} is no instant`, 'for instance 2026-11-23T17:20:02Z'))
    : E.right({ ...request, at: moment })
}

/** RFC 3339, in any zone. */
const instantFrom = (text: string): Instant | undefined => {
  const isWritten = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const milliseconds = isWritten ? Date.parse(text.toUpperCase()) : Number.NaN
  return Number.isNaN(milliseconds) ? undefined : instant(milliseconds)
}

const [agrees, differs, cannot] = [0, 1, 2]

/**
 * Shows the log of a rotation, and where this version would decide otherwise. Exit code 0: nowhere; 1: somewhere; 2: the
 * log cannot be read.
 */
const showReplay = async ({ files, at, json }: ReplayRequest): Promise<number> => {
  const texts: Array<LogFile> = []
  for (const name of files) {
    try {
      texts.push({ name, text: await readFile(name, 'utf8') })
    } catch (error) {
      complain(`reading ${name}: ${reasonOf(error)}`, 'name a file of run --event-log')
      return cannot
    }
  }
  const replayed = replay(texts)
  if (E.isLeft(replayed)) {
    const { place, what } = replayed.left
    complain(
      `${place}: ${printable(what)}`,
      'name the files of run --event-log, the oldest first, as they were written',
    )
    return cannot
  }
  const upTo = (now: Instant) => entryAt(replayed.right, now)
  const last = at === undefined ? undefined : upTo(at)
  if (at !== undefined && last === undefined) {
    const begins = replayed.right.entries[0]?.at ?? at
    complain(
      `nothing is known of ${rfc3339(at)}`,
      `name a time after ${rfc3339(begins)}, when the log begins`,
    )
    return cannot
  }
  const { entries, cut } = replayed.right
  const shown =
    last === undefined ? replayed.right : { entries: entries.slice(0, entries.indexOf(last) + 1), cut }
  const document = (value: unknown) => [JSON.stringify(value, undefined, 2)]
  const lines =
    at === undefined || last === undefined
      ? json
        ? document(reportOf(shown))
        : linesOf(shown)
      : json
        ? document(reportAt(shown, last, at))
        : linesAt(shown, last, at)
  process.stdout.write(`${lines.join('\n')}\n`)
  return shown.entries.some(isDifferent) ? differs : agrees
}

export const replayCommand = command(replayFlags, readReplay, showReplay, 'FILE…')
