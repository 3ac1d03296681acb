import { instant, minute } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { onSignal } from '../../src/signal.js'

/**
 * The machine's wall clock. Timers run on the monotonic clock, which stands still while a machine is suspended and
 * does not know when the wall clock is set; so a sleep looks at the wall clock again every minute, and ends when it
 * was set back.
 */
export const wallClock: Clock = {
  now: () => instant(Date.now()),
  sleepUntil: (until, signal) => () =>
    new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      let seen = Date.now()
      const forget = onSignal(signal, () => {
        clearTimeout(timer)
        resolve()
      })
      const look = () => {
        const now = Date.now()
        if (now < until && now >= seen) {
          seen = now
          timer = setTimeout(look, Math.min(until - now, minute))
        } else {
          forget()
          resolve()
        }
      }
      if (!signal.aborted) look()
    }),
}
