/**
 * The tables of metrics, alerts, log fields and kinds of failure in the pages, from their definitions.
 *
 * `node dist/test/checks/reference.js --write` puts those of now there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { logFields } from '../../adapters/command-line/log-fields.js'
import { alertRules } from '../../src/metrics/alerts.js'
import { allMetrics, failureKinds, type Metric } from '../../src/metrics/definitions.js'
import { markersOf, withGenerated } from './generated.js'

const root = join(import.meta.dirname, '../../..')

const table = (heads: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const labelsOf = ({ labels }: Metric): string =>
  Object.entries(labels)
    .map(([label, values]) =>
      label === 'reason'
        ? '`reason`: the kinds of failure'
        : `\`${label}\`: ${values.map((value) => `\`${value}\``).join(' ')}`,
    )
    .join(', ')

const typeOf = (metric: Metric): string =>
  metric.type === 'histogram' ? `histogram, buckets ${metric.buckets.join(' ')}` : metric.type

/** What is generated, by page and name. */
const generated: ReadonlyArray<readonly [page: string, name: string, body: string]> = [
  [
    'adapters/metrics/README.md',
    'metrics',
    table(
      ['metric', 'type', 'labels', 'meaning'],
      allMetrics.map((metric) => [`\`${metric.name}\``, typeOf(metric), labelsOf(metric), metric.help]),
    ),
  ],
  [
    'adapters/metrics/README.md',
    'alerts',
    table(
      ['alert', 'when', 'for', 'severity'],
      alertRules.map((rule) => [`\`${rule.alert}\``, `\`${rule.expr}\``, rule.for, rule.severity]),
    ),
  ],
  [
    'adapters/command-line/README.md',
    'log fields',
    table(
      ['field', 'type', 'meaning'],
      logFields.map(({ name, type, help }) => [`\`${name}\``, type, help]),
    ),
  ],
  [
    'adapters/command-line/README.md',
    'kinds of failure',
    table(
      ['`reason`', 'meaning'],
      Object.entries(failureKinds).map(([kind, meaning]) => [`\`${kind}\``, meaning]),
    ),
  ],
]

/** The pages as they should be; what is wrong with them. */
export const referenceFindings = (): ReadonlyArray<string> =>
  generated.flatMap(([page, name, body]) => {
    const text = readFileSync(join(root, page), 'utf8')
    const current = withGenerated(text, name, body)
    if (current === undefined) return [`${page} lacks the markers ${markersOf(name).join(' and ')}`]
    return current === text
      ? []
      : [
          `the ${name} in ${page} are not those that are defined: run node dist/test/checks/reference.js --write`,
        ]
  })

if (process.argv.includes('--write'))
  for (const [page, name, body] of generated) {
    const path = join(root, page)
    const current = withGenerated(readFileSync(path, 'utf8'), name, body)
    if (current === undefined) throw new Error(`${page} lacks the markers ${markersOf(name).join(' and ')}`)
    writeFileSync(path, current)
  }
