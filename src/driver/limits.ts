/** How much of what is costly runs at one time, over all rotations of a driver. */
import type { Task } from 'fp-ts/lib/Task.js'
import { after, endOfTime, type Milliseconds, second } from '../model/time.js'
import type { Clock } from '../ports.js'
import type { Agenda } from './agenda.js'

export interface Limits {
  /** Requests to the API server that may need a TLS handshake, at one time. Watches, which last, do not count. */
  readonly handshakes: number
  /** Keys that are made at one time. */
  readonly keys: number
  /** Changes of certificate stores at one time. */
  readonly installs: number
}

export const defaultLimits: Limits = { handshakes: 16, keys: 4, installs: 8 }

/** Runs a task as soon as fewer than the limit are running. */
export type Limit = <A>(task: Task<A>) => Task<A>

/** How long a task counts, ms. One that takes longer waits for something that others do not need: it is left to itself. */
const longestCounted: Milliseconds = 30 * second

/**
 * At most so many tasks at a time, first come, first served. A disk or a token that never answers keeps its own task, and
 * nobody else from running.
 */
export const limit = (most: number, agenda: Agenda, clock: Clock): Limit => {
  const waiting: Array<() => void> = []
  let running = 0
  const release = () => {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
  return (task) => async () => {
    if (running < most) running += 1
    else
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
    let counts = true
    const end = () => {
      if (counts) release()
      counts = false
      late.set(endOfTime)
    }
    const late = agenda.add(end)
    late.set(after(clock.now(), longestCounted))
    try {
      return await task()
    } finally {
      end()
    }
  }
}
