import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { Registry } from 'prom-client'
import { metricsText } from '../../../adapters/metrics/index.js'
import { observeMetrics } from '../../../adapters/metrics/opentelemetry.js'
import { registerMetrics } from '../../../adapters/metrics/prom-client.js'
import { type Metrics, noMetrics, sumOf } from '../../../src/metrics/metrics.js'
import { ageBuckets } from '../../../src/metrics/tally.js'
import { assert, suite } from '../../helper/index.js'
import { at } from '../../src/samples.js'
import { busyMetrics } from './sample.js'

const test = suite('metrics in registries')

const rows = (text: string) =>
  text
    .split('\n')
    .filter((row) => row !== '' && !row.startsWith('#'))
    .sort()

test("prom-client's registry has the samples of our own page, and their types", async () => {
  const registry = new Registry()
  let now: Metrics = busyMetrics
  const remove = registerMetrics(registry, { metrics: () => now })
  assert.equal(rows(await registry.metrics()), rows(metricsText('prometheus', busyMetrics)))
  for (const row of metricsText('prometheus', busyMetrics).split('\n'))
    if (row.startsWith('# TYPE')) assert.ok((await registry.metrics()).includes(row), row)
  now = sumOf(busyMetrics, busyMetrics)
  assert.equal(rows(await registry.metrics()), rows(metricsText('prometheus', now)), 'it is read anew')
  assert.ok((await registry.getMetricsAsJSON()).length > 10)
  remove()
  assert.equal(rows(await registry.metrics()), [])
})

class Reader extends MetricReader {
  override async onForceFlush() {}
  override async onShutdown() {}
}

test('OpenTelemetry has the same names, values and buckets', async () => {
  const reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  let now: Metrics = noMetrics(at(0))
  const end = observeMetrics(provider.getMeter('test'), { metrics: () => now })
  const collected = async () => {
    const { resourceMetrics } = await reader.collect()
    const found = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    return (name: string) => found.find(({ descriptor }) => descriptor.name === name)
  }
  await collected()
  now = busyMetrics
  await collected()
  const metric = await collected()
  const ttl = metric('kubelet_certificate_manager_client_ttl_seconds')
  assert.is(ttl?.descriptor.unit, 's')
  assert.is(ttl?.dataPoints[0]?.value, 86_400)
  const failures = metric('kube_cert_rotation_failures_total')
  assert.is(failures?.dataPointType, DataPointType.SUM)
  assert.is(failures?.dataPoints.find(({ attributes }) => attributes['reason'] === 'Denied')?.value, 2)
  const ages = metric('kubelet_certificate_manager_server_rotation_seconds')
  const [point] = ages?.dataPoints ?? []
  if (ages?.dataPointType !== DataPointType.HISTOGRAM) throw new Error('it is a histogram')
  assert.equal(Object(point?.value).buckets, {
    boundaries: [...ageBuckets],
    counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1],
  })
  end()
  await provider.shutdown()
})

test('an observation alone between two collections has its exact value', async () => {
  const reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  const ages = { counts: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], sum: 1_234.5 }
  const now = { ...busyMetrics, server: { ...busyMetrics.server, replacedAges: ages } }
  observeMetrics(provider.getMeter('test'), { metrics: () => now })
  await reader.collect()
  const { resourceMetrics } = await reader.collect()
  const found = resourceMetrics.scopeMetrics[0]?.metrics.find(
    ({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM,
  )
  assert.is(Object(found?.dataPoints[0]?.value).sum, 1_234.5)
  await provider.shutdown()
})
