import type { RequestedNames } from '../../../src/control-plane/index.js'

/** What a kubelet called `worker-1` asks to be named in its client certificate. */
export const workerNames: RequestedNames = {
  commonName: 'system:node:worker-1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  emailAddresses: [],
}

export const clientUsages = ['digital signature', 'key encipherment', 'client auth']
export const servingUsages = ['digital signature', 'key encipherment', 'server auth']
