import type { IO } from 'fp-ts/lib/IO.js'
import {
  approval,
  permitted,
  type RequestToApprove,
  type ServingPolicy,
  servingVerdict,
} from '../../src/control-plane/index.js'
import type { ParsedRequest } from '../crypto/index.js'
import { addCondition, type Manager } from './manager.js'
import { has, type SigningRequest } from './signing-request.js'

/** A request as an approver of one's own sees it. */
export interface RequestToDecide extends Omit<RequestToApprove, 'names'> {
  /** `metadata.name` */
  readonly name: string
  /** The groups of who posted it. */
  readonly groups: ReadonlyArray<string>
  /** What the PKCS#10 request in it asks for, its signature checked. */
  readonly names: ParsedRequest
  /** `spec.expirationSeconds` */
  readonly expirationSeconds: number | undefined
}

/** What an approver says of a request: `reason` is a word for programs, `message` a sentence for people. */
export type Verdict =
  | { readonly _tag: 'Approve'; readonly reason?: string; readonly message?: string }
  | { readonly _tag: 'Deny'; readonly reason: string; readonly message: string }
  /** Somebody else may decide. */
  | { readonly _tag: 'NoOpinion' }

/** Decides about a request; it is asked again when the request changes or approval is resumed, until it is decided. */
export type Approver = (request: RequestToDecide) => Verdict | Promise<Verdict>

export const undecided = (request: SigningRequest): boolean =>
  !has(request, 'Approved') && !has(request, 'Denied') && request.status.certificate === ''

/** Decides about serving certificates of declared nodes. */
export const servingApprover =
  (policy: IO<ServingPolicy>): Approver =>
  (request) =>
    servingVerdict(policy(), request)

/** The approver of the controller manager (pkg/controller/certificates/approver/sarapprove.go). */
export const controllerManager =
  ({ now, tell, bindings }: Manager): Approver =>
  ({ name, groups, ...request }) => {
    const decision = approval(request, (subresource) =>
      permitted(
        bindings,
        { name: request.username, groups },
        {
          _tag: 'Resource',
          verb: 'create',
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          subresource,
        },
      ),
    )
    if (decision._tag === 'Refused') {
      const recognised = `recognized as ${decision.tried.join(' and ')}`
      const reason = `${recognised} but subject access review was not approved`
      tell({ _tag: 'NotApproved', at: now(), name, reason })
    }
    return decision._tag === 'Approve' ? decision : { _tag: 'NoOpinion' }
  }

/** What the first of the approvers says that has an opinion; one that throws has none, and that is told. */
export const verdictOf = async (
  { now, tell }: Manager,
  approvers: ReadonlyArray<Approver>,
  request: SigningRequest,
  names: ParsedRequest,
): Promise<Verdict> => {
  const { name } = request.metadata
  const { signerName, usages, username, groups, expirationSeconds } = request.spec
  for (const approver of approvers) {
    try {
      const verdict = await approver({ name, signerName, usages, username, groups, names, expirationSeconds })
      if (verdict._tag !== 'NoOpinion') return verdict
    } catch (error) {
      const reason = `the approver failed: ${error instanceof Error ? error.message : String(error)}`
      tell({ _tag: 'NotApproved', at: now(), name, reason })
    }
  }
  return { _tag: 'NoOpinion' }
}

/** Approves or denies an undecided request as the verdict says, or leaves it as it is. */
export const decide = (manager: Manager, request: SigningRequest, verdict: Verdict): void => {
  const { now, tell } = manager
  const { name } = request.metadata
  if (verdict._tag === 'NoOpinion') return
  const type = verdict._tag === 'Approve' ? 'Approved' : 'Denied'
  const { reason = 'Approved', message = '' } = verdict
  addCondition(manager, request, { type, status: 'True', reason, message })
  tell(
    type === 'Approved' ? { _tag: type, at: now(), name } : { _tag: type, at: now(), name, reason, message },
  )
}
