/** What somebody should be woken for, in PromQL, from the definitions of the metrics. */
import { metrics } from './definitions.js'

export interface AlertRule {
  readonly alert: string
  /** PromQL. */
  readonly expr: string
  /** How long it has to hold, as Prometheus writes durations. */
  readonly for: string
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  /** What a person can do. */
  readonly description: string
}

const { lifeLeft, state, usable, failing, hooksFailing } = metrics

export const alertRules: ReadonlyArray<AlertRule> = [
  {
    alert: 'KubeCertRotationNoUsableCertificate',
    expr: `sum without (state) (${state.name}) - ${usable.name} > 0`,
    for: '5m',
    severity: 'critical',
    summary: 'No certificate works on {{ $labels.instance }}.',
    description:
      'It expired, was rejected or was never obtained: whatever uses it cannot authenticate. kube-cert-rotation explain says why.',
  },
  {
    alert: 'KubeCertRotationExpiresSoon',
    // Renewals begin with a tenth of the life left at the latest.
    expr: `${lifeLeft.name} < 0.05`,
    for: '0m',
    severity: 'critical',
    summary:
      'The certificate on {{ $labels.instance }} expires soon: {{ $value | humanizePercentage }} of its life is left.',
    description:
      'Its renewal was due at 90 % of its life at the latest and has not succeeded. kube-cert-rotation explain says why.',
  },
  {
    alert: 'KubeCertRotationRenewalFailing',
    expr: `${failing.name} > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'Obtaining a certificate fails on {{ $labels.instance }}.',
    description: `It is tried again, ever more slowly. The log and kube-cert-rotation explain say what fails and what helps; ${metrics.failures.name} counts by kind.`,
  },
  {
    alert: 'KubeCertRotationNobodyApproves',
    expr: `${state.name}{state="Pending"} > 0`,
    for: '15m',
    severity: 'warning',
    summary: 'A CertificateSigningRequest of {{ $labels.instance }} waits for approval.',
    description:
      'kubectl get csr shows it; kubectl certificate approve NAME approves it. An approver that should have done so may be down or lack a role.',
  },
  {
    alert: 'KubeCertRotationHookFailing',
    expr: `${hooksFailing.name} > 0`,
    for: '10m',
    severity: 'warning',
    summary: 'A hook fails after a renewal on {{ $labels.instance }}.',
    description:
      'The certificate was renewed, and something that should have been told was not: it may go on with the old one. The log has the output of the hook.',
  },
]
