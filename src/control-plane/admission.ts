import * as O from 'fp-ts/lib/Option.js'
import { clientSigner, kubeletClientSigner, kubeletServingSigner } from '../model/template.js'
import { nodeNameOf, type User } from './access.js'
import type { RequestedNames } from './kubelet.js'

/**
 * Why a new request is refused, although its sender may create requests; none when it is admitted. Sources:
 * plugin/pkg/admission/noderestriction/admission.go (`admitCSR`, 1.31 on), then
 * plugin/pkg/admission/certificates/subjectrestriction/admission.go.
 */
export const admissionRefusal = (user: User, signerName: string, names: RequestedNames): O.Option<string> => {
  const nodeName = nodeNameOf(user)
  const isKubelets = signerName === kubeletClientSigner || signerName === kubeletServingSigner
  if (nodeName !== undefined && isKubelets && names.commonName !== `system:node:${nodeName}`) {
    return O.some(`can only create a node CSR with CN=system:node:${nodeName}`)
  }
  if (signerName === clientSigner && names.organizations.includes('system:masters')) {
    return O.some(`use of ${clientSigner} signer with system:masters group is not allowed`)
  }
  return O.none
}
