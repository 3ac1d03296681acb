/** Running a program of somebody else's: without a shell, for so long, reading so much of what it prints. */
import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Interrupted, interrupted } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import { onSignal, type Signal } from '../../src/signal.js'
import { reasonOf } from './system-error.js'

export interface Program {
  /** An absolute path. */
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What a program printed. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
}

/** The end of the sentence "the program …", and what it printed until then. */
export interface ProgramFailed extends Printed {
  readonly _tag: 'ProgramFailed'
  readonly reason: string
  /** Whether it took too long. */
  readonly isLate: boolean
}

const nothing: Printed = { stdout: '', stderr: '' }

/** In bytes; a token has two thousand, a chain with its key ten thousand. */
const longestOutput = 1024 * 1024
/** In bytes; the end of it is what says why. */
const longestStderr = 8 * 1024

/** The program of that name in the folders of PATH, as `exec.LookPath` of Go finds it; relative folders do not count. */
export const lookUp = async (name: string, path: string): Promise<string | undefined> => {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name)
    if (await isExecutable(file)) return file
  }
  return undefined
}

const isExecutable = async (file: string): Promise<boolean> => {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/**
 * Runs a program in a process group of its own, which is killed when it takes too long, prints too much, or the signal
 * is given: what the program started does not outlive it then.
 */
export const runProgram = (
  { file, args, environment }: Program,
  limit: Milliseconds,
  signal: Signal,
): Promise<E.Either<ProgramFailed | Interrupted, Printed>> =>
  new Promise((resolve) => {
    const child = begin({ file, args, environment })
    if (child === undefined)
      return resolve(
        E.left({
          _tag: 'ProgramFailed',
          ...nothing,
          reason: 'cannot be run with these arguments',
          isLate: false,
        }),
      )
    const stdout: Array<Buffer> = []
    let printed = 0
    let stderr = Buffer.alloc(0)
    let isCut = false
    let settled = false
    const kill = () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
    }
    const settle = (result: E.Either<ProgramFailed | Interrupted, Printed>) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      forget()
      kill()
      child.stdout.destroy()
      child.stderr.destroy()
      resolve(result)
    }
    const texts = (): Printed => ({
      stdout: Buffer.concat(stdout).toString(),
      // Half a line may be half a secret, without the word that says so.
      stderr: isCut ? stderr.toString().replace(/^.*\n|^\S*/, '…') : stderr.toString(),
    })
    const fail = (reason: string, isLate = false) =>
      settle(E.left({ _tag: 'ProgramFailed', reason, isLate, ...texts() }))
    const timer = setTimeout(() => fail(`did not end within ${limit / 1000} s`, true), limit)
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.length
      if (printed > longestOutput) fail(`printed more than ${longestOutput} bytes`)
      else stdout.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      isCut ||= stderr.length + chunk.length > longestStderr
      stderr = Buffer.concat([stderr, chunk]).subarray(-longestStderr)
    })
    child.once('error', (error) => fail(`cannot be run: ${reasonOf(error)}`))
    // Not `exit`: it comes before the last of what was printed.
    child.once('close', (code, killedBy) => {
      if (code === 0) settle(E.right(texts()))
      else fail(killedBy === null ? `ended with status ${code}` : `was ended by ${killedBy}`)
    })
    const forget = onSignal(signal, () => settle(E.left(interrupted)))
  })

/** Nothing where an argument or a variable cannot be passed on (a NUL byte): the message of Node's error would show it. */
const begin = ({ file, args, environment }: Program) => {
  try {
    return spawn(file, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  } catch {
    return undefined
  }
}
