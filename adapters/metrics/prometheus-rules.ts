/** The alert rules as a file of Prometheus (`rule_files`), and as a PrometheusRule of the Prometheus operator. */
import { stringify } from 'yaml'
import { alertRules } from '../../src/metrics/alerts.js'

const groups = () => [
  {
    name: 'kube-cert-rotation',
    rules: alertRules.map(({ alert, expr, for: duration, severity, summary, description }) => ({
      alert,
      expr,
      for: duration,
      labels: { severity },
      annotations: { summary, description },
    })),
  },
]

export const prometheusRules = (): string => stringify({ groups: groups() }, { lineWidth: 0 })

/** `monitoring.coreos.com/v1`. */
export const prometheusRule = (namespace: string): string =>
  stringify(
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'kube-cert-rotation', namespace },
      spec: { groups: groups() },
    },
    { lineWidth: 0 },
  )
