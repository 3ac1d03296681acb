/** What a rotation measures, for those who look at it: over HTTP, in a registry of prom-client, by OpenTelemetry. */
export { type AlertRule, alertRules } from '../../src/metrics/alerts.js'
export { allMetrics, type Metric, type Sample } from '../../src/metrics/definitions.js'
export type { Metrics } from '../../src/metrics/metrics.js'
export { type HealthAnswer, healthAnswer } from './health.js'
export { type Address, type ListenError, type Listener, serveMetrics } from './listener.js'
export { prometheusRules } from './prometheus-rules.js'
export type { MetricsSource } from './source.js'
export { acceptedFormat, contentTypes, metricsText, type TextFormat } from './text.js'
