/** The longest time without a look at the clock: it may have been set, or the machine may have slept. */
const stretch = 60_000

/**
 * Calls `run` once the wall clock is at or past `at` (ms since the epoch); the answer takes that back. It keeps no
 * process alive.
 */
export const runAt = (at: number, run: () => void): (() => void) => {
  if (at === Number.POSITIVE_INFINITY) return () => {}
  let timer: NodeJS.Timeout
  const look = () => {
    const left = at - Date.now()
    if (left <= 0) run()
    else timer = setTimeout(look, Math.min(left, stretch)).unref()
  }
  timer = setTimeout(look, Math.max(0, Math.min(at - Date.now(), stretch))).unref()
  return () => clearTimeout(timer)
}
