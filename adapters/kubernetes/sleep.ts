import type { Task } from 'fp-ts/lib/Task.js'
import type { Milliseconds } from '../../src/model/time.js'
import { onSignal, type Signal } from '../../src/signal.js'

/** Ends after the duration, or when the signal is given. */
export type Sleep = (duration: Milliseconds, signal: Signal) => Task<void>

export const realSleep: Sleep = (duration, signal) => () =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      queueMicrotask(() => forget())
      resolve()
    }
    const timer = setTimeout(end, duration)
    const forget = onSignal(signal, end)
  })
