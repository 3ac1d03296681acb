import { mkdir, writeFile } from 'node:fs/promises'
import {
  type Authority,
  type CertificateSpec,
  createAuthority,
  createSigningKey,
  issue,
  type KeyPair,
} from './pki.js'

/** The certificates and keys of a cluster, written where the components' flags point. */
export interface Material {
  /** The CA of the servers' certificates, PEM. */
  readonly ca: string
  /** That, and the one that takes its place for the API server: what the tests' own clients and components trust. */
  readonly everyCa: string
  /** The CA of the API server's certificate now, PEM. */
  readonly serverAuthority: () => string
  /** Writes a certificate of another CA, of the same name, in the place of the API server's. */
  readonly replaceServerAuthority: () => Promise<void>
  readonly server: KeyPair
  /** A member of `system:masters`. */
  readonly administrator: KeyPair
  readonly controllerManager: KeyPair
  readonly clientAuthority: () => Authority
  /** Writes another CA for clients' certificates in the place of the present one. */
  readonly replaceClientAuthority: (spec?: Partial<CertificateSpec>) => Promise<void>
}

const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [{ level: 'Metadata' }],
})

/**
 * Makes it all. There are three CAs, where kubeadm has one: the servers' certificates, the administrator's and
 * the controller manager's survive when a test replaces the CA that signs for clients, and etcd's also when it replaces
 * that of the API server's certificate.
 */
export const createMaterial = async (path: (name: string) => string): Promise<Material> => {
  const write = (name: string, text: string): Promise<void> => writeFile(path(name), text, { mode: 0o600 })

  const servers = createAuthority({ commonName: 'e2e-servers' })
  const operators = createAuthority({ commonName: 'e2e-operators' })
  // Another name: without key identifiers OpenSSL tries only the first CA of a name.
  const successor = createAuthority({ commonName: 'e2e-servers-successor' })
  const issueServer = (authority: Authority): KeyPair =>
    issue(authority, {
      commonName: 'kube-apiserver',
      dnsNames: ['localhost', 'kubernetes', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1'],
    })
  const server = issueServer(servers)
  const serviceAccounts = createSigningKey()
  await mkdir(path('home'))
  await write('ca.crt', servers.certificate)
  await write('server.crt', server.certificate)
  await write('server.key', server.key)
  let apiAuthority = servers
  const writeApiServer = async ({ certificate, key }: KeyPair): Promise<void> => {
    await write('apiserver.crt', certificate)
    await write('apiserver.key', key)
  }
  await writeApiServer(server)
  await write('service-account.key', serviceAccounts.privateKey)
  await write('service-account.pub', serviceAccounts.publicKey)
  await write('audit-policy.yaml', AUDIT_POLICY)

  let clients = createAuthority({ commonName: 'kubernetes' })
  const writeClientAuthority = async (): Promise<void> => {
    await write('client-ca.crt', clients.certificate)
    await write('client-ca.key', clients.key)
    await write('client-ca-bundle.crt', operators.certificate + clients.certificate)
  }
  await writeClientAuthority()

  return {
    ca: servers.certificate,
    everyCa: servers.certificate + successor.certificate,
    serverAuthority: () => apiAuthority.certificate,
    replaceServerAuthority: async () => {
      apiAuthority = successor
      await writeApiServer(issueServer(successor))
    },
    server,
    administrator: issue(operators, { commonName: 'admin', organizations: ['system:masters'] }),
    controllerManager: issue(operators, { commonName: 'system:kube-controller-manager' }),
    clientAuthority: () => clients,
    replaceClientAuthority: async (spec) => {
      clients = createAuthority({ commonName: clients.commonName, ...spec })
      await writeClientAuthority()
    },
  }
}
