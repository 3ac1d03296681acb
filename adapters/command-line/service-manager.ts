/**
 * What systemd is told of a unit with `Type=notify` (sd_notify(3)). Node has no Unix datagram sockets, so `systemd-notify`
 * says it, a message at a time, in the background: one that is missing, hangs or fails changes nothing else.
 */
import { spawn } from 'node:child_process'

export interface ServiceManager {
  /** A certificate works. */
  readonly ready: () => void
  /** Everything is being read again, as by SIGHUP; said only of what was ready. */
  readonly reloading: () => void
  /** Everything was read; whether the certificate works is another matter. */
  readonly reloaded: () => void
  readonly stopping: () => void
  /** How things stand, for `systemctl status`: a line. */
  readonly status: (text: string) => void
  /** Waits until everything is said, for a second at most. */
  readonly close: () => Promise<void>
}

/** How long a message may take, ms. */
const patience = 5_000

/** That of this process, once: what is started from here is no part of the service that may speak for it. */
export const serviceManagerOfProcess = (): ServiceManager => {
  const manager = serviceManager({ ...process.env })
  delete process.env['NOTIFY_SOCKET']
  return manager
}

/** The service manager that `NOTIFY_SOCKET` names; without one, nobody is told. */
export const serviceManager = (
  environment: NodeJS.ProcessEnv,
  program = 'systemd-notify',
): ServiceManager => {
  const socket = environment['NOTIFY_SOCKET']
  /** What is to be said, and the status, of which only the last counts. */
  const waiting: Array<ReadonlyArray<string>> = []
  let status: ReadonlyArray<string> | undefined
  let isTelling = false
  let silent = () => {}
  const tellNext = (): void => {
    const message = waiting.shift() ?? status
    if (message === status) status = undefined
    isTelling = message !== undefined
    if (message === undefined) {
      silent()
      return
    }
    const env = { ...environment, NOTIFY_SOCKET: socket }
    const child = spawn(program, message, { env, stdio: 'ignore' })
    // It keeps nobody from ending, and its answer does not matter.
    child.unref()
    const late = setTimeout(() => child.kill('SIGKILL'), patience).unref()
    const done = () => {
      clearTimeout(late)
      child.removeAllListeners()
      child.on('error', () => {})
      tellNext()
    }
    child.once('error', done).once('exit', done)
  }
  const isHeard = socket !== undefined && socket !== ''
  const tell = (...message: ReadonlyArray<string>): void => {
    if (!isHeard) return
    waiting.push(message)
    if (!isTelling) tellNext()
  }
  let stage: 'starting' | 'ready' | 'reloading' = 'starting'
  const ready = (): void => {
    stage = 'ready'
    tell('READY=1')
  }
  return {
    ready,
    reloading: () => {
      if (stage !== 'ready') return
      stage = 'reloading'
      // CLOCK_MONOTONIC in µs, which systemd 253 and later ask for.
      tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
    },
    reloaded: () => {
      if (stage === 'reloading') ready()
    },
    stopping: () => {
      waiting.length = 0
      tell('STOPPING=1')
    },
    status: (text) => {
      if (!isHeard) return
      status = [`STATUS=${text.replaceAll(/\s+/g, ' ')}`]
      if (!isTelling) tellNext()
    },
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(resolve, 1_000)
        silent = () => {
          clearTimeout(late)
          resolve()
        }
        if (!isTelling) silent()
      }),
  }
}
