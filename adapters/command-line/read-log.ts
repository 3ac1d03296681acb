/** The files of `run --event-log`, read for the commands that show them. */
import { readFile } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import { type Entry, entryAt, type LogFile, type Replay, replay } from '../../src/describe/replay.js'
import { printable } from '../../src/model/printable.js'
import { type Instant, instant, rfc3339 } from '../../src/model/time.js'
import { reasonOf } from '../platform/system-error.js'

export interface ReadError {
  readonly message: string
  readonly remedy: string
}

/** Replays the files, the oldest first. */
export const readLog = async (files: ReadonlyArray<string>): Promise<E.Either<ReadError, Replay>> => {
  const texts: Array<LogFile> = []
  for (const name of files) {
    try {
      texts.push({ name, text: await readFile(name, 'utf8') })
    } catch (error) {
      return E.left({
        message: `reading ${name}: ${reasonOf(error)}`,
        remedy: 'name a file of run --event-log',
      })
    }
  }
  return E.mapLeft(({ place, what }: { readonly place: string; readonly what: string }) => ({
    message: `${place}: ${printable(what)}`,
    remedy: 'name the files of run --event-log, the oldest first, as they were written',
  }))(replay(texts))
}

/** The last entry up to a time. */
export const entryUpTo = (shown: Replay, at: Instant): E.Either<ReadError, Entry> => {
  const entry = entryAt(shown, at)
  return entry === undefined
    ? E.left({
        message: `nothing is known of ${rfc3339(at)}`,
        remedy: `name a time after ${rfc3339(shown.entries[0]?.at ?? at)}, when the log begins`,
      })
    : E.right(entry)
}

/** RFC 3339, in any zone. */
export const instantFrom = (text: string): Instant | undefined => {
  const isWritten = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const milliseconds = isWritten ? Date.parse(text.toUpperCase()) : Number.NaN
  return Number.isNaN(milliseconds) ? undefined : instant(milliseconds)
}
