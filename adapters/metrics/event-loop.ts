import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { EventLoopDelay } from '../../src/metrics/metrics.js'
import { minute } from '../../src/model/time.js'

/** How often the loop is looked at, in ms: so much is subtracted from what is measured. */
const resolution = 20

export interface EventLoopMonitor {
  readonly delay: () => EventLoopDelay
  readonly stop: () => void
}

/** Measures how late the event loop is, over the minute that runs and the one before. It keeps no process alive. */
export const monitorEventLoop = (): EventLoopMonitor => {
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  const now = (): EventLoopDelay => ({
    mean: late(histogram.mean),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
  })
  let before: EventLoopDelay = { mean: 0, p99: 0, max: 0 }
  const timer = setInterval(() => {
    before = now()
    histogram.reset()
  }, minute).unref()
  return {
    delay: () => {
      const running = now()
      return {
        mean: Math.max(before.mean, running.mean),
        p99: Math.max(before.p99, running.p99),
        max: Math.max(before.max, running.max),
      }
    },
    stop: () => {
      clearInterval(timer)
      histogram.disable()
    },
  }
}

/** Seconds of delay from nanoseconds between two looks; without a look yet there is none. */
const late = (nanoseconds: number): number =>
  Number.isFinite(nanoseconds) && nanoseconds < 1e12 ? Math.max(0, nanoseconds / 1e9 - resolution / 1e3) : 0
