import type { Option } from 'fp-ts/lib/Option.js'
import type { KeyId } from '../model/certificate.js'
import type { Draft, OutstandingRequest } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant } from '../model/time.js'
import type { CredentialName, Delivered } from './facts.js'

/** What to do next. One at a time. `Observe` and `Wait` give way when something becomes known after which another action is next. */
export type Action =
  /** Make a key and a request for the template, or take the draft; save it; send it. */
  | {
      readonly _tag: 'Submit'
      readonly template: CertificateTemplate
      readonly draft: Option<Draft>
      readonly credential: CredentialName
    }
  /** Wait for the request to be something else than `known`, at most until the instant. */
  | {
      readonly _tag: 'Observe'
      readonly request: OutstandingRequest
      readonly known: 'Pending' | 'Approved'
      readonly credential: CredentialName
      readonly until: Instant
    }
  /** Store the certificate with its key, and switch to it. */
  | { readonly _tag: 'Install'; readonly delivered: Delivered }
  /** Ask the server whether it accepts the held certificate. */
  | { readonly _tag: 'Probe'; readonly keyId: KeyId }
  /** Do nothing until the instant. */
  | { readonly _tag: 'Wait'; readonly until: Instant }
