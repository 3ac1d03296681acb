/** A command of the program in the process of the test, where a process of its own is not what is tested. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Command } from '../../../adapters/command-line/command.js'

interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const printing = new AsyncLocalStorage<Record<'stdout' | 'stderr', string>>()

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name]
  const write = stream.write.bind(stream)
  // Of the three forms that `write` has, the commands and uvu use the first.
  stream.write = (text: string | Uint8Array) => {
    const printed = printing.getStore()
    if (printed === undefined) return write(text)
    printed[name] += String(text)
    return true
  }
}

/** Runs a command to its end, and answers what it printed; any number side by side. */
export const inProcess = async ({ run }: Command, ...args: ReadonlyArray<string>): Promise<Printed> => {
  const printed = { stdout: '', stderr: '' }
  const code = await printing.run(printed, () =>
    run(args, { stop: new AbortController().signal, on: () => {} }),
  )
  return { code, ...printed }
}
