/** A hook that is a signal, to the process whose number stands in a pid file or that has the file locked. */
import type { Stats } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { failure } from '../../src/model/failure.js'
import { printable } from '../../src/model/printable.js'
import { minute, rfc3339, wholeSecond } from '../../src/model/time.js'
import { aFunction, type Checks, demand, oneOf, path, record } from '../platform/options.js'
import { type FileContent, readRegularFile } from '../platform/read-file.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import type { Hook, HookError } from './hook.js'
import { lockHolder, type RunningProcess, runningProcess } from './proc.js'

export interface SignalOptions {
  /** `SIGHUP` for most programs that read their files again. */
  readonly signal: NodeJS.Signals
  /** A file that the program writes its process number to (nginx: `pid /run/nginx.pid`). */
  readonly pidFile: string
  /**
   * Which process is meant: the one whose number the file has, or the one that has it locked (flock(2), fcntl(2)), which
   * cannot be another by mistake; `number` if not given.
   */
  readonly by?: 'number' | 'lock'
  /** Told of each signal that was sent. */
  readonly log?: (line: string) => void
}

/** A number, and what a program may have written below it. */
const maxFileSize = 4_096

/** Between a process's start and what its pid file says, clocks may have been corrected, ms. */
const tolerance = minute

/**
 * Sends a signal after each renewal. A pid file that is missing or left behind is a failure, and tried again: where the
 * number was given to another process since, nothing is sent. Takes Linux.
 */
export const signalHook = (options: SignalOptions): Hook => {
  demand('signalHook', record(fields, ['signal', 'pidFile']), options)
  return { name: nameOf(options), run: () => sendSignal(options) }
}

const fields: Checks<SignalOptions> = {
  signal: oneOf(...Object.keys(osConstants.signals)),
  pidFile: path,
  by: oneOf('number', 'lock'),
  log: aFunction,
}

const nameOf = ({ signal, pidFile, by }: SignalOptions): string =>
  `${signal} to ${by === 'lock' ? 'who has locked ' : ''}${printable(resolve(pidFile), 200)}`

/** Sends it once, now. */
export const sendSignal =
  (options: SignalOptions): TaskEither<HookError, void> =>
  async () => {
    const { signal, pidFile, by = 'number', log = () => {} } = options
    const name = nameOf(options)
    const fail = ([reason, remedy]: Objection) =>
      E.left(failure('HookFailed', 'soon', `the hook ${name}: ${reason}`, remedy))
    const found = await lookInto(resolve(pidFile), by)
    if (E.isLeft(found)) return fail(found.left)
    const { pid, process: target } = found.right
    const who = `process ${pid} (${printable(target.name, 80)})`
    try {
      process.kill(pid, signal)
    } catch (thrown) {
      return fail(
        codeOf(thrown) === 'ESRCH'
          ? gone(pid)
          : [
              `${who}, of user ${target.user}, cannot be sent a signal: ${reasonOf(thrown)}`,
              'run the agent as the same user or as root, or let it have CAP_KILL',
            ],
      )
    }
    log(`hook ${name}: sent to ${who}`)
    return E.right(undefined)
  }

/** The end of a sentence, and what helps. */
type Objection = readonly [reason: string, remedy: string]

interface Target {
  readonly pid: number
  readonly process: RunningProcess
}

const gone = (pid: number): Objection => [
  `process ${pid} has ended, and left the file behind`,
  'start the program; it reads the new certificate then',
]

/** Whom a pid file means. */
const lookInto = async (file: string, by: SignalOptions['by']): Promise<E.Either<Objection, Target>> => {
  let content: FileContent
  try {
    content = await readRegularFile(file, maxFileSize, 'follow')
  } catch (thrown) {
    return E.left([
      `the file cannot be read: ${reasonOf(thrown)}`,
      codeOf(thrown) === 'ENOENT' ? started : 'let the agent read it',
    ])
  }
  try {
    const holder = by === 'lock' ? await lockHolder(content.stats) : undefined
    if (by === 'lock' && holder === undefined) return E.left(['nobody has the file locked', started])
    return await targetOf(holder, content)
  } catch (thrown) {
    return E.left([
      `/proc does not say whom the file means: ${reasonOf(thrown)}`,
      'this takes Linux, and a /proc that shows all processes and locks (systemd: ProtectProc=default, ProcSubset=all)',
    ])
  }
}

const started = 'start the program, which reads the new certificate then; or name the file that it writes'

/** Of a lock that a parent took before it ended, and of an open file description lock, only the file says whose it is. */
const targetOf = async (
  holder: number | undefined,
  { text, stats }: FileContent,
): Promise<E.Either<Objection, Target>> => {
  const locking = holder === undefined || holder === 0 ? undefined : await runningProcess(holder)
  const pid = locking === undefined ? numberIn(text) : holder
  if (pid === undefined)
    return E.left(['its first line is no process number', 'look at the file; the program may be starting'])
  if (pid === 1 || pid === process.pid)
    return E.left([`process ${pid} is ${pid === 1 ? 'init' : 'this agent'}`, 'look at the file'])
  const running = locking ?? (await runningProcess(pid))
  if (running === undefined) return E.left(gone(pid))
  const doubt =
    doubtAbout(pid, running, stats) ?? (holder === undefined ? ageOf(pid, running, stats) : undefined)
  return doubt === undefined ? E.right({ pid, process: running }) : E.left(doubt)
}

const numberIn = (text: string): number | undefined => {
  const [, digits] = /^\s*(\d{1,10})\s*(?:\n|$)/.exec(text) ?? []
  const number = Number(digits)
  // 2^22: PID_MAX_LIMIT of Linux.
  return number > 0 && number <= 4_194_304 ? number : undefined
}

/** Whether who may write the file could have the agent send signals to processes that are not theirs. */
const doubtAbout = (
  pid: number,
  { name, user }: RunningProcess,
  { mode, uid }: Stats,
): Objection | undefined => {
  if ((mode & 0o002) !== 0) return ['everybody may write in it', 'take that right away: chmod o-w']
  return uid === 0 || uid === user
    ? undefined
    : [
        `it belongs to user ${uid}, and process ${pid} (${printable(name)}) to user ${user}`,
        'let it belong to root, or to the user that the program runs as',
      ]
}

/** A process that is younger than the file got the number of the one that wrote it. */
const ageOf = (
  pid: number,
  { name, startedAt }: RunningProcess,
  { mtimeMs }: Stats,
): Objection | undefined =>
  startedAt <= mtimeMs + tolerance
    ? undefined
    : [
        `process ${pid} (${printable(name)}) started at ${rfc3339(wholeSecond(startedAt))}, after the file was written: it is another with the same number`,
        'start the program; if it is the right one, and the clock was set since, touch the file',
      ]
