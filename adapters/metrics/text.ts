/**
 * Metrics as text: the Prometheus format 0.0.4, and OpenMetrics 1.0. In OpenMetrics the name of a counter ends with
 * `_total`; those of the kubelet do not, and must be called the same in both formats, so there they are of type `unknown`.
 */
import { allMetrics, type Labels, type Metric } from '../../src/metrics/definitions.js'
import type { Metrics } from '../../src/metrics/metrics.js'
import type { Histogram } from '../../src/metrics/tally.js'

export type TextFormat = 'prometheus' | 'openmetrics'

export const contentTypes: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** The page that is scraped. */
export const metricsText = (format: TextFormat, metrics: Metrics): string =>
  [
    ...allMetrics.flatMap((metric) => familyOf(format, metric, metrics)),
    ...(format === 'openmetrics' ? ['# EOF'] : []),
    '',
  ].join('\n')

const familyOf = (format: TextFormat, metric: Metric, metrics: Metrics): ReadonlyArray<string> => {
  const lines = linesOf(metric, metrics)
  return lines.length === 0 ? [] : [...headOf(format, metric), ...lines]
}

const headOf = (format: TextFormat, { name, type, unit, help }: Metric): ReadonlyArray<string> => {
  if (format === 'prometheus') return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
  const isTotal = name.endsWith('_total')
  const family = isTotal ? name.slice(0, -'_total'.length) : name
  return [
    `# TYPE ${family} ${type === 'counter' && !isTotal ? 'unknown' : type}`,
    ...(unit === undefined ? [] : [`# UNIT ${family} ${unit}`]),
    `# HELP ${family} ${help}`,
  ]
}

const linesOf = (metric: Metric, metrics: Metrics): ReadonlyArray<string> => {
  if (metric.type !== 'histogram')
    return metric.read(metrics).map(({ labels, value }) => line(metric.name, labels, value))
  const histogram = metric.read(metrics)
  return histogram === undefined ? [] : histogramLines(metric.name, metric.buckets, histogram)
}

const histogramLines = (
  name: string,
  buckets: ReadonlyArray<number>,
  histogram: Histogram,
): ReadonlyArray<string> => {
  const cumulative = cumulated(histogram)
  return [
    ...cumulative.map((count, index) =>
      line(`${name}_bucket`, { le: numeral(buckets[index] ?? Number.POSITIVE_INFINITY) }, count),
    ),
    line(`${name}_sum`, {}, histogram.sum),
    line(`${name}_count`, {}, cumulative.at(-1) ?? 0),
  ]
}

/** How many observations are not above each bound; all of them last. */
export const cumulated = ({ counts }: Histogram): ReadonlyArray<number> => {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}

const line = (name: string, labels: Labels, value: number): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numeral(value)}`
}

const numeral = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

/** The format that an `Accept` header prefers (RFC 9110, 12.5.1); without one, or with `*`, Prometheus'. */
export const acceptedFormat = (accept: string | undefined): TextFormat => {
  const offers = (accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const parameter = (name: string) =>
      parameters.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1)
    const quality = Number(parameter('q') ?? 1)
    return { type, version: parameter('version')?.replaceAll('"', ''), quality: quality > 0 ? quality : 0 }
  })
  const best = (isMeant: (offer: (typeof offers)[number]) => boolean) =>
    Math.max(0, ...offers.filter(isMeant).map(({ quality }) => quality))
  const openMetrics = best(
    ({ type, version }) =>
      type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'),
  )
  const plain = best(({ type }) => ['text/plain', 'text/*', '*/*'].includes(type))
  return openMetrics > 0 && openMetrics >= plain ? 'openmetrics' : 'prometheus'
}
