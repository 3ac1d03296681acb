import { type Instant, instant, type Milliseconds, minute } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { onSignal } from '../../src/signal.js'

/** A wall clock that runs faster than the machine's, and can be set, forwards and back. */
export interface FastClock extends Clock {
  readonly set: (by: Milliseconds) => void
}

/** How many milliseconds pass on it in one of the machine's: a minute takes a tenth of a second. */
export const speed = 600

/** As `wallClock`, but for its speed: it looks at the time again every minute of its own. */
export const fastClock = (start: Instant = instant(Date.now())): FastClock => {
  const began = performance.now()
  let offset = 0
  const now = (): Instant => instant(start + offset + (performance.now() - began) * speed)
  return {
    now,
    set: (by) => {
      offset += by
    },
    sleepUntil: (until, signal) => () =>
      new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined
        let seen = now()
        const forget = onSignal(signal, () => {
          clearTimeout(timer)
          resolve()
        })
        const look = () => {
          const at = now()
          if (at < until && at >= seen) {
            seen = at
            timer = setTimeout(look, Math.max(1, Math.min(until - at, minute) / speed))
          } else {
            forget()
            resolve()
          }
        }
        if (!signal.aborted) look()
      }),
  }
}
