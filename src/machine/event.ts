import type { Option } from 'fp-ts/lib/Option.js'
import type { CheckedChain, KeyId } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { Draft, OutstandingRequest } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant } from '../model/time.js'
import type { Ask, CredentialName, Held } from './state.js'

/** One fact, and when it was learnt (our wall clock). */
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
  /** A probe got no answer, or a refusal. */
  | { readonly _tag: 'ProbeFailed'; readonly keyId: KeyId; readonly failure: Failure }
  | { readonly _tag: 'TimePassed' }

/** What can be seen of a request. */
export type Observation =
  | { readonly _tag: 'Pending' }
  | { readonly _tag: 'Approved' }
  | { readonly _tag: 'Issued'; readonly chain: CheckedChain }
  /** Issued, and what is attached cannot be read as certificates. */
  | { readonly _tag: 'Unreadable'; readonly problem: string }
  | { readonly _tag: 'Denied'; readonly reason: string; readonly message: string }
  | { readonly _tag: 'Failed'; readonly reason: string; readonly message: string }
  /** There is no request of this name and uid any more. */
  | { readonly _tag: 'Gone' }

/** What comes from outside, at any time. */
export type News =
  | { readonly _tag: 'TemplateChanged'; readonly template: Option<CertificateTemplate> }
  | { readonly _tag: 'RotationAsked'; readonly why: Ask['why'] }
  /** A server accepted (200) or refused (401, `system:anonymous`, a TLS alert) the certificate with this key. */
  | { readonly _tag: 'CredentialAccepted'; readonly keyId: KeyId }
  | { readonly _tag: 'CredentialRejected'; readonly keyId: KeyId; readonly why?: string }
