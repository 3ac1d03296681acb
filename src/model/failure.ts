import * as O from 'fp-ts/lib/Option.js'
import { printable } from './printable.js'
import type { Draft } from './request.js'
import type { Milliseconds } from './time.js'

/**
 * Something that did not work: what was being done to what, what a person can do about it, and when trying again is
 * worth it. Data, decided where the failure is understood; the machine only reads it.
 */
export interface Failure<Tag extends string = FailureTag> {
  readonly _tag: Tag
  /** What was being done, to what, and how it failed; a clause without capital and full stop. No secret in it. */
  readonly message: string
  /** What a person can do about it; a clause likewise, to stand after a semicolon. */
  readonly remedy: string
  /** `soon`: it may pass by itself (network, overload, disk). `later`: somebody said no, or has to act. */
  readonly retry: 'soon' | 'later'
  /** What the server asked for (`Retry-After`), in ms; the machine caps it. */
  readonly retryAfter: O.Option<Milliseconds>
}

/** What the CertificateSigningRequest API, or the way to it, answers. */
export type ApiError = Failure<
  | 'Unreachable' // no answer: DNS, TCP, TLS of the server, time-out
  | 'ServerUntrusted' // the certificate of the server does not chain to the CA of the kubeconfig
  | 'Unavailable' // 429, 5xx
  | 'CredentialRejected' // 401, 403 for system:anonymous, a TLS alert about our certificate
  | 'NoCredential' // there is no such credential, or it does not parse
  | 'Forbidden' // 403 for somebody it knows
  | 'Invalid' // 400, 413, 422: the request itself
  | 'NotServed' // 404 for the resource: no certificates.k8s.io here
  | 'NameTaken' // 409, and it is not our request
  | 'Unintelligible' // an answer that is not the API's
>

/** What the certificate store answers. */
export type StoreError = Failure<'StoreUnreadable' | 'StoreUnwritable' | 'StoreLocked'>

/** What the crypto backend answers. */
export type CryptoError = Failure<'Malformed' | 'KeyUnavailable'>

/** What comes of reading the CAs that certificates have to chain to. */
export type TrustError = Failure<'TrustUnusable'>

/** What an output answers. */
export type OutputError = Failure<'OutputUnwritable'>

/** What keeps the addresses of a node from being known. */
export type AddressError = Failure<'AddressesUnknown'>

/** It is not known when a renewal is suggested. `retryAfter`: when to ask again. */
export type WindowError = Failure<'WindowUnknown'>

/** A wait was cut short by its signal. Not a failure. */
export interface Interrupted {
  readonly _tag: 'Interrupted'
}
export const interrupted: Interrupted = { _tag: 'Interrupted' }

/** Every failure there is: those of the ports, and what the machine makes of a request's end. */
export type FailureTag =
  | ApiError['_tag']
  | StoreError['_tag']
  | CryptoError['_tag']
  | TrustError['_tag']
  | 'Denied' // by an approver
  | 'SignerFailed' // condition Failed
  | 'Gone' // deleted before it was issued
  | 'Defective' // issued, and not what was asked for

/** A failure, by its parts. Its message is made fit to be printed: much of it is what others said. */
export const failure = <Tag extends string>(
  tag: Tag,
  retry: Failure['retry'],
  message: string,
  remedy: string,
  retryAfter: O.Option<Milliseconds> = O.none,
): Failure<Tag> => ({ _tag: tag, message: printable(message), remedy, retry, retryAfter })

/** An approver denied the request, or its signer failed it. */
export const requestDenied = (
  { name, template }: Draft,
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
        `request ${name} was denied (${said})`,
        'find out who denied it and why; a new request with a new key follows',
      )
    : failure(
        'SignerFailed',
        'later',
        `the signer ${template.signerName} failed request ${name} (${said})`,
        "compare the request with the signer's rules (subject, SANs, usages); a new request with a new key follows",
      )
}

/** The request was deleted before a certificate was issued. */
export const requestGone = ({ name }: Draft): Failure =>
  failure(
    'Gone',
    'soon',
    `request ${name} vanished before it was issued`,
    'approve it in time (the controller manager deletes undecided requests after 24 hours); it is sent again with the same key',
  )

/** The API reported a change of the request that is none. */
export const nothingNew = ({ name }: Draft, condition: 'Pending' | 'Approved'): Failure =>
  failure(
    'Unintelligible',
    'soon',
    `the API answered that request ${name} changed, and it has not (it is ${condition} still, or again)`,
    'look at what lies between this machine and the API server; the request is watched again',
  )

/** A certificate was issued that is not worth having. */
export const certificateDefective = ({ name, template }: Draft, problem: string): Failure =>
  failure(
    'Defective',
    'later',
    `the certificate of request ${name} was not taken: ${problem}`,
    `look at the signer ${template.signerName}, its CA, its signing duration and the clocks; a new request with a new key follows`,
  )
