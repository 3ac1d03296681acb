import { alertRules } from '../../../src/metrics/alerts.js'
import { allMetrics } from '../../../src/metrics/definitions.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('alert rules')

test('speak of metrics that there are, and of label values that they can have', () => {
  for (const { alert, expr } of alertRules) {
    const names = [...expr.matchAll(/\bkube(?:let)?_[a-z_]+/g)].map(([name]) => name)
    assert.ok(names.length > 0, alert)
    for (const name of names)
      assert.ok(
        allMetrics.some((metric) => metric.name === name),
        `${alert}: ${name}`,
      )
    for (const [, name, label = '', value = ''] of expr.matchAll(/(\w+)\{(\w+)="(\w+)"\}/g)) {
      const metric = allMetrics.find((candidate) => candidate.name === name)
      assert.ok(metric?.labels[label]?.includes(value), `${alert}: ${label}=${value}`)
    }
  }
})

test('each say what happened, where, and what to do', () => {
  for (const { alert, summary, description, for: duration } of alertRules) {
    assert.match(alert, /^KubeCertRotation[A-Z]\w+$/)
    assert.match(summary, 'on {{ $labels.instance }}'.slice(3))
    assert.match(description, /\.$/)
    assert.match(duration, /^\d+m$/)
  }
})
