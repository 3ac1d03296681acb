import { randomInt } from 'node:crypto'
import { type ApiClient, ensure } from './api-client.js'

// What kubeadm sets up for joining nodes: cmd/kubeadm/app/phases/bootstraptoken.

const RBAC = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'

/** The group that kubeadm gives its bootstrap tokens, and binds the roles to. */
export const NODE_TOKEN_GROUP = 'system:bootstrappers:kubeadm:default-node-token'

const bindings = [
  ['kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', NODE_TOKEN_GROUP],
  [
    'kubeadm:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    NODE_TOKEN_GROUP,
  ],
  [
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    'system:nodes',
  ],
] as const

/** Binds the cluster roles that let bootstrap tokens post requests and have nodes' requests approved. */
export const bindBootstrapRoles = async (admin: ApiClient): Promise<void> => {
  for (const [name, role, group] of bindings) {
    await ensure(admin, RBAC, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
    })
  }
}

/** Removes `nodeclient` and `selfnodeclient` approval, so that requests wait for a person. */
export const unbindApproval = async (admin: ApiClient): Promise<void> => {
  for (const [name] of bindings.slice(1)) await admin('DELETE', `${RBAC}/${name}`)
}

export interface BootstrapTokenOptions {
  /** A UTC instant in milliseconds; a day from now if not given. */
  readonly expires?: number
  readonly groups?: readonly string[]
}

const characters = (count: number): string =>
  Array.from({ length: count }, () => randomInt(36).toString(36)).join('')

/** Creates a bootstrap token, as `kubeadm token create` does, and answers it: `abcdef.0123456789abcdef`. */
export const createBootstrapToken = async (
  admin: ApiClient,
  { expires = Date.now() + 24 * 60 * 60 * 1000, groups = [NODE_TOKEN_GROUP] }: BootstrapTokenOptions = {},
): Promise<string> => {
  const [id, secret] = [characters(6), characters(16)]
  // The API server makes this namespace by itself, but may be ready before.
  await ensure(admin, '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'kube-system' },
  })
  await ensure(admin, '/api/v1/namespaces/kube-system/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: `bootstrap-token-${id}` },
    stringData: {
      'token-id': id,
      'token-secret': secret,
      expiration: new Date(expires).toISOString().replace(/\.\d+Z$/, 'Z'),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': groups.join(','),
    },
  })
  return `${id}.${secret}`
}
