import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../helper/index.js'
import type { Workplace } from './workplace.js'

/** How a component is started; asked for anew at each start. */
export interface ComponentSpec {
  readonly name: string
  readonly program: string
  readonly flags: () => Readonly<Record<string, string>>
  /** Is it ready to do its work? Asked until it is. */
  readonly ready: () => Promise<boolean>
  /** Done before each start. */
  readonly prepare?: () => Promise<void>
}

/** One process of the control plane, which can be stopped and started as often as a test likes. */
export interface Component {
  readonly name: string
  /** The file that everything it prints goes to, one start after the other. */
  readonly log: string
  readonly running: () => boolean
  /** Starts it, unless it runs, and waits until it is ready. */
  readonly start: () => Promise<void>
  /** Ends it, if it runs, and waits until it is gone: SIGKILL is a crash; SIGTERM becomes one after 2 s. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>
  /** Freezes it: its connections stay open and nobody answers. */
  readonly hold: () => void
  /** Thaws it. */
  readonly resume: () => void
}

const READY_DEADLINE = 60_000
const GRACE = 2_000

const lastLines = (file: string): string =>
  readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n')

export const createComponent = (spec: ComponentSpec, workplace: Workplace): Component => {
  const log = join(workplace.logs, `${spec.name}.log`)
  let child: ChildProcess | undefined
  workplace.atExit(() => child?.kill('SIGKILL'))

  const spawned = (): ChildProcess => {
    const output = openSync(log, 'a')
    const flags = Object.entries(spec.flags()).map(([flag, value]) => `--${flag}=${value}`)
    // Not detached: whoever ends our process group ends the components too.
    const started = spawn(spec.program, flags, {
      cwd: workplace.folder,
      env: { PATH: process.env['PATH'], HOME: workplace.folder },
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    started.once('exit', (code, signal) => {
      if (child !== started) return
      child = undefined
      console.error(`${spec.name} ended by itself (${code ?? signal}); its log is ${log}`)
    })
    return started
  }

  const start = async (): Promise<void> => {
    if (child !== undefined) return
    await spec.prepare?.()
    const started = spawned()
    child = started
    await new Promise<void>((resolve, reject) => {
      started.once('spawn', resolve)
      started.once('error', reject)
    })
    await eventually(
      `${spec.name} is ready (its log is ${log})`,
      async () => {
        if (child !== started) throw new Error(`${spec.name} does not start:\n${lastLines(log)}`)
        return spec.ready()
      },
      { deadline: READY_DEADLINE, interval: 50 },
    )
  }

  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const stopped = child
    if (stopped === undefined) return
    child = undefined
    // With a watch open kube-apiserver takes a minute to end.
    const impatience = setTimeout(() => stopped.kill('SIGKILL'), GRACE)
    await new Promise((resolve) => {
      stopped.once('exit', resolve)
      stopped.kill('SIGCONT')
      stopped.kill(signal)
    })
    clearTimeout(impatience)
  }

  return {
    name: spec.name,
    log,
    running: () => child !== undefined,
    start,
    stop,
    hold: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
  }
}
