/** Facts, events and the policy as JSON, both ways. Nothing secret is in them: no private key, no token. */
import * as t from 'io-ts'
import { Duration, InstantText, type Json, nullable, orEmpty, orZero } from '../model/codec.js'
import type { Failure, FailureTag, TrustError } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { CertificateTemplate } from '../model/template.js'
import type { RenewalWindow } from '../model/window.js'
import type { Event } from './event.js'
import type { CredentialName, Facts, RequestedRotation } from './facts.js'

const texts = t.readonlyArray(t.string)

const Template = t.exact(CertificateTemplate)

const chain = {
  certificate: t.exact(
    t.intersection([
      t.type({
        commonName: t.string,
        organizations: texts,
        dnsNames: texts,
        ipAddresses: texts,
        uris: texts,
        serialNumber: t.string,
        issuer: t.string,
        keyId: t.string,
        notBefore: InstantText,
        notAfter: InstantText,
        extendedKeyUsages: nullable(texts),
      }),
      t.partial({ keyAlgorithm: t.string }),
    ]),
  ),
  pem: t.string,
}

const checkedChain = {
  ...chain,
  verification: t.union([
    t.strict({ _tag: t.literal('Unchecked') }),
    t.strict({ _tag: t.literal('Verified') }),
    t.strict({ _tag: t.literal('Unverified'), problem: t.string, required: t.boolean }),
  ]),
}

const Held = t.strict({
  ...checkedChain,
  receivedAt: InstantText,
  rejectedAt: nullable(InstantText),
  serverUntrustedAt: nullable(InstantText),
})

const draft = { name: t.string, keyId: t.string, template: Template, pem: t.string }

const Draft = t.strict(draft)

const OutstandingRequest = t.strict({ ...draft, uid: t.string, resourceVersion: t.string })

const FailureTagText: t.Type<FailureTag, string> = t.keyof(
  {
    Unreachable: null,
    ServerUntrusted: null,
    Unavailable: null,
    CredentialRejected: null,
    NoCredential: null,
    Forbidden: null,
    Invalid: null,
    NotServed: null,
    NameTaken: null,
    Unintelligible: null,
    StoreUnreadable: null,
    StoreUnwritable: null,
    StoreLocked: null,
    Malformed: null,
    KeyUnavailable: null,
    TrustUnusable: null,
    Denied: null,
    SignerFailed: null,
    Gone: null,
    Defective: null,
  },
  'kind of failure that this version knows',
)

const failureOf = <Tag>(tag: t.Type<Tag, string>) =>
  t.strict({
    _tag: tag,
    message: t.string,
    remedy: t.string,
    retry: t.keyof({ soon: null, later: null }, 'word for when to try again'),
    retryAfter: nullable(Duration),
  })

const FailureCodec: t.Type<Failure, Json> = failureOf(FailureTagText)

const TrustErrorCodec: t.Type<TrustError, Json> = failureOf(t.literal('TrustUnusable'))

const Credential: t.Type<CredentialName, string> = t.keyof(
  { held: null, bootstrap: null, external: null },
  'name of a credential',
)

const Why: t.Type<RequestedRotation['why'], string> = t.keyof(
  {
    'requested by the embedder': null,
    'the trust changed': null,
    'the certificate came from the kubeconfig': null,
    'there is no certificate where the kubeconfig points': null,
    'a request was already under way': null,
  },
  'reason for a rotation that this version knows',
)

const Requested = t.strict({ why: Why, at: InstantText })

const Window: t.Type<RenewalWindow, Json> = t.strict({
  start: InstantText,
  end: InstantText,
  reason: t.string,
  source: t.string,
})

const Ongoing = t.readonlyArray(
  t.strict({
    since: InstantText,
    last: InstantText,
    times: t.number,
    failure: FailureCodec,
    credential: nullable(Credential),
  }),
)

const NextRequest = t.union([
  t.strict({ _tag: t.literal('Saved'), draft: Draft }),
  t.strict({ _tag: t.literal('Pending'), request: OutstandingRequest }),
  t.strict({ _tag: t.literal('Approved'), request: OutstandingRequest }),
  t.strict({
    _tag: t.literal('Delivered'),
    request: OutstandingRequest,
    delivered: t.strict({ ...checkedChain, receivedAt: InstantText }),
    answers: nullable(Requested),
  }),
])

/** Everything that is known. */
export const FactsCodec: t.Type<Facts, Json> = t.strict({
  wanted: nullable(Template),
  held: nullable(Held),
  next: nullable(NextRequest),
  requested: nullable(Requested),
  window: nullable(Window),
  lastFailure: nullable(
    t.strict({
      at: InstantText,
      delay: Duration,
      attempt: t.number,
      refusals: orZero,
      failure: FailureCodec,
      credential: nullable(Credential),
    }),
  ),
  ongoing: orEmpty(Ongoing),
  submittedAt: nullable(InstantText),
  checkedAt: nullable(InstantText),
  clockSkew: Duration,
})

const Observation = t.union([
  t.strict({ _tag: t.literal('Pending') }),
  t.strict({ _tag: t.literal('Approved') }),
  t.strict({ _tag: t.literal('Issued'), chain: t.strict(checkedChain) }),
  t.strict({ _tag: t.literal('Unverifiable'), chain: t.strict(chain), failure: TrustErrorCodec }),
  t.strict({ _tag: t.literal('Unreadable'), problem: t.string }),
  t.strict({ _tag: t.literal('Denied'), reason: t.string, message: t.string }),
  t.strict({ _tag: t.literal('Failed'), reason: t.string, message: t.string }),
  t.strict({ _tag: t.literal('Gone') }),
])

const event = <Tag extends string, Fields extends t.Props>(tag: Tag, fields: Fields) =>
  t.strict({ _tag: t.literal(tag), at: InstantText, ...fields })

/** One thing that became known. */
export const EventCodec: t.Type<Event, Json> = t.union([
  event('Loaded', { held: nullable(Held), draft: nullable(Draft) }),
  event('Submitted', {
    request: OutstandingRequest,
    credential: Credential,
    serverTime: nullable(InstantText),
  }),
  event('SubmitFailed', { draft: nullable(Draft), credential: Credential, failure: FailureCodec }),
  event('Observed', { uid: t.string, observation: Observation }),
  event('ObserveFailed', { uid: t.string, credential: Credential, failure: FailureCodec }),
  event('Installed', { keyId: t.string }),
  event('InstallFailed', { keyId: t.string, failure: FailureCodec }),
  event('ProbeFailed', { keyId: t.string, failure: FailureCodec }),
  event('TemplateChanged', { template: nullable(Template) }),
  event('RotationRequested', { why: Why }),
  event('WindowSuggested', { window: nullable(Window) }),
  event('CredentialAccepted', { keyId: t.string }),
  t.exact(
    t.intersection([
      t.type({ _tag: t.literal('CredentialRejected'), at: InstantText, keyId: t.string }),
      t.partial({ why: t.string }),
    ]),
  ),
])

const Backoff = t.strict({ initial: Duration, maximum: Duration })

/** How a certificate is kept alive. */
export const PolicyCodec: t.Type<RotationPolicy, Json> = t.strict({
  rotate: t.boolean,
  authenticateWith: t.keyof({ held: null, external: null }, 'way to authenticate'),
  renewFrom: t.number,
  renewTo: t.number,
  minimumUsefulLifetime: Duration,
  submitInterval: Duration,
  retrySoon: Backoff,
  retryLater: Backoff,
  longestDelay: Duration,
  probeInterval: Duration,
})
