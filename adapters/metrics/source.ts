import type { Metrics } from '../../src/metrics/metrics.js'

/** What has metrics: a running rotation, or a fleet. */
export interface MetricsSource {
  /** A snapshot of now. */
  readonly metrics: () => Metrics
}
