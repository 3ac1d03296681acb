/**
 * Every metric: its name, type, unit, meaning, labels with all of their values, and how it is read from a snapshot. What
 * is exported, the reference and the alert rules come from here. Where a kubelet has a metric of the same meaning, it has
 * the same name, type and buckets here (`cmd/kubelet/app/server.go`, `pkg/kubelet/certificate/kubelet.go`).
 */
import * as O from 'fp-ts/lib/Option.js'
import { keys } from 'fp-ts/lib/Record.js'
import type { FailureTag } from '../model/failure.js'
import { type Instant, second } from '../model/time.js'
import { connectionKinds, hookOutcomes, type Metrics, type RoleMetrics, stateNames } from './metrics.js'
import { ageBuckets, type Histogram, requestOutcomes } from './tally.js'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

interface Described {
  readonly name: string
  readonly unit?: 'seconds' | 'ratio'
  /** One sentence, without quotes and backslashes. */
  readonly help: string
  /** Each label with all the values that it can have. */
  readonly labels: Readonly<Record<string, ReadonlyArray<string>>>
}

export interface ValueMetric extends Described {
  readonly type: 'gauge' | 'counter'
  /** None: there is nothing to be told now. */
  readonly read: (metrics: Metrics) => ReadonlyArray<Sample>
}

export interface HistogramMetric extends Described {
  readonly type: 'histogram'
  /** Upper bounds, without the last one. */
  readonly buckets: ReadonlyArray<number>
  readonly read: (metrics: Metrics) => Histogram | undefined
}

export type Metric = ValueMetric | HistogramMetric

/** Every kind of failure, and what it means: the word in the log and in `status`, too. */
export const failureKinds: Readonly<Record<FailureTag, string>> = {
  Unreachable: 'the API server does not answer (DNS, TCP, TLS, time-out)',
  ServerUntrusted: 'the certificate of the API server does not chain to the CA in the kubeconfig',
  Unavailable: 'the API server answers 429 or 5xx',
  CredentialRejected: 'the API server rejects the credential (401, `system:anonymous`, a TLS alert)',
  NoCredential: 'there is no bootstrap credential, or it cannot be read',
  Forbidden: 'the API server knows us and says no (403)',
  Invalid: 'the API server finds fault with the request (400, 413, 422)',
  NotServed: 'the API server has no `certificates.k8s.io`',
  NameTaken: "the request's name is taken by another request",
  Unintelligible: 'what answers does not speak the Kubernetes API',
  StoreUnreadable: 'the certificate directory cannot be read',
  StoreUnwritable: 'the certificate directory cannot be written',
  StoreLocked: 'another process uses the certificate directory',
  Malformed: 'a key or certificate cannot be read',
  KeyUnavailable: 'a key cannot be made or used',
  TrustUnusable: 'the CAs that certificates have to chain to cannot be read',
  Denied: 'an approver denied the request',
  SignerFailed: 'the signer failed the request',
  Gone: 'the request was deleted before it was issued',
  Defective: 'a certificate was issued that is not what was asked for',
}

const one = (value: number, labels: Labels = {}): ReadonlyArray<Sample> => [{ labels, value }]

const each = <Name extends string>(
  label: string,
  names: ReadonlyArray<Name>,
  values: Readonly<Partial<Record<Name, number>>> | undefined,
): ReadonlyArray<Sample> =>
  values === undefined ? [] : names.map((name) => ({ labels: { [label]: name }, value: values[name] ?? 0 }))

/** Seconds since the epoch. */
const timestamp = (at: O.Option<Instant>): ReadonlyArray<Sample> =>
  O.isSome(at) ? one(at.value / second) : []

/** Whole seconds, negative after the end, `+Inf` without a certificate: as the kubelet has it. */
const timeToLive = ({ rotations, notAfter }: RoleMetrics, { at }: Metrics): ReadonlyArray<Sample> => {
  if (rotations === 0) return []
  return one(O.isSome(notAfter) ? Math.trunc((notAfter.value - at) / second) : Number.POSITIVE_INFINITY)
}

/** Whether there is, or was, anything of this role. */
const isThere = ({ rotations, renewalFailures }: RoleMetrics): boolean => rotations > 0 || renewalFailures > 0

const failureTags = keys(failureKinds)

export const metrics = {
  clientTimeToLive: {
    name: 'kubelet_certificate_manager_client_ttl_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'Time until the client certificate expires, negative when it has, +Inf without one; of several the first to expire.',
    labels: {},
    read: (m) => timeToLive(m.client, m),
  },
  clientRenewErrors: {
    name: 'kubelet_certificate_manager_client_expiration_renew_errors',
    type: 'counter',
    help: 'Failed attempts to renew the client certificate.',
    labels: {},
    read: ({ client }) => (isThere(client) ? one(client.renewalFailures) : []),
  },
  serverTimeToLive: {
    name: 'kubelet_certificate_manager_server_ttl_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'The same as the client metric, of the serving certificate.',
    labels: {},
    read: (m) => timeToLive(m.server, m),
  },
  serverRenewErrors: {
    name: 'kubelet_server_expiration_renew_errors',
    type: 'counter',
    help: 'Failed attempts to renew the serving certificate.',
    labels: {},
    read: ({ server }) => (isThere(server) ? one(server.renewalFailures) : []),
  },
  serverRotationAge: {
    name: 'kubelet_certificate_manager_server_rotation_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'How old the serving certificate was that was replaced, counted from its notBefore.',
    labels: {},
    buckets: ageBuckets,
    read: ({ server }) => (isThere(server) ? server.replacedAges : undefined),
  },
  state: {
    name: 'kube_cert_rotation_state',
    type: 'gauge',
    help: 'Rotations in each of the five states.',
    labels: { state: stateNames },
    read: ({ states }) => each('state', stateNames, states),
  },
  usable: {
    name: 'kube_cert_rotation_usable',
    type: 'gauge',
    help: 'Rotations with a certificate that works: within its time, and not rejected by the server.',
    labels: {},
    read: ({ usable }) => one(usable),
  },
  failing: {
    name: 'kube_cert_rotation_failing',
    type: 'gauge',
    help: 'Rotations whose last attempt failed and is repeated.',
    labels: {},
    read: ({ failing }) => one(failing),
  },
  lifeLeft: {
    name: 'kube_cert_rotation_life_left_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'The part of the life of the certificate in use that is left, 1 to 0; of several the smallest.',
    labels: {},
    read: ({ lifeLeft }) => (O.isSome(lifeLeft) ? one(lifeLeft.value) : []),
  },
  nextRenewal: {
    name: 'kube_cert_rotation_next_renewal_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the certificate in use is to be renewed, since the Unix epoch; of several the earliest.',
    labels: {},
    read: ({ nextRenewal }) => timestamp(nextRenewal),
  },
  lastSuccess: {
    name: 'kube_cert_rotation_last_success_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the certificate in use was received, since the Unix epoch; of several the latest.',
    labels: {},
    read: ({ lastSuccess }) => timestamp(lastSuccess),
  },
  renewals: {
    name: 'kube_cert_rotation_installed_total',
    type: 'counter',
    help: 'Certificates that were stored and put to use.',
    labels: {},
    read: ({ tally }) => one(tally.installed),
  },
  submitted: {
    name: 'kube_cert_rotation_requests_submitted_total',
    type: 'counter',
    help: 'CertificateSigningRequests that the API took, those that were taken up again included.',
    labels: {},
    read: ({ tally }) => one(tally.submitted),
  },
  requests: {
    name: 'kube_cert_rotation_requests_total',
    type: 'counter',
    help: 'CertificateSigningRequests that came to an end, by how they ended.',
    labels: { outcome: requestOutcomes },
    read: ({ tally }) => each('outcome', requestOutcomes, tally.outcomes),
  },
  failures: {
    name: 'kube_cert_rotation_failures_total',
    type: 'counter',
    help: 'Attempts that failed, by kind; the reason in the log.',
    labels: { reason: failureTags },
    read: ({ tally }) => each('reason', failureTags, tally.failures),
  },
  clockSkew: {
    name: 'kube_cert_rotation_clock_skew_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: "The API server's clock minus ours, as last seen; 0 within a minute; of several the farthest from 0.",
    labels: {},
    read: ({ clockSkew }) => one(clockSkew / second),
  },
  connections: {
    name: 'kube_cert_rotation_connections',
    type: 'gauge',
    help: 'Connections that follow the rotation, by the certificate that they carry: the current one, an earlier one, or none.',
    labels: { certificate: connectionKinds },
    read: ({ connections }) => each('certificate', connectionKinds, connections),
  },
  hookRuns: {
    name: 'kube_cert_rotation_hook_runs_total',
    type: 'counter',
    help: 'Runs of hooks after a renewal, by how they ended.',
    labels: { outcome: hookOutcomes },
    read: ({ hooks }) => each('outcome', hookOutcomes, hooks?.runs),
  },
  hooksFailing: {
    name: 'kube_cert_rotation_hooks_failing',
    type: 'gauge',
    help: 'Hooks whose last run failed and is repeated.',
    labels: {},
    read: ({ hooks }) => (hooks === undefined ? [] : one(hooks.failing)),
  },
  eventLoopDelay: {
    name: 'kube_cert_rotation_event_loop_delay_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'How late the event loop of the process was in the last minute or two.',
    labels: { statistic: ['mean', 'p99', 'max'] },
    read: ({ eventLoopDelay }) => each('statistic', ['mean', 'p99', 'max'], eventLoopDelay),
  },
} as const satisfies Readonly<Record<string, Metric>>

export const allMetrics: ReadonlyArray<Metric> = Object.values(metrics)
