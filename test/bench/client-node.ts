/** client-node in the connections benchmark, for whichever of its versions: as it comes, and following. */
import { kubeConfig } from '../../adapters/connections/client-node.js'
import type { ClientNode } from '../adapters/connections/client-node.js'
import type { Pair } from '../adapters/connections/pki.js'
import { type Contender, fixed, followed } from './sides.js'
import type { Client } from './stacks.js'
import type { Target } from './target.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** The text of a kubeconfig; JSON is YAML. */
const kubeconfigOf = ({ url, ca }: Target, pair?: Pair): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: 'u',
        user:
          pair === undefined
            ? {}
            : { 'client-certificate-data': base64(pair.pem), 'client-key-data': base64(pair.key) },
      },
    ],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

/**
 * As it comes, client-node opens a connection for each request. An embedder loads the kubeconfig once and for all, or
 * loads the file again when it has changed, which the generated APIs take notice of.
 */
export const clientNodeSides = (k8s: ClientNode): ReadonlyArray<Contender> => {
  const configOf = (target: Target, pair?: Pair) => {
    const config = new k8s.KubeConfig()
    config.loadFromString(kubeconfigOf(target, pair))
    return config
  }
  const clientOf = (config: InstanceType<ClientNode['KubeConfig']>, { path }: Target): Client => {
    const core = config.makeApiClient(k8s.CoreV1Api)
    const [, node] = /\/nodes\/(.+)$/.exec(path) ?? []
    return {
      get: async () =>
        node === undefined
          ? core.readNamespacedPodLog({ name: 'pod', namespace: 'default' })
          : ((await core.readNode({ name: node })).metadata?.name ?? ''),
    }
  }
  const open = (target: Target, pair: Pair) => clientOf(configOf(target, pair), target)
  return [
    fixed({ fixed: open }, 'as it comes, kubeconfig loaded once'),
    {
      name: 'as it comes, loaded again each time',
      start: (target, pair) => {
        const config = configOf(target, pair)
        return {
          ...clientOf(config, target),
          change: (next) => config.loadFromString(kubeconfigOf(target, next)),
        }
      },
    },
    followed({ followed: (following, target) => clientOf(kubeConfig(following, configOf(target)), target) }),
  ]
}
