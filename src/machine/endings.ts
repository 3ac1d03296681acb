/** What became of a request, when it is not a certificate: for people, and for the pause that follows. */
import { type Failure, failure } from '../model/failure.js'
import type { Approved, Pending } from './state.js'

/** An approver or the signer said no. */
export const refusal = (
  { request }: Pending | Approved,
  {
    _tag,
    reason,
    message,
  }: { readonly _tag: 'Denied' | 'Failed'; readonly reason: string; readonly message: string },
): Failure => {
  const said = [reason, message].filter((text) => text !== '').join(': ') || 'no reason given'
  return _tag === 'Denied'
    ? failure(
        'Denied',
        'later',
        `request ${request.name} was denied (${said})`,
        'find out who denied it and why; a new request with a new key follows',
      )
    : failure(
        'SignerFailed',
        'later',
        `the signer ${request.template.signerName} failed request ${request.name} (${said})`,
        "compare the request with the signer's rules (subject, SANs, usages); a new request with a new key follows",
      )
}

/** There is no such request any more. */
export const gone = ({ request }: Pending | Approved): Failure =>
  failure(
    'Gone',
    'soon',
    `request ${request.name} vanished before it was issued`,
    'approve it in time (the controller manager deletes undecided requests after 24 hours); it is sent again with the same key',
  )

/** The API told of a change that is none. */
export const nothingNew = ({ request, _tag }: Pending | Approved): Failure =>
  failure(
    'Unintelligible',
    'soon',
    `the API answered that request ${request.name} changed, and it has not (it is ${_tag} still, or again)`,
    'look at what lies between this machine and the API server; the request is watched again',
  )

/** Something was issued that is not worth having. */
export const defective = ({ request }: Pending | Approved, problem: string): Failure =>
  failure(
    'Defective',
    'later',
    `the certificate of request ${request.name} was not taken: ${problem}`,
    `look at the signer ${request.template.signerName}, its CA, its signing duration and the clocks; a new request with a new key follows`,
  )
