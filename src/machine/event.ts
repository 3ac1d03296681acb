import type { Option } from 'fp-ts/lib/Option.js'
import type { CertificateChain, CheckedChain, KeyId } from '../model/certificate.js'
import type { Failure, TrustError } from '../model/failure.js'
import type { Draft, OutstandingRequest } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant } from '../model/time.js'
import type { RenewalWindow } from '../model/window.js'
import type { CredentialName, Held, RequestedRotation } from './facts.js'

/** One thing that became known, and when (our wall clock). */
export type Event = { readonly at: Instant } & (Outcome | News)

/** What an action came to. */
export type Outcome =
  /** What was found in the store at the start. */
  | { readonly _tag: 'Loaded'; readonly held: Option<Held>; readonly draft: Option<Draft> }
  /** The API has our request: it is new, or was there already and is ours. */
  | {
      readonly _tag: 'Submitted'
      readonly request: OutstandingRequest
      readonly credential: CredentialName
      /** The server's clock (`Date`, whole seconds), where it said. */
      readonly serverTime: Option<Instant>
    }
  /** `draft`: what was saved before it failed. */
  | {
      readonly _tag: 'SubmitFailed'
      readonly draft: Option<Draft>
      readonly credential: CredentialName
      readonly failure: Failure
    }
  /** The request with this uid, and what became of it. */
  | { readonly _tag: 'Observed'; readonly uid: string; readonly observation: Observation }
  | {
      readonly _tag: 'ObserveFailed'
      readonly uid: string
      readonly credential: CredentialName
      readonly failure: Failure
    }
  | { readonly _tag: 'Installed'; readonly keyId: KeyId }
  | { readonly _tag: 'InstallFailed'; readonly keyId: KeyId; readonly failure: Failure }
  /** A probe got no answer, or the certificate was rejected. */
  | { readonly _tag: 'ProbeFailed'; readonly keyId: KeyId; readonly failure: Failure }

/** What can be seen of a request. */
export type Observation =
  | { readonly _tag: 'Pending' }
  | { readonly _tag: 'Approved' }
  | { readonly _tag: 'Issued'; readonly chain: CheckedChain }
  /** Issued, and the CAs that it has to chain to cannot be read. */
  | { readonly _tag: 'Unverifiable'; readonly chain: CertificateChain; readonly failure: TrustError }
  /** Issued, and what is attached cannot be read as certificates. */
  | { readonly _tag: 'Unreadable'; readonly problem: string }
  | { readonly _tag: 'Denied'; readonly reason: string; readonly message: string }
  | { readonly _tag: 'Failed'; readonly reason: string; readonly message: string }
  /** There is no request of this name and uid any more. */
  | { readonly _tag: 'Gone' }

/** What comes from outside, at any time. */
export type News =
  | { readonly _tag: 'TemplateChanged'; readonly template: Option<CertificateTemplate> }
  | { readonly _tag: 'RotationRequested'; readonly why: RequestedRotation['why'] }
  /** When the certificate held should be renewed, as somebody suggests; none: nobody suggests anything (any more). */
  | { readonly _tag: 'WindowSuggested'; readonly window: Option<RenewalWindow> }
  /** A server accepted (200) or rejected (401, `system:anonymous`, a TLS alert) the certificate with this key. */
  | { readonly _tag: 'CredentialAccepted'; readonly keyId: KeyId }
  | { readonly _tag: 'CredentialRejected'; readonly keyId: KeyId; readonly why?: string }
