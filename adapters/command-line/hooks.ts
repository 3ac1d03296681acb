/** Flags for what is run, and who is sent a signal, after each renewal. */
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Milliseconds, minute } from '../../src/model/time.js'
import { okSync, stepsSync } from '../../src/steps.js'
import type { CommandOptions, Hook, SignalOptions } from '../node/index.js'
import { parseDuration } from './duration.js'
import { type Flags, type Given, type UsageError, usageError, valuesOf } from './flags.js'

export const hookFlags = {
  'after-renewal': {
    value: 'COMMAND',
    help: 'run this when a new certificate is in use; without a shell; repeatable',
    repeatable: true,
  },
  'after-renewal-signal': {
    value: 'SIGNAL:FILE',
    help: 'send this signal to the process of a pid file: HUP:/run/nginx.pid; repeatable',
    repeatable: true,
  },
  'after-renewal-timeout': { value: 'DURATION', help: 'kill such a command after this long (default 1m)' },
} satisfies Flags<string>

/** What is done after renewals: a command, which is killed after its time, or a signal to somebody. */
export type HookRequest = Pick<CommandOptions, 'command' | 'limit'> | SignalTarget

type SignalTarget = Pick<SignalOptions, 'signal' | 'pidFile' | 'by'>

const longestLimit = 60 * minute

export const readHooks = (
  given: Given<keyof typeof hookFlags>,
): E.Either<UsageError, ReadonlyArray<HookRequest>> => {
  const { 'after-renewal': texts, 'after-renewal-signal': targets, 'after-renewal-timeout': timeout } = given
  return stepsSync(function* () {
    const commands = yield* okSync(E.traverseArray(readCommand)(valuesOf(texts)))
    const signals = yield* okSync(E.traverseArray(readSignal)(valuesOf(targets)))
    if (timeout !== undefined && texts === undefined)
      yield* okSync(
        E.left(usageError('--after-renewal-timeout is without --after-renewal', 'give both, or neither')),
      )
    const limit = timeout === undefined ? minute : yield* okSync(readLimit(timeout))
    return [...commands.map((command) => ({ command, limit })), ...signals]
  })
}

const readLimit = (text: string): E.Either<UsageError, Milliseconds> => {
  const limit = parseDuration(text)
  if (E.isLeft(limit)) return E.left(usageError(`--after-renewal-timeout: ${limit.left}`, 'for instance 30s'))
  return isLimit(limit.right)
    ? limit
    : E.left(usageError(`--after-renewal-timeout=${text} cannot be`, `write ${limits}`))
}

/** Whether a command can be given that time, ms. */
export const isLimit = (limit: Milliseconds): boolean => limit >= 100 && limit <= longestLimit
export const limits = '100ms or more, up to 1h'

/** Words with blanks between them; or a JSON array of strings, for arguments with blanks or quotes in them. */
export const readCommand = (text: string): E.Either<UsageError, CommandOptions['command']> => {
  const wrong = (what: string) =>
    E.left(
      usageError(
        `--after-renewal=${text}: ${what}`,
        `write words, or a JSON array: --after-renewal='["systemctl","reload","nginx"]'`,
      ),
    )
  if (!text.trimStart().startsWith('[')) {
    if (/["'\\]/.test(text)) return wrong('there is no shell to read quotes and backslashes')
    const [program, ...args] = text.split(/\s+/).filter((word) => word !== '')
    return program === undefined ? wrong('there is no command') : E.right([program, ...args])
  }
  const json = E.tryCatch(
    (): unknown => JSON.parse(text),
    () => undefined,
  )
  const found = E.isRight(json) && Array.isArray(json.right) ? json.right : []
  const words = found.filter((word) => typeof word === 'string' && !word.includes('\0'))
  const [program, ...args] = words
  return program === undefined || program === '' || words.length !== found.length
    ? wrong('that is no JSON array of strings')
    : E.right([program, ...args])
}

/** `HUP:/run/nginx.pid`; `HUP:lock:FILE` for the process that has the file locked. */
export const readSignal = (
  text: string,
  name = '--after-renewal-signal',
): E.Either<UsageError, SignalTarget> => {
  const wrong = (what: string) =>
    E.left(
      usageError(
        `${name}=${text}: ${what}`,
        'write SIGNAL:FILE, as HUP:/run/nginx.pid; or SIGNAL:lock:FILE for the process that has it locked',
      ),
    )
  const [, word = '', lock, pidFile = ''] = /^([^:]+):(lock:)?(.+)$/.exec(text) ?? []
  const signal = `SIG${word.toUpperCase().replace(/^SIG/, '')}`
  if (!isSignal(signal)) return wrong(word === '' ? 'no signal is named' : `there is no signal ${word}`)
  // A service has another working directory.
  if (!isAbsolute(pidFile)) return wrong(`${pidFile} is no absolute path`)
  return E.right({ signal, pidFile, by: lock === undefined ? 'number' : 'lock' })
}

/** Signals that a file may name, in capitals; not all of them are on each platform. */
const signals =
  'HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|CHLD|STKFLT|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS|INFO'

/** What `readSignal` reads. */
export const signalPattern = new RegExp(`^(SIG)?(${signals}):(lock:)?/.*$`)

const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(constants.signals, name)

/** The hooks themselves. */
export const hooksFrom = async (
  wanted: ReadonlyArray<HookRequest>,
  log: (line: string) => void,
): Promise<ReadonlyArray<Hook>> => {
  if (wanted.length === 0) return []
  const { commandHook, signalHook } = await import('../node/index.js')
  return wanted.map((hook) =>
    'command' in hook ? commandHook({ ...hook, log }) : signalHook({ ...hook, log }),
  )
}
