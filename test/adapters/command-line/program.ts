/** The program, as it is published, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { eventually, type TestContext } from '../../helper/index.js'
import { type Json, json } from '../control-plane/client.js'

export const main = join(import.meta.dirname, '../../../kube-cert-rotation.mjs')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  /** What it has printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Its log, for `--log-format=json`. */
  readonly log: () => ReadonlyArray<Json>
  readonly ended: Promise<Ended>
  readonly kill: (signal: NodeJS.Signals) => void
  readonly pid: number
}

/** Starts a command; it is killed when the test ends, if it has not ended by itself. */
export const start = (
  { defer }: Pick<TestContext, 'defer'>,
  command: string,
  ...args: ReadonlyArray<string>
): Program => {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    log: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map(json),
    ended,
    kill: (signal) => child.kill(signal),
    pid: child.pid ?? 0,
  }
}

/** Starts the program. */
export const program = (context: Pick<TestContext, 'defer'>, ...args: ReadonlyArray<string>): Program =>
  start(context, process.execPath, main, ...args)

/** Runs the program to its end. */
export const finished = async (
  context: Pick<TestContext, 'defer'>,
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> => {
  const running = program(context, ...args)
  const { code } = await running.ended
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

/** Waits for a line of the JSON log. */
export const logged = (
  { log }: Pick<Program, 'log'>,
  field: string,
  value: string,
  options?: { readonly deadline: number },
): Promise<Json> =>
  eventually(`${field} ${value} is logged`, () => log().find((line) => line.at(field) === value), options)
