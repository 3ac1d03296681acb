import * as E from 'fp-ts/lib/Either.js'
import type { Instant } from '../../src/model/time.js'
import { command, complain } from './command.js'
import { type Flags, readFlagsAndFiles, type UsageError, usageError } from './flags.js'
import { entryUpTo, instantFrom, readLog } from './read-log.js'
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

const [agrees, differs, cannot] = [0, 1, 2]

/**
 * Shows the log of a rotation, and where this version would decide otherwise. Exit code 0: nowhere; 1: somewhere; 2: the
 * log cannot be read.
 */
const showReplay = async ({ files, at, json }: ReplayRequest): Promise<number> => {
  const replayed = await readLog(files)
  if (E.isLeft(replayed)) {
    complain(replayed.left.message, replayed.left.remedy)
    return cannot
  }
  const found = at === undefined ? undefined : entryUpTo(replayed.right, at)
  if (found !== undefined && E.isLeft(found)) {
    complain(found.left.message, found.left.remedy)
    return cannot
  }
  const last = found?.right
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
