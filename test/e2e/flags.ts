import type { KubernetesVersion } from './assets.js'

// Flags that Kubernetes 1.20 to 1.36 and etcd 3.4 to 3.6 all know; where they differ, the version decides.

type Flags = Readonly<Record<string, string>>

/** Where the components find each other and their files, all of them paths in one folder. */
export interface Layout {
  readonly ports: {
    readonly etcd: number
    readonly peer: number
    readonly api: number
    readonly manager: number
  }
  readonly path: (name: string) => string
  readonly auditLog: string
}

/** What a test may want different. */
export interface ClusterOptions {
  /** How long the signer's certificates are good for, as Go writes durations. */
  readonly clusterSigningDuration: string
  /** Serve `certificates.k8s.io/v1`? Without it, up to 1.21, `v1beta1` is left. */
  readonly certificatesV1: boolean
}

export const etcdFlags = ({ ports, path }: Layout): Flags => {
  const [client, peer] = [`https://127.0.0.1:${ports.etcd}`, `https://127.0.0.1:${ports.peer}`]
  return {
    name: 'e2e',
    'data-dir': path('etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `e2e=${peer}`,
    'client-cert-auth': 'true',
    'cert-file': path('server.crt'),
    'key-file': path('server.key'),
    'trusted-ca-file': path('ca.crt'),
    'peer-client-cert-auth': 'true',
    'peer-cert-file': path('server.crt'),
    'peer-key-file': path('server.key'),
    'peer-trusted-ca-file': path('ca.crt'),
  }
}

export const apiServerFlags = ({ ports, path, auditLog }: Layout, options: ClusterOptions): Flags => ({
  'bind-address': '127.0.0.1',
  'advertise-address': '127.0.0.1',
  'secure-port': `${ports.api}`,
  // 127.0.0.1 cannot be an endpoint of a Service
  'endpoint-reconciler-type': 'none',
  'service-cluster-ip-range': '10.0.0.0/24',
  'cert-dir': path('apiserver'),
  'tls-cert-file': path('apiserver.crt'),
  'tls-private-key-file': path('apiserver.key'),
  'client-ca-file': path('client-ca-bundle.crt'),
  'etcd-servers': `https://127.0.0.1:${ports.etcd}`,
  'etcd-cafile': path('ca.crt'),
  'etcd-certfile': path('server.crt'),
  'etcd-keyfile': path('server.key'),
  'authorization-mode': 'Node,RBAC',
  'enable-bootstrap-token-auth': 'true',
  'enable-admission-plugins': 'NodeRestriction',
  'service-account-issuer': 'https://kubernetes.default.svc',
  'service-account-signing-key-file': path('service-account.key'),
  'service-account-key-file': path('service-account.pub'),
  'audit-policy-file': path('audit-policy.yaml'),
  'audit-log-path': auditLog,
  'audit-log-maxsize': '100000', // MB: one file, never rotated
  ...(options.certificatesV1 ? {} : { 'runtime-config': 'certificates.k8s.io/v1=false' }),
})

export const controllerManagerFlags = (
  { ports, path }: Layout,
  options: ClusterOptions,
  version: KubernetesVersion,
): Flags => ({
  // Up to 1.22 there is also a port without TLS, and it is the same for everybody.
  ...(version.minor <= 22 ? { port: '0' } : {}),
  'bind-address': '127.0.0.1',
  'secure-port': `${ports.manager}`,
  'tls-cert-file': path('server.crt'),
  'tls-private-key-file': path('server.key'),
  kubeconfig: path('controller-manager.kubeconfig'),
  'leader-elect': 'false',
  controllers: 'csrapproving,csrsigning,csrcleaner',
  'use-service-account-credentials': 'true',
  'service-account-private-key-file': path('service-account.key'),
  'root-ca-file': path('ca.crt'),
  'cluster-signing-cert-file': path('client-ca.crt'),
  'cluster-signing-key-file': path('client-ca.key'),
  'cluster-signing-duration': options.clusterSigningDuration,
})
