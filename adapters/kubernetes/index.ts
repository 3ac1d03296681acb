export type { Access, Cluster, Credential } from '../kubeconfig/cluster.js'
export { decodeKubeconfig, type Kubeconfig } from '../kubeconfig/decode.js'
export type { ClusterEntry, Material, UserEntry } from '../kubeconfig/entries.js'
export { type ExistingKubeconfig, existingKubeconfig } from '../kubeconfig/preferred.js'
export type { KubeconfigError } from '../kubeconfig/problem.js'
export {
  accessFromKubeconfig,
  accessOf,
  clusterFromKubeconfig,
  clusterOf,
  credentialOf,
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
