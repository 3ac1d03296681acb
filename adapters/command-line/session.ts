/** What a run with flags and a run with a file share: where it is said what happens, how long it lasts, who else is told. */
import type { Told } from './log-fields.js'
import { isLogged, type Level, type Log, messageLine, transitionLine } from './output.js'
import { type ServiceManager, serviceManagerOfProcess } from './service-manager.js'
import { terminalLine } from './terminal-line.js'

export interface Session {
  /** A line of the log; `certificate`: the name of the one that it is about, where there are several. */
  readonly say: (level: Level, message: string, certificate?: string) => void
  /** A line that does not depend on the level: somebody asked. */
  readonly reply: (message: string, certificate?: string) => void
  /** What became of a certificate, for the log and the service manager. */
  readonly tell: (transition: Told) => void
  readonly manager: ServiceManager
  /** Aborted when it is told to stop, and when its time is over. */
  readonly over: AbortSignal
  readonly isLate: () => boolean
  readonly end: () => Promise<void>
}

export interface SessionOptions {
  /** Asked for each line: a file that is read again may change it. */
  readonly log: () => Log
  /** How things stand, below the log on a terminal. */
  readonly lastLine: () => string
  /** ms; absent: it lasts until it is told to stop. */
  readonly timeout: number | undefined
  readonly stop: AbortSignal
}

export const openSession = ({ log, lastLine, timeout, stop }: SessionOptions): Session => {
  const manager = serviceManagerOfProcess()
  const screen = terminalLine(process.stdout, log().format === 'text' ? lastLine : undefined)
  const print = (level: Level, message: string, certificate?: string) =>
    screen.print(messageLine(log().format, new Date(), level, message, certificate))
  const late = timeout === undefined ? new AbortController().signal : AbortSignal.timeout(timeout)
  stop.addEventListener('abort', manager.stopping, { once: true })
  return {
    say: (level, ...more) => {
      if (isLogged(log().level, level)) print(level, ...more)
    },
    reply: (...more) => print('info', ...more),
    tell: (told) => {
      const { certificate, level, message, to } = told
      if (isLogged(log().level, level)) screen.print(transitionLine(log().format, told))
      manager.status(`${certificate === undefined ? '' : `${certificate}: `}${to}: ${message}`)
    },
    manager,
    over: AbortSignal.any([stop, late]),
    isLate: () => late.aborted,
    end: async () => {
      await manager.close()
      screen.end()
    },
  }
}
