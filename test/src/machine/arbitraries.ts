/** Any facts, events and policies there can be, for fast-check; whether they fit together does not matter. */
import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import type { Event, Observation } from '../../../src/machine/event.js'
import type {
  CredentialName,
  Delivered,
  Facts,
  Held,
  NextRequest,
  RequestedRotation,
} from '../../../src/machine/facts.js'
import type { Certificate, CheckedChain, Verification } from '../../../src/model/certificate.js'
import type { Failure, FailureTag, TrustError } from '../../../src/model/failure.js'
import { keyAlgorithms } from '../../../src/model/key-algorithm.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { Draft, OutstandingRequest } from '../../../src/model/request.js'
import type { CertificateTemplate } from '../../../src/model/template.js'
import { type Instant, instant, type Milliseconds } from '../../../src/model/time.js'
import type { RenewalWindow } from '../../../src/model/window.js'

const text = fc.string({ unit: 'binary', maxLength: 12 })
const texts = fc.array(text, { maxLength: 3 })
const maybe = <A>(some: fc.Arbitrary<A>): fc.Arbitrary<O.Option<A>> => fc.option(some).map(O.fromNullable)

const instants: fc.Arbitrary<Instant> = fc
  .oneof(
    fc.integer({ min: Date.UTC(2020), max: Date.UTC(2040) }),
    fc.constantFrom(0, -1, -8_640_000_000_000_000, 8_640_000_000_000_000),
  )
  .map(instant)

/** Also an infinite one, and none at all. */
const durations: fc.Arbitrary<Milliseconds> = fc.oneof(
  fc.integer(),
  fc.constantFrom(0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)

const names = {
  commonName: text,
  organizations: texts,
  dnsNames: texts,
  ipAddresses: texts,
  uris: texts,
}

const template: fc.Arbitrary<CertificateTemplate> = fc.record(
  {
    ...names,
    signerName: text,
    usages: texts,
    expirationSeconds: fc.nat(),
    keyAlgorithm: fc.constantFrom(...keyAlgorithms),
  },
  {
    requiredKeys: ['commonName', 'organizations', 'dnsNames', 'ipAddresses', 'uris', 'signerName', 'usages'],
  },
)

const certificateParts = {
  ...names,
  serialNumber: text,
  issuer: text,
  keyId: text,
  notBefore: instants,
  notAfter: instants,
  extendedKeyUsages: maybe(texts),
}
const certificate: fc.Arbitrary<Certificate> = fc.oneof(
  fc.record(certificateParts),
  fc.record({ ...certificateParts, keyAlgorithm: text }),
)

const verification: fc.Arbitrary<Verification> = fc.oneof(
  fc.constant({ _tag: 'Unchecked' } as const),
  fc.constant({ _tag: 'Verified' } as const),
  fc.record({ _tag: fc.constant('Unverified' as const), problem: text, required: fc.boolean() }),
)

const chain: fc.Arbitrary<CheckedChain> = fc.record({ certificate, pem: text, verification })
const held: fc.Arbitrary<Held> = fc.record({
  certificate,
  pem: text,
  verification,
  receivedAt: instants,
  rejectedAt: maybe(instants),
  serverUntrustedAt: maybe(instants),
})
const delivered: fc.Arbitrary<Delivered> = fc.record({
  certificate,
  pem: text,
  verification,
  receivedAt: instants,
})

const draft: fc.Arbitrary<Draft> = fc.record({ name: text, keyId: text, template, pem: text })
const request: fc.Arbitrary<OutstandingRequest> = fc.record({
  name: text,
  keyId: text,
  template,
  pem: text,
  uid: text,
  resourceVersion: text,
})

const tags: ReadonlyArray<FailureTag> = [
  'Unreachable',
  'ServerUntrusted',
  'Unavailable',
  'CredentialRejected',
  'NoCredential',
  'Forbidden',
  'Invalid',
  'NotServed',
  'NameTaken',
  'Unintelligible',
  'StoreUnreadable',
  'StoreUnwritable',
  'StoreLocked',
  'Malformed',
  'KeyUnavailable',
  'TrustUnusable',
  'Denied',
  'SignerFailed',
  'Gone',
  'Defective',
]

const failureOf = <Tag extends FailureTag>(...known: ReadonlyArray<Tag>): fc.Arbitrary<Failure<Tag>> =>
  fc.record({
    _tag: fc.constantFrom(...known),
    message: text,
    remedy: text,
    retry: fc.constantFrom('soon' as const, 'later' as const),
    retryAfter: maybe(durations),
  })
const failure: fc.Arbitrary<Failure> = failureOf(...tags)
const trustError: fc.Arbitrary<TrustError> = failureOf('TrustUnusable')

const credential: fc.Arbitrary<CredentialName> = fc.constantFrom('held', 'bootstrap', 'external')

const why: fc.Arbitrary<RequestedRotation['why']> = fc.constantFrom(
  'requested by the embedder',
  'the trust changed',
  'the certificate came from the kubeconfig',
  'there is no certificate where the kubeconfig points',
  'a request was already under way',
)
const requested: fc.Arbitrary<RequestedRotation> = fc.record({ why, at: instants })

const window: fc.Arbitrary<RenewalWindow> = fc.record({
  start: instants,
  end: instants,
  reason: text,
  source: text,
})

const next: fc.Arbitrary<NextRequest> = fc.oneof(
  fc.record({ _tag: fc.constant('Saved' as const), draft }),
  fc.record({ _tag: fc.constantFrom('Pending' as const, 'Approved' as const), request }),
  fc.record({ _tag: fc.constant('Delivered' as const), request, delivered, answers: maybe(requested) }),
)

export const facts: fc.Arbitrary<Facts> = fc.record({
  wanted: maybe(template),
  held: maybe(held),
  next: maybe(next),
  requested: maybe(requested),
  window: maybe(window),
  lastFailure: maybe(
    fc.record({
      at: instants,
      delay: durations,
      attempt: fc.nat(),
      refusals: fc.nat(),
      failure,
      credential: maybe(credential),
    }),
  ),
  ongoing: fc.array(
    fc.record({ since: instants, last: instants, times: fc.nat(), failure, credential: maybe(credential) }),
    { maxLength: 3 },
  ),
  submittedAt: maybe(instants),
  checkedAt: maybe(instants),
  clockSkew: fc.integer(),
})

const observation: fc.Arbitrary<Observation> = fc.oneof(
  fc.record({ _tag: fc.constantFrom('Pending' as const, 'Approved' as const, 'Gone' as const) }),
  fc.record({ _tag: fc.constant('Issued' as const), chain }),
  fc.record({
    _tag: fc.constant('Unverifiable' as const),
    chain: fc.record({ certificate, pem: text }),
    failure: trustError,
  }),
  fc.record({ _tag: fc.constant('Unreadable' as const), problem: text }),
  fc.record({ _tag: fc.constantFrom('Denied' as const, 'Failed' as const), reason: text, message: text }),
)

const at = instants
const keyId = text
const uid = text

/** One of each kind of event; none can be forgotten. */
export const events: {
  readonly [Tag in Event['_tag']]: fc.Arbitrary<Extract<Event, { readonly _tag: Tag }>>
} = {
  Loaded: fc.record({ _tag: fc.constant('Loaded'), at, held: maybe(held), draft: maybe(draft) }),
  Submitted: fc.record({
    _tag: fc.constant('Submitted'),
    at,
    request,
    credential,
    serverTime: maybe(instants),
  }),
  SubmitFailed: fc.record({
    _tag: fc.constant('SubmitFailed'),
    at,
    draft: maybe(draft),
    credential,
    failure,
  }),
  Observed: fc.record({ _tag: fc.constant('Observed'), at, uid, observation }),
  ObserveFailed: fc.record({ _tag: fc.constant('ObserveFailed'), at, uid, credential, failure }),
  Installed: fc.record({ _tag: fc.constant('Installed'), at, keyId }),
  InstallFailed: fc.record({ _tag: fc.constant('InstallFailed'), at, keyId, failure }),
  ProbeFailed: fc.record({ _tag: fc.constant('ProbeFailed'), at, keyId, failure }),
  TemplateChanged: fc.record({ _tag: fc.constant('TemplateChanged'), at, template: maybe(template) }),
  RotationRequested: fc.record({ _tag: fc.constant('RotationRequested'), at, why }),
  WindowSuggested: fc.record({ _tag: fc.constant('WindowSuggested'), at, window: maybe(window) }),
  CredentialAccepted: fc.record({ _tag: fc.constant('CredentialAccepted'), at, keyId }),
  CredentialRejected: fc.record(
    { _tag: fc.constant('CredentialRejected'), at, keyId, why: text },
    { requiredKeys: ['_tag', 'at', 'keyId'] },
  ),
}

const backoff = fc.record({ initial: durations, maximum: durations })

export const policy: fc.Arbitrary<RotationPolicy> = fc.record({
  rotate: fc.boolean(),
  authenticateWith: fc.constantFrom('held', 'external'),
  renewFrom: fc.double({ min: 0.1, max: 0.5, noNaN: true }),
  renewTo: fc.double({ min: 0.5, max: 0.9, noNaN: true }),
  minimumUsefulLifetime: durations,
  submitInterval: durations,
  retrySoon: backoff,
  retryLater: backoff,
  longestDelay: durations,
  probeInterval: durations,
})
