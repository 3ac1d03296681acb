import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../helper/index.js'
import type { Cluster } from './cluster.js'
import type { BootstrapTokenOptions } from './kubeadm.js'

/** A machine that is to join the cluster: a name, a bootstrap token, and a folder for its files. */
export interface Node {
  readonly name: string
  readonly folder: string
  readonly certDir: string
  readonly kubeconfig: string
  readonly bootstrapKubeconfig: string
  /** The link to the pair in use. */
  readonly currentPair: string
  /** Whom its requests come from: the bootstrap token's user, and later `system:node:NAME`. */
  readonly users: { readonly bootstrap: string; readonly node: string }
}

let count = 0

/** Who a bootstrap token is. */
export const userOf = (token: string): string => `system:bootstrap:${token.slice(0, 6)}`

/** Prepares a node; its files go with the cluster's. `token`: that of others, in place of one of its own. */
export const prepareNode = async (
  cluster: Cluster,
  options: BootstrapTokenOptions & { readonly token?: string } = {},
): Promise<Node> => {
  count += 1
  const name = `node-${count}`
  const folder = await mkdtemp(join(cluster.folder, `${name}-`))
  const token = options.token ?? (await cluster.createBootstrapToken(options))
  const certDir = join(folder, 'pki')
  return {
    name,
    folder,
    certDir,
    kubeconfig: join(folder, 'kubelet.conf'),
    bootstrapKubeconfig: await cluster.writeKubeconfig(`bootstrap-${name}`, { token }),
    currentPair: join(certDir, 'kubelet-client-current.pem'),
    users: { bootstrap: userOf(token), node: `system:node:${name}` },
  }
}

/** Puts another token into the bootstrap kubeconfig, as configuration management does under a running agent. */
export const replaceToken = async (cluster: Cluster, node: Node): Promise<{ readonly user: string }> => {
  const token = await cluster.createBootstrapToken()
  await cluster.writeKubeconfig(`bootstrap-${node.name}`, { token })
  return { user: userOf(token) }
}

/** The certificate in use, and the key beside it, as they lie on disk. */
export const readPair = async (
  node: Node,
): Promise<{ readonly certificate: X509Certificate; readonly key: KeyObject }> => {
  const pem = await readFile(node.currentPair, 'utf8')
  return { certificate: new X509Certificate(pem), key: createPrivateKey(pem) }
}

/** The dated pair files of the certificate directory, the oldest first. */
export const pairFiles = async (node: Node): Promise<readonly string[]> =>
  (await readdir(node.certDir)).filter((name) => /^kubelet-client-\d.*\.pem$/.test(name)).sort()

/** What the agent (and not kubectl) has asked the API for as this node, from `since` (a UTC instant in ms) on. */
export const requestsSpent = async (cluster: Cluster, node: Node, since = 0): Promise<readonly string[]> =>
  (await cluster.auditLog())
    .filter(({ userAgent, received }) => userAgent === 'kube-cert-rotation' && received >= since)
    .flatMap(({ username, verb, resource, uri }) => {
      const who =
        username === node.users.node ? 'node' : username === node.users.bootstrap ? 'token' : undefined
      return who === undefined ? [] : [`${who}: ${verb} ${resource ?? uri}`]
    })

/** Waits until the agent watches its request with the token; only then nothing that is taken away keeps it from it. */
export const watching = async (cluster: Cluster, node: Node): Promise<void> => {
  await eventually(`${node.name} watches its request`, async () =>
    (await requestsSpent(cluster, node)).includes('token: watch certificatesigningrequests'),
  )
}
