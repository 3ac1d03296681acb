import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { kubeConfig, trustOf } from '../../../../adapters/connections/client-node.js'
import { follow, type Sources } from '../../../../adapters/connections/index.js'
import type { Example } from './example.js'

export const overClientNode = (
  { credentials }: Required<Pick<Sources, 'credentials' | 'trust'>>,
  url: string,
  ca: string,
): Example => {
  const config = new KubeConfig()
  const caData = Buffer.from(ca).toString('base64')
  config.loadFromClusterAndUser({ name: 'one', server: url, caData, skipTLSVerify: false }, { name: 'one' })
  // README: @kubernetes/client-node
  kubeConfig(follow({ credentials, trust: trustOf(config) }), config)
  const core = config.makeApiClient(CoreV1Api)
  const ask = () => core.readNamespacedPodLog({ name: 'one', namespace: 'default' })
  // end
  return { ask, close: () => {} }
}
