/** What Linux says of processes and of locks on files (proc(5)). */
import type { Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Instant, instant } from '../../src/model/time.js'
import { codeOf } from '../platform/system-error.js'

export interface RunningProcess {
  /** What it is called, as `ps` says it. */
  readonly name: string
  /** The number of the user whose rights it has. */
  readonly user: number
  readonly startedAt: Instant
}

/** USER_HZ, which is the same on every platform that Node runs on. */
const ticksPerSecond = 100

/** Undefined: there is none, or it is a zombie. Rejects where there is one, and /proc does not say more. */
export const runningProcess = async (pid: number): Promise<RunningProcess | undefined> => {
  try {
    const [stat, status, system] = await Promise.all(
      [`/proc/${pid}/stat`, `/proc/${pid}/status`, '/proc/stat'].map((file) => readFile(file, 'utf8')),
    )
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat ?? '') ?? []
    // From the third field on, the state.
    const fields = rest.split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const booted = Number(/^btime (\d+)$/m.exec(system ?? '')?.[1])
    return {
      name,
      user: Number(/^Uid:\t\d+\t(\d+)/m.exec(status ?? '')?.[1]),
      startedAt: instant((booted + Number(fields[19]) / ticksPerSecond) * 1_000),
    }
  } catch (thrown) {
    // It may end between two reads.
    if (isThere(pid)) throw thrown
    return undefined
  }
}

/** Also one that /proc hides (hidepid=). */
const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return codeOf(thrown) !== 'ESRCH'
  }
}

/**
 * The number of the process that has a file locked, by flock(2) or fcntl(2). Undefined: nobody has. 0: somebody, and it is
 * not said who (an open file description lock, a process of another container).
 */
export const lockHolder = async ({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): Promise<number | undefined> => {
  const place = `${hexadecimal(major(dev))}:${hexadecimal(minor(dev))}:${ino}`
  for (const line of (await readFile('/proc/locks', 'utf8')).split('\n')) {
    // `1: FLOCK  ADVISORY  WRITE 3094 fe:00:2146613 0 EOF`; with `->` it is somebody who waits.
    const [, kind, , , pid, file] = line.split(/\s+/)
    if (kind !== '->' && file === place) return Math.max(0, Number(pid))
  }
  return undefined
}

const hexadecimal = (number: number): string => number.toString(16).padStart(2, '0')

/** As glibc's gnu_dev_major and gnu_dev_minor take them out, of 32 bits. */
const major = (dev: number): number => (dev >>> 8) & 0xfff
const minor = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00)
