/** How much of what is costly runs at one time, over all rotations of a driver. */
import type { Task } from 'fp-ts/lib/Task.js'

export interface Limits {
  /** Requests to the API server that may need a TLS handshake, at one time; a watch counts until it is answered. */
  readonly handshakes: number
  /** Keys that are made at one time. */
  readonly keys: number
  /** Changes of certificate stores at one time. */
  readonly installs: number
}

export const defaultLimits: Limits = { handshakes: 16, keys: 4, installs: 8 }

/** Runs a task as soon as fewer than the limit are running. */
export type Limit = <A>(task: Task<A>) => Task<A>

/** At most so many tasks at a time, first come, first served. */
export const limit = (most: number): Limit => {
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
    try {
      return await task()
    } finally {
      release()
    }
  }
}
