import * as O from 'fp-ts/lib/Option.js'
import { clientSigner, kubeletClientSigner, kubeletServingSigner } from '../model/template.js'
import { kubeletClientDefect, kubeletServingDefect, type RequestedNames } from './kubelet.js'

/** An approved request as the signers see it. */
export interface RequestToSign {
  readonly signerName: string
  readonly usages: ReadonlyArray<string>
  readonly names: RequestedNames
}

export type Signing =
  /** Subject and SANs as requested, these usages, `CA:FALSE`, and nothing else of the request. */
  | { readonly _tag: 'Sign'; readonly usages: ReadonlyArray<string> }
  /** Becomes the condition `Failed`, which ends the request. */
  | { readonly _tag: 'Fail'; readonly reason: 'SignerValidationFailure'; readonly message: string }
  /** Somebody else's signer, or one that only `v1beta1` knows. */
  | { readonly _tag: 'NotOurs' }

type Defect = (request: RequestToSign) => O.Option<string>

const clientDefect: Defect = ({ usages }) => {
  const extra = usages.find(
    (usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage),
  )
  if (extra !== undefined) return O.some(`invalid usage for client certificate: ${extra}`)
  return usages.includes('client auth')
    ? O.none
    : O.some('missing required usage for client certificate: client auth')
}

const signers: ReadonlyMap<string, Defect> = new Map([
  [kubeletClientSigner, ({ names, usages }) => kubeletClientDefect(names, usages)],
  [kubeletServingSigner, ({ names, usages }) => kubeletServingDefect(names, usages)],
  [clientSigner, clientDefect],
])

/**
 * What the controller manager's signers do with an approved request: pkg/controller/certificates/signer/signer.go.
 */
export const signing = (request: RequestToSign): Signing => {
  const defect = signers.get(request.signerName)
  if (defect === undefined) return { _tag: 'NotOurs' }
  const found = defect(request)
  if (O.isSome(found)) return { _tag: 'Fail', reason: 'SignerValidationFailure', message: found.value }
  return { _tag: 'Sign', usages: request.usages }
}
