/** A hook that is a command: without a shell, for so long, with what happened in its environment. */
import { resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { failure } from '../../src/model/failure.js'
import { printable } from '../../src/model/printable.js'
import { type Milliseconds, minute, rfc3339, wholeSecond } from '../../src/model/time.js'
import { aFunction, type Checks, demand, interval, listOf, record, text } from '../platform/options.js'
import type { Hook, HookError, Renewal } from './hook.js'

export interface CommandOptions {
  /** The program, by its path or looked up in PATH, and its arguments. */
  readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
  /** After so long it is killed, with what it started, ms; a minute if not given. */
  readonly limit?: Milliseconds
  /** A line that it printed. */
  readonly log?: (line: string) => void
}

const fields: Checks<CommandOptions> = { command: listOf(text, 1), limit: interval, log: aFunction }

/** So many of the lines that it prints are logged, the last ones. */
const loggedLines = 20

/** Runs a command after each renewal. It runs in a process group of its own, which is killed when it ends. */
export const commandHook = (options: CommandOptions): Hook => {
  demand('commandHook', record(fields, ['command']), options)
  const { command, limit = minute, log = () => {} } = options
  const name = command.join(' ')
  const tell = (text: string) => {
    for (const line of text.trimEnd().split('\n').slice(-loggedLines))
      if (line.trim() !== '') log(`hook ${printable(name, 80)}: ${printable(line, 500)}`)
  }
  return {
    name: printable(name, 200),
    run: (renewal, signal) => async () => {
      // Loaded when there is something to run.
      const { lookUp, runProgram } = await import('../platform/process.js')
      const [program, ...args] = command
      const file = program.includes('/') ? resolve(program) : await lookUp(program, process.env['PATH'] ?? '')
      if (file === undefined)
        return failed(name, 'is in none of the folders of PATH', 'install it, or name it with its path')
      const environment = { ...process.env, ...variablesOf(renewal) }
      const ended = await runProgram({ file, args, environment }, limit, signal)
      if (E.isRight(ended)) {
        tell(ended.right.stdout)
        tell(ended.right.stderr)
        return E.right(undefined)
      }
      if (ended.left._tag === 'Interrupted')
        return failed(name, 'was ended with the rotation', 'it is run again at the next start')
      const { reason, stderr, isLate } = ended.left
      tell(stderr)
      return failed(name, reason, 'run it by hand, as the same user', isLate)
    },
  }
}

const failed = (name: string, reason: string, remedy: string, isLate = false): E.Either<HookError, never> =>
  E.left(failure(isLate ? 'HookLate' : 'HookFailed', 'soon', `the hook ${name} ${reason}`, remedy))

const variablesOf = ({ credential: { certificate }, certDir, certPrefix, reason }: Renewal) => ({
  ...(certDir === undefined
    ? {}
    : {
        KUBE_CERT_ROTATION_CERT_DIR: resolve(certDir),
        KUBE_CERT_ROTATION_CURRENT: resolve(certDir, `${certPrefix}-current.pem`),
      }),
  KUBE_CERT_ROTATION_CERT_PREFIX: certPrefix,
  KUBE_CERT_ROTATION_SERIAL_NUMBER: certificate.serialNumber,
  KUBE_CERT_ROTATION_NOT_BEFORE: rfc3339(wholeSecond(certificate.notBefore)),
  KUBE_CERT_ROTATION_NOT_AFTER: rfc3339(wholeSecond(certificate.notAfter)),
  KUBE_CERT_ROTATION_REASON: reason,
})
