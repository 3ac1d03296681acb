import * as O from 'fp-ts/lib/Option.js'
import { kubeletClientSigner } from '../model/template.js'
import { kubeletClientDefect, type RequestedNames } from './kubelet.js'

/** A request as the approver sees it: what it asks for, and who posted it. */
export interface RequestToApprove {
  readonly signerName: string
  readonly usages: ReadonlyArray<string>
  readonly names: RequestedNames
  /** `spec.username`, which the API server filled in. */
  readonly username: string
}

/** What the requester must be allowed to `create` under `certificatesigningrequests/` in `certificates.k8s.io`. */
export type ApprovalSubresource = 'selfnodeclient' | 'nodeclient'

export type Approval =
  | { readonly _tag: 'Approve'; readonly reason: 'AutoApproved'; readonly message: string }
  /** No recogniser knows it: it stays Pending without a word, until somebody else decides. */
  | { readonly _tag: 'NotRecognised' }
  /** Recognised, and every access review refused: asked again later, never denied. */
  | { readonly _tag: 'Refused'; readonly tried: ReadonlyArray<ApprovalSubresource> }

interface Recogniser {
  readonly subresource: ApprovalSubresource
  readonly recognises: (request: RequestToApprove) => boolean
  readonly message: string
}

const isNodeClient = ({ signerName, names, usages }: RequestToApprove): boolean =>
  signerName === kubeletClientSigner && O.isNone(kubeletClientDefect(names, usages))

const recognisers: ReadonlyArray<Recogniser> = [
  {
    subresource: 'selfnodeclient',
    recognises: (request) => request.username === request.names.commonName && isNodeClient(request),
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  },
  {
    subresource: 'nodeclient',
    recognises: isNodeClient,
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  },
]

/**
 * What the controller manager's approver does with an undecided request, given what an access review of the requester
 * says of each subresource: pkg/controller/certificates/approver/sarapprove.go.
 */
export const approval = (
  request: RequestToApprove,
  mayCreate: (subresource: ApprovalSubresource) => boolean,
): Approval => {
  const recognised = recognisers.filter(({ recognises }) => recognises(request))
  const allowed = recognised.find(({ subresource }) => mayCreate(subresource))
  if (allowed !== undefined) return { _tag: 'Approve', reason: 'AutoApproved', message: allowed.message }
  return recognised.length === 0
    ? { _tag: 'NotRecognised' }
    : { _tag: 'Refused', tried: recognised.map(({ subresource }) => subresource) }
}
