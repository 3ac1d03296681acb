/** Connections and watches that rotations of one process have in common, by the credential they ask with. */
import * as O from 'fp-ts/lib/Option.js'
import type { CertificateSigningRequests } from '../../src/ports.js'
import {
  type CertificateSigningRequestsOptions,
  type Cluster,
  certificateSigningRequests,
  type KubernetesApi,
} from '../kubernetes/index.js'
import type { Accesses } from './kubeconfigs.js'

/** Where the API is, and the credentials to ask with besides the certificate itself. */
export type Access = Partial<CertificateSigningRequestsOptions> & Pick<Accesses, 'cluster'>

export interface SharedRequests {
  /** The requests with the credential of this name. */
  readonly of: (
    name: string,
    access: Access,
  ) => { readonly requests: CertificateSigningRequests; readonly leave: () => void }
  /** The same cluster, in one copy for all: its CAs are as large as what is known of a rotation. */
  readonly one: (cluster: Cluster) => Cluster
}

export const sharedRequests = (): SharedRequests => {
  const open = new Map<string, { readonly requests: KubernetesApi; users: number }>()
  let last: Cluster | undefined
  return {
    one: (cluster) => {
      if (last === undefined || !isSameCluster(last, cluster)) last = cluster
      return last
    },
    of: (name, access) => {
      const found = open.get(name) ?? { requests: certificateSigningRequests(access), users: 0 }
      found.users += 1
      open.set(name, found)
      const leave = () => {
        found.users -= 1
        if (found.users > 0) return
        open.delete(name)
        found.requests.close()
      }
      return { requests: found.requests, leave }
    },
  }
}

export const isSameCluster = (one: Cluster, other: Cluster): boolean =>
  one.server === other.server &&
  one.insecureSkipTlsVerify === other.insecureSkipTlsVerify &&
  O.toUndefined(one.certificateAuthority) === O.toUndefined(other.certificateAuthority) &&
  O.toUndefined(one.tlsServerName) === O.toUndefined(other.tlsServerName) &&
  O.toUndefined(one.proxyUrl)?.reveal() === O.toUndefined(other.proxyUrl)?.reveal()
