/** Flags for what is run, and who is sent a signal, after each renewal. */
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Milliseconds, minute } from '../../src/model/time.js'
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

export interface HookFlags {
  readonly commands: ReadonlyArray<CommandOptions['command']>
  readonly signals: ReadonlyArray<SignalTarget>
  readonly limit: Milliseconds
}

type SignalTarget = Pick<SignalOptions, 'signal' | 'pidFile' | 'by'>

const longestLimit = 60 * minute

export const readHooks = (given: Given<keyof typeof hookFlags>): E.Either<UsageError, HookFlags> => {
  const { 'after-renewal': texts, 'after-renewal-signal': targets, 'after-renewal-timeout': timeout } = given
  const commands: Array<CommandOptions['command']> = []
  for (const text of valuesOf(texts)) {
    const read = readCommand(text)
    if (E.isLeft(read)) return read
    commands.push(read.right)
  }
  const signals: Array<SignalTarget> = []
  for (const text of valuesOf(targets)) {
    const read = readSignal(text)
    if (E.isLeft(read)) return read
    signals.push(read.right)
  }
  if (timeout !== undefined && texts === undefined)
    return E.left(usageError('--after-renewal-timeout is without --after-renewal', 'give both, or neither'))
  const limit = timeout === undefined ? E.right(minute) : parseDuration(timeout)
  if (E.isLeft(limit)) return E.left(usageError(`--after-renewal-timeout: ${limit.left}`, 'for instance 30s'))
  return limit.right < 100 || limit.right > longestLimit
    ? E.left(usageError(`--after-renewal-timeout=${timeout} cannot be`, 'write 100ms or more, up to 1h'))
    : E.right({ commands, signals, limit: limit.right })
}

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
export const readSignal = (text: string): E.Either<UsageError, SignalTarget> => {
  const wrong = (what: string) =>
    E.left(
      usageError(
        `--after-renewal-signal=${text}: ${what}`,
        'write SIGNAL:FILE, as HUP:/run/nginx.pid; or SIGNAL:lock:FILE for the process that has it locked',
      ),
    )
  const [, name = '', lock, pidFile = ''] = /^([^:]+):(lock:)?(.+)$/.exec(text) ?? []
  const signal = `SIG${name.toUpperCase().replace(/^SIG/, '')}`
  if (!isSignal(signal)) return wrong(name === '' ? 'no signal is named' : `there is no signal ${name}`)
  // A service has another working directory.
  if (!isAbsolute(pidFile)) return wrong(`${pidFile} is no absolute path`)
  return E.right({ signal, pidFile, by: lock === undefined ? 'number' : 'lock' })
}

const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(constants.signals, name)

/** The hooks themselves. */
export const hooksFrom = async (
  { commands, signals, limit }: HookFlags,
  log: (line: string) => void,
): Promise<ReadonlyArray<Hook>> => {
  if (commands.length + signals.length === 0) return []
  const { commandHook, signalHook } = await import('../node/index.js')
  return [
    ...commands.map((command) => commandHook({ command, limit, log })),
    ...signals.map((target) => signalHook({ ...target, log })),
  ]
}
