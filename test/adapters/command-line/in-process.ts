/** The program, and each command of it, in the process of the test, where a process of its own is not what is tested. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Command, Signals } from '../../../adapters/command-line/command.js'
import { program } from '../../../adapters/command-line/program.js'
import type { TestContext } from '../../helper/index.js'
import { json } from '../control-plane/client.js'
import type { Program } from './program.js'

interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const printing = new AsyncLocalStorage<Record<'stdout' | 'stderr', string>>()

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name]
  // As where the output goes to a file: no live line.
  stream.isTTY = false
  const write = stream.write.bind(stream)
  // Of the three forms that `write` has, the commands and uvu use the first.
  stream.write = (text: string | Uint8Array) => {
    const printed = printing.getStore()
    if (printed === undefined) return write(text)
    printed[name] += String(text)
    return true
  }
}

const nobody: Signals = { stop: new AbortController().signal, on: () => {} }

/** What something answers, and what it printed meanwhile; any number side by side. */
export const printedBy = async (run: () => Promise<number>): Promise<Printed> => {
  const printed = { stdout: '', stderr: '' }
  const code = await printing.run(printed, run)
  return { code, ...printed }
}

/** Runs a command to its end, and answers what it printed. */
export const inProcess = ({ run }: Pick<Command, 'run'>, ...args: ReadonlyArray<string>): Promise<Printed> =>
  printedBy(() => run(args, nobody))

/** Runs the program to its end. */
export const finishedHere = (...args: ReadonlyArray<string>): Promise<Printed> =>
  inProcess({ run: program }, ...args)

/**
 * Starts the program, which is told what signals tell a process; it is stopped when the test ends. What it prints because
 * of a word over its socket may be missing: the socket is shared by all that keep a directory in this process.
 */
export const programHere = (
  { defer }: Pick<TestContext, 'defer'>,
  ...args: ReadonlyArray<string>
): Program => {
  const printed = { stdout: '', stderr: '' }
  const stop = new AbortController()
  const listeners: Array<readonly ['reload' | 'report', () => void]> = []
  const signals: Signals = { stop: stop.signal, on: (what, listener) => listeners.push([what, listener]) }
  const inItsPlace = (what: () => void) => printing.run(printed, what)
  const tell = (told: 'reload' | 'report') => {
    for (const [what, listener] of listeners) if (what === told) inItsPlace(listener)
  }
  const ended = printing.run(printed, () => program(args, signals)).then((code) => ({ code, signal: null }))
  const end = () => inItsPlace(() => stop.abort())
  defer(() => {
    end()
    return ended
  })
  return {
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    log: () =>
      printed.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map(json),
    ended,
    kill: (signal) => {
      if (signal === 'SIGHUP') tell('reload')
      else if (signal === 'SIGUSR2') tell('report')
      else if (signal === 'SIGTERM' || signal === 'SIGINT') end()
      else throw new Error(`${signal} is for a process`)
    },
    pid: process.pid,
  }
}
