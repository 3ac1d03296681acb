/** The metrics by the API of OpenTelemetry, under the same names. */
import type { Meter, Observable } from '@opentelemetry/api'
import { allMetrics, type HistogramMetric, type ValueMetric } from '../../src/metrics/definitions.js'
import { type Histogram, noAges } from '../../src/metrics/tally.js'
import type { MetricsSource } from './source.js'

/** Creates an instrument for every metric; they are read at each collection. Answers with what ends that. */
export const observeMetrics = (meter: Meter, source: MetricsSource): (() => void) => {
  const instruments = allMetrics.flatMap((metric) =>
    metric.type === 'histogram' ? [] : [{ metric, instrument: instrumentOf(meter, metric) }],
  )
  const recorders = allMetrics.flatMap((metric) =>
    metric.type === 'histogram' ? [recorderOf(meter, metric)] : [],
  )
  const observables: ReadonlyArray<Observable> = instruments.map(({ instrument }) => instrument)
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const now = source.metrics()
    for (const { metric, instrument } of instruments)
      for (const { labels, value } of metric.read(now)) result.observe(instrument, value, { ...labels })
    for (const record of recorders) record(now)
  }
  meter.addBatchObservableCallback(observe, [...observables])
  return () => meter.removeBatchObservableCallback(observe, [...observables])
}

const instrumentOf = (meter: Meter, { name, type, help, unit }: ValueMetric): Observable => {
  const options = { description: help, ...unitOf(unit) }
  return type === 'gauge'
    ? meter.createObservableGauge(name, options)
    : meter.createObservableCounter(name, options)
}

/** As UCUM has them, which OpenTelemetry uses. */
const unitOf = (unit: ValueMetric['unit']) =>
  unit === undefined ? {} : { unit: unit === 'seconds' ? 's' : '1' }

/**
 * What came since the last collection is recorded at the next one. There is no histogram to be observed in the API. One
 * observation between two collections, which is the rule, has its exact value; of more each has its bucket, and their mean
 * or the bound next to it as a value.
 */
const recorderOf = (meter: Meter, { name, help, unit, buckets, read }: HistogramMetric) => {
  const instrument = meter.createHistogram(name, {
    description: help,
    ...unitOf(unit),
    advice: { explicitBucketBoundaries: [...buckets] },
  })
  let known: Histogram = noAges
  return (metrics: Parameters<typeof read>[0]): void => {
    const now = read(metrics) ?? known
    const added = now.counts.map((count, index) => count - (known.counts[index] ?? 0))
    const mean = (now.sum - known.sum) / added.reduce((sum, count) => sum + count, 0)
    for (const [index, count] of added.entries())
      for (let n = 0; n < count; n += 1) {
        const [above, bound] = [buckets[index - 1] ?? 0, buckets[index] ?? Number.POSITIVE_INFINITY]
        instrument.record(Math.min(bound, Math.max(above + 1, mean)))
      }
    known = now
  }
}
