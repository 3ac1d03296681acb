/** The alert rules as a file of Prometheus (`rule_files`). */
import { stringify } from 'yaml'
import { alertRules } from '../../src/metrics/alerts.js'

export const prometheusRules = (): string =>
  stringify(
    {
      groups: [
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
      ],
    },
    { lineWidth: 0 },
  )
