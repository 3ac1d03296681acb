import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { signing, validity } from '../../src/control-plane/index.js'
import { createCertificate, type ParsedRequest } from '../crypto/index.js'
import { endOf, newSerialNumber } from './ca.js'
import { addCondition, type Manager } from './manager.js'
import { has, type SigningRequest } from './signing-request.js'

export const toBeSigned = (request: SigningRequest): boolean =>
  has(request, 'Approved') &&
  !has(request, 'Denied') &&
  !has(request, 'Failed') &&
  request.status.certificate === ''

/** Signs an approved request, fails it, or leaves it to another signer. `still` finds it again after the signing. */
export const sign = async (
  manager: Manager,
  request: SigningRequest,
  parsed: ParsedRequest,
  still: (request: SigningRequest) => SigningRequest | undefined,
): Promise<void> => {
  const { storage, now, tell } = manager
  const { name } = request.metadata
  const { signerName, usages, expirationSeconds } = request.spec
  const decision = signing({ signerName, usages, names: parsed })
  if (decision._tag === 'NotOurs') return
  if (decision._tag === 'Fail') {
    const { reason, message } = decision
    addCondition(manager, request, { type: 'Failed', status: 'True', reason, message })
    tell({ _tag: 'Failed', at: now(), name, message })
    return
  }
  const authority = manager.authority()
  const dates = validity({
    now: now(),
    signingDuration: manager.signingDuration,
    expirationSeconds: O.fromNullable(expirationSeconds),
    authorityEnd: endOf(authority),
    flavour: manager.flavour,
  })
  const notSigned = (reason: string): void => tell({ _tag: 'NotSigned', at: now(), name, reason })
  if (E.isLeft(dates)) return notSigned(dates.left)
  const serialNumber = newSerialNumber()
  const certificate = await createCertificate(authority, {
    ...parsed,
    ...dates.right,
    serialNumber,
    usages: decision.usages,
  })()
  const current = still(request)
  if (current === undefined || !toBeSigned(current)) return
  if (E.isLeft(certificate)) return notSigned(certificate.left.message)
  const base64 = Buffer.from(certificate.right).toString('base64')
  storage.update(current, { ...current, status: { ...current.status, certificate: base64 } })
  tell({ _tag: 'Issued', at: now(), name, serialNumber, notAfter: dates.right.notAfter })
}
