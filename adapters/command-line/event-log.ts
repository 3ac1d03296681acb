/**
 * The file of `--event-log`: what happens, a line each, for `replay`. It never disturbs what it tells of: it is written
 * beside it, with bounds on time and memory, and a file that cannot be written is warned of and tried again.
 */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type LogHeader, logMark, printHeader, printStep } from '../../src/describe/log.js'
import type { Step } from '../../src/describe/transition.js'
import { type Failure, failure } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { minute, second } from '../../src/model/time.js'
import { codeOf, objection, reasonOf } from '../platform/system-error.js'

export interface EventLog {
  /** Notes down a step; returns at once. */
  readonly write: (step: Step) => void
  /** Waits until everything is written, for two seconds at most. */
  readonly close: () => Promise<void>
}

export interface EventLogOptions {
  readonly path: string
  readonly policy: RotationPolicy
  readonly warn: (message: string) => void
  /** When the file is this long, in bytes, it becomes `PATH.1`, and a new one begins. */
  readonly limit?: number
}

/** About three weeks of an agent at rest, which asks every ten minutes whether its certificate is accepted. */
const mebibyte = 1024 * 1024
/** Steps that wait to be written; of more, the oldest are given up. */
const mostWaiting = 1_000

type FileError = Failure<'FileUnwritable'>

/** A log in a file that is created when the first line is written. */
export const eventLog = ({ path, policy, warn, limit = mebibyte }: EventLogOptions): EventLog => {
  const waiting: Array<Step> = []
  /** Why a header is due before the next line. */
  let due: LogHeader['because'] | undefined = 'started'
  let isFailing = false
  let writing: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined

  const textOf = (step: Step, isNew: boolean): string => {
    const because = due ?? (isNew ? 'continued' : undefined)
    const header = because === undefined ? '' : `${printHeader(policy, because, step)}\n`
    return `${header}${printStep(policy, step)}\n`
  }

  const writeAll = async (): Promise<void> => {
    for (let [step] = waiting; step !== undefined; [step] = waiting) {
      const now = step
      const written = await append(path, limit, (isNew) => textOf(now, isNew))()
      if (E.isLeft(written)) return failed(written.left)
      isFailing = false
      due = waiting[0] === step ? undefined : 'resumed'
      if (waiting[0] === step) waiting.shift()
    }
  }

  const failed = ({ message, remedy }: FileError) => {
    // Some of the line may be there.
    due = due === 'started' ? 'started' : 'resumed'
    retry ??= setTimeout(flush, minute).unref()
    if (isFailing) return
    isFailing = true
    warn(`${message}; ${remedy}; it is tried again, and the rotation goes on`)
  }

  const flush = (): void => {
    clearTimeout(retry)
    retry = undefined
    writing ??= writeAll().finally(() => {
      writing = undefined
      if (waiting.length > 0 && !isFailing) flush()
    })
  }

  return {
    write: (step) => {
      if (waiting.push(step) > mostWaiting) {
        waiting.shift()
        due = 'resumed'
      }
      flush()
    },
    close: async () => {
      await Promise.race([writing, sleep(2 * second, undefined, { ref: false })])
      clearTimeout(retry)
    },
  }
}

const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants

/** Appends to the file, which is looked at anew each time: somebody may have moved it away. */
const append = (
  path: string,
  limit: number,
  textFor: (isNew: boolean) => string,
): TE.TaskEither<FileError, void> =>
  TE.tryCatch(async () => {
    const { file, size, text } = await openFor(path, limit, textFor)
    try {
      // What was cut is not continued.
      const isCut = size > 0 && (await read(file, size - 1, 1)) !== '\n'
      await file.appendFile(isCut ? `\n${text}` : text)
    } finally {
      await file.close()
    }
  }, fileError(path))

interface Opened {
  readonly file: FileHandle
  readonly size: number
  readonly text: string
}

const openFor = async (path: string, limit: number, textFor: (isNew: boolean) => string): Promise<Opened> => {
  const [file, size] = await openLog(path)
  const text = textFor(size === 0)
  if (size === 0 || size + Buffer.byteLength(text) <= limit) return { file, size, text }
  await file.close()
  await rename(path, `${path}.1`)
  const [next, nextSize] = await openLog(path)
  return { file: next, size: nextSize, text: textFor(nextSize === 0) }
}

/** Opens or creates the file for its owner alone, never through a link, and nothing that is not such a log. */
const openLog = async (path: string): Promise<readonly [FileHandle, number]> => {
  const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  try {
    const stats = await file.stat()
    const flaw = flawOf(stats)
    if (flaw !== undefined) throw objection(flaw, otherFile)
    const head = await read(file, 0, logMark.length)
    if (!logMark.startsWith(head)) throw objection('it has something else in it', otherFile)
    // Before anything is written: one who has it open already may read on, and there is nothing secret in it.
    if ((stats.mode & 0o077) !== 0) await file.chmod(0o600)
    if (head === logMark) return [file, stats.size]
    // Cut before it could be told from another file.
    await file.truncate()
    return [file, 0]
  } catch (error) {
    await file.close()
    throw error
  }
}

const flawOf = (stats: Stats): string | undefined => {
  if (!stats.isFile()) return 'it is no regular file'
  if (stats.uid !== process.geteuid?.()) return 'it belongs to another user'
  return stats.nlink > 1 ? 'it has another name' : undefined
}

const read = async (file: FileHandle, from: number, length: number): Promise<string> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from)
  return buffer.toString('latin1', 0, bytesRead)
}

const otherFile = 'name another file with --event-log'

const fileError =
  (path: string) =>
  (thrown: unknown): FileError => {
    const why = codeOf(thrown) === 'ELOOP' ? 'it is a link' : reasonOf(thrown)
    return failure(
      'FileUnwritable',
      'soon',
      `event log ${path} cannot be written: ${why}`,
      'free some space, create its directory, or name another file with --event-log',
    )
  }
