import { approval, permitted, servingVerdict } from '../../src/control-plane/index.js'
import type { ParsedRequest } from '../crypto/index.js'
import { addCondition, type Manager } from './manager.js'
import { has, type SigningRequest } from './signing-request.js'

export const undecided = (request: SigningRequest): boolean =>
  !has(request, 'Approved') && !has(request, 'Denied') && request.status.certificate === ''

/** Approves or denies an undecided request, or leaves it as it is. */
export const approve = (manager: Manager, request: SigningRequest, parsed: ParsedRequest): void => {
  const { now, tell, servingPolicy } = manager
  const { name } = request.metadata
  const { _tag, reason, message } = servingVerdict(servingPolicy(), { ...request.spec, names: parsed })
  if (_tag === 'NoOpinion') {
    approveClient(manager, request, parsed)
    return
  }
  const type = _tag === 'Approve' ? 'Approved' : 'Denied'
  addCondition(manager, request, { type, status: 'True', reason, message })
  tell(
    type === 'Approved' ? { _tag: type, at: now(), name } : { _tag: type, at: now(), name, reason, message },
  )
}

/** The approver of the controller manager. */
const approveClient = (manager: Manager, request: SigningRequest, parsed: ParsedRequest): void => {
  const { now, tell, bindings } = manager
  const { name } = request.metadata
  const { signerName, usages, username, groups } = request.spec
  const decision = approval({ signerName, usages, names: parsed, username }, (subresource) =>
    permitted(
      bindings,
      { name: username, groups },
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
  if (decision._tag !== 'Approve') return
  const { reason, message } = decision
  addCondition(manager, request, { type: 'Approved', status: 'True', reason, message })
  tell({ _tag: 'Approved', at: now(), name })
}
