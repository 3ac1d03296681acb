export type { Access, AccessSource, Cluster } from '../kubeconfig/cluster.js'
export { decodeKubeconfig, type Kubeconfig } from '../kubeconfig/decode.js'
export type { ClusterEntry, Material, UserEntry } from '../kubeconfig/entries.js'
export { type InCluster, inCluster } from '../kubeconfig/in-cluster.js'
export { type ExistingKubeconfig, existingKubeconfig } from '../kubeconfig/preferred.js'
export type { KubeconfigError } from '../kubeconfig/problem.js'
export {
  accessFromKubeconfig,
  clusterFromKubeconfig,
  clusterOf,
  credentialOf,
  type KubeconfigPath,
  loadKubeconfig,
} from '../kubeconfig/read.js'
export { kubeconfigText, type WrittenKubeconfig, writeKubeconfig } from '../kubeconfig/write.js'
export { run } from '../platform/promise.js'
export {
  type CertificateSigningRequestsOptions,
  certificateSigningRequests,
  type KubernetesApi,
  nothingSeen,
  type Seen,
} from './api.js'
export { type NodeAddressesOptions, nodeAddresses } from './node-addresses.js'
export { onDemand } from './on-demand.js'
export type { Sleep } from './sleep.js'
export { defaultTimeouts, type Timeouts } from './timeouts.js'
