import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { parse } from 'yaml'
import { acceptedFormat, metricsText, prometheusRules } from '../../../adapters/metrics/index.js'
import { alertRules } from '../../../src/metrics/alerts.js'
import { type Metrics, noMetrics, sumOf } from '../../../src/metrics/metrics.js'
import { assert, suite } from '../../helper/index.js'
import { at } from '../../src/samples.js'
import { busyMetrics } from './sample.js'

const test = suite('metrics as text')

const rows = (text: string): ReadonlyArray<string> => text.split('\n').filter((row) => !row.startsWith('#'))

test("has the kubelet's names as they are, in both formats", () => {
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const text = metricsText(format, busyMetrics)
    for (const row of [
      'kubelet_certificate_manager_client_ttl_seconds 86400',
      'kubelet_certificate_manager_client_expiration_renew_errors 3',
      'kubelet_certificate_manager_server_ttl_seconds +Inf',
      'kubelet_server_expiration_renew_errors 1',
      'kubelet_certificate_manager_server_rotation_seconds_bucket{le="60"} 1',
      'kubelet_certificate_manager_server_rotation_seconds_bucket{le="3600"} 1',
      'kubelet_certificate_manager_server_rotation_seconds_bucket{le="124416000"} 3',
      'kubelet_certificate_manager_server_rotation_seconds_bucket{le="+Inf"} 4',
      'kubelet_certificate_manager_server_rotation_seconds_sum 124500000',
      'kubelet_certificate_manager_server_rotation_seconds_count 4',
      'kube_cert_rotation_state{state="Issued"} 1',
      'kube_cert_rotation_requests_total{outcome="denied"} 2',
      'kube_cert_rotation_failures_total{reason="Unreachable"} 1',
      'kube_cert_rotation_failures_total{reason="Gone"} 0',
      'kube_cert_rotation_connections{certificate="earlier"} 2',
    ])
      assert.ok(rows(text).includes(row), `${format}: ${row}\n${text}`)
  }
})

test('in OpenMetrics names each family as its samples are named, and ends with its mark', () => {
  const text = metricsText('openmetrics', busyMetrics)
  assert.match(text, '# TYPE kube_cert_rotation_failures counter\n')
  assert.match(text, '# TYPE kubelet_certificate_manager_client_expiration_renew_errors unknown\n')
  assert.match(text, '# UNIT kube_cert_rotation_life_left_ratio ratio\n')
  assert.ok(text.endsWith('\n# EOF\n'))
  assert.ok(metricsText('prometheus', busyMetrics).endsWith('\n'))
  assert.not.match(metricsText('prometheus', busyMetrics), 'EOF')
})

test('has as many series for a thousand rotations as for one', () => {
  let many: Metrics = noMetrics(at(0))
  for (let n = 0; n < 1_000; n += 1) many = sumOf(many, busyMetrics)
  const count = (metrics: Metrics) => rows(metricsText('prometheus', metrics)).length
  assert.is(count(many), count(busyMetrics))
  assert.ok(count(busyMetrics) < 100, `${count(busyMetrics)}`)
})

test('says nothing of what there is not', () => {
  const text = metricsText('prometheus', noMetrics(at(0)))
  assert.not.match(text, 'kubelet_')
  assert.not.match(text, 'hook')
  assert.not.match(text, 'kube_cert_rotation_connections')
})

for (const [accept, format] of [
  [undefined, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  // Prometheus 2.42, and 3.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  ['application/openmetrics-text;version=0.0.1', 'prometheus'],
  ['application/openmetrics-text;q=0.1, text/plain', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=x, text/html', 'prometheus'],
] as const)
  test(`answers Accept: ${accept} in the format ${format}`, () => {
    assert.is(acceptedFormat(accept), format)
  })

const withoutPromtool =
  spawnSync('promtool', ['--version']).error === undefined ? undefined : 'no promtool on this machine'

test('passes promtool check metrics', { skip: withoutPromtool }, () => {
  for (const metrics of [busyMetrics, noMetrics(at(0))]) {
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: metricsText('prometheus', metrics),
      encoding: 'utf8',
    })
    // Its style guide is younger than the names of the kubelet.
    const objections = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('kubelet_'))
    assert.equal(objections, [])
  }
})

test('alert rules are a file of rules as Prometheus reads them', () => {
  const document = parse(prometheusRules())
  const [group, ...others] = document.groups
  assert.equal(others, [])
  assert.is(group.name, 'kube-cert-rotation')
  assert.is(group.rules.length, alertRules.length)
  for (const rule of group.rules) {
    assert.equal(Object.keys(rule), ['alert', 'expr', 'for', 'labels', 'annotations'])
    assert.match(rule.labels.severity, /^(critical|warning)$/)
  }
})

/** What the alerts make of series that a test writes down. */
const promtoolTest = (metrics: Metrics, firing: ReadonlyArray<string>) => ({
  rule_files: ['rules.yml'],
  evaluation_interval: '1m',
  tests: [
    {
      interval: '1m',
      input_series: rows(metricsText('prometheus', metrics))
        // promtool knows no way to write infinity.
        .filter((row) => row !== '' && !row.endsWith('Inf'))
        .map((row) => {
          const [series = '', value = ''] = row.split(/ (?=[^ ]+$)/)
          const labelled = series.includes('{')
            ? series.replace('{', '{instance="a",')
            : `${series}{instance="a"}`
          return { series: labelled, values: `${value}x60` }
        }),
      promql_expr_test: alertRules.map(({ alert }) => ({
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: '30m',
        exp_samples: [{ labels: '{}', value: firing.includes(alert) ? 1 : 0 }],
      })),
    },
  ],
})

test('alert rules fire when they should, by promtool', { skip: withoutPromtool }, async ({
  temporaryDirectory,
}) => {
  const folder = await temporaryDirectory()
  const calm: Metrics = {
    ...busyMetrics,
    hooks: { runs: { succeeded: 1, failed: 0, timed_out: 0 }, failing: 0 },
    failing: 0,
  }
  const cases: ReadonlyArray<readonly [Metrics, ReadonlyArray<string>]> = [
    [calm, []],
    [{ ...calm, usable: 0 }, ['KubeCertRotationNoUsableCertificate']],
    [{ ...calm, lifeLeft: O.some(0.04) }, ['KubeCertRotationExpiresSoon']],
    [{ ...calm, failing: 1 }, ['KubeCertRotationRenewalFailing']],
    [{ ...calm, states: { ...calm.states, Pending: 1, Issued: 0 } }, ['KubeCertRotationNobodyApproves']],
    [busyMetrics, ['KubeCertRotationHookFailing']],
  ]
  await writeFile(join(folder, 'rules.yml'), prometheusRules())
  for (const [index, [metrics, firing]] of cases.entries()) {
    const file = join(folder, `case-${index}.yml`)
    await writeFile(file, JSON.stringify(promtoolTest(metrics, firing)))
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
    assert.is(status, 0, `${firing}: ${stdout}${stderr}`)
  }
})
