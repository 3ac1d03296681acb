/** The metrics in a registry of prom-client, beside those of the embedder. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { allMetrics, type HistogramMetric, type ValueMetric } from '../../src/metrics/definitions.js'
import type { MetricsSource } from './source.js'
import { cumulated } from './text.js'

/**
 * Registers every metric; they are read when the registry is. Answers with what removes them again. prom-client renames
 * counters in its OpenMetrics format, those of the kubelet too: its default format does not.
 */
export const registerMetrics = (registry: Registry, source: MetricsSource): (() => void) => {
  for (const metric of allMetrics)
    registry.registerMetric(metric.type === 'histogram' ? histogram(metric, source) : values(metric, source))
  return () => {
    for (const { name } of allMetrics) registry.removeSingleMetric(name)
  }
}

const values = (metric: ValueMetric, source: MetricsSource) => {
  const { name, help, labels, type } = metric
  const configuration = { name, help, labelNames: Object.keys(labels), registers: [] }
  const given = type === 'gauge' ? new Gauge(configuration) : new Counter(configuration)
  const original = given.get.bind(given)
  const get = async () => ({
    ...(await original()),
    values: metric.read(source.metrics()).map(({ labels: of, value }) => ({ labels: { ...of }, value })),
  })
  return Object.assign(given, { get })
}

const histogram = ({ name, help, buckets, read }: HistogramMetric, source: MetricsSource) => {
  const make = () => new Histogram({ name, help, buckets: [...buckets], registers: [] })
  const empty = make()
  const get = async () => ({ ...(await empty.get()), values: valuesNow() })
  const valuesNow = () => {
    const found = read(source.metrics())
    if (found === undefined) return []
    const counts = cumulated(found)
    const value = (suffix: string, amount: number, labels: Record<string, string | number> = {}) => ({
      metricName: `${name}_${suffix}`,
      labels,
      value: amount,
    })
    return [
      ...counts.map((count, index) => value('bucket', count, { le: buckets[index] ?? '+Inf' })),
      value('sum', found.sum),
      value('count', counts.at(-1) ?? 0),
    ]
  }
  // The second one is what the registry prints, and no part of the types.
  return Object.assign(make(), { get, getForPromString: get })
}
