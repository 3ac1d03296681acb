/** The signals of the operating system, as the commands know them. */
import { complain, type Signals } from './command.js'

/** How long a command may take to end once it is told to, ms: less than those who would kill it wait. */
const patience = 10_000
/** How long what it left behind may keep the process alive, ms: a look-up of a name cannot be called off. */
const leftovers = 1_000

export interface ProcessSignals extends Signals {
  /** Ends the process with this exit code, whatever is left open. */
  readonly end: (code: number) => void
}

/** Listens to the signals of this process. */
export const processSignals = (): ProcessSignals => {
  const stopping = new AbortController()
  let late: NodeJS.Timeout | undefined
  const listeners = { reload: new Set<() => void>(), report: new Set<() => void>() }
  const stop = () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    late = setTimeout(() => {
      complain(`it did not end within ${patience / 1_000}s of being told to`, 'it ends now')
      process.exit(1)
    }, patience)
  }
  const tell = (what: keyof typeof listeners, signal: string) => () => {
    if (listeners[what].size === 0) complain(`${signal} means nothing to this command`, 'it is ignored')
    for (const listener of listeners[what]) listener()
  }
  // Not `once`: npm and timeout(1) pass on a signal that came to the whole group, and a second one would be deadly.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  // A terminal that was closed; without one it is what makes a daemon read its files again.
  process.on('SIGHUP', process.stdout.isTTY ? stop : tell('reload', 'SIGHUP'))
  process.on('SIGUSR2', tell('report', 'SIGUSR2'))
  // Node would start its debugger, which shows keys and tokens to every user of this machine.
  process.on('SIGUSR1', () => {})
  // Nobody reads on (`| head`): that too. A log on a full disk has gaps, and costs nobody an identity.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') stop()
  })
  process.stderr.on('error', () => {})
  return {
    stop: stopping.signal,
    on: (what, listener) => {
      listeners[what].add(listener)
    },
    end: (code) => {
      clearTimeout(late)
      process.exitCode = code
      setTimeout(() => process.exit(), leftovers).unref()
    },
  }
}
