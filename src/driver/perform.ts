/** How an action becomes events: what is asked of which port, and in which order. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as T from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Action } from '../machine/action.js'
import type { News, Observation, Outcome } from '../machine/event.js'
import type { CredentialName, Held } from '../machine/facts.js'
import { textFromBase64 } from '../model/base64.js'
import { type CryptoError, type Failure, failure, type Interrupted } from '../model/failure.js'
import { defaultKeyAlgorithm } from '../model/key-algorithm.js'
import { type Condition, type Draft, identityOf, nameOf } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type {
  CertificateSigningRequests,
  CertificateStore,
  Clock,
  CryptoBackend,
  Identity,
  KeyHandle,
  RenewalWindows,
  Submission,
  TrustAnchors,
} from '../ports.js'
import type { Signal } from '../signal.js'
import type { Keyring } from './keyring.js'
import type { Limit, Limits } from './limits.js'
import { readiness, verificationOf } from './verify.js'

/** The outside, as one value. */
export interface Ports {
  readonly clock: Clock
  readonly crypto: CryptoBackend
  readonly store: CertificateStore
  readonly requests: CertificateSigningRequests
  /**
   * Takes the server and the CA of the bootstrap kubeconfig into the kubeconfig that uses the certificate, after requests
   * with it were answered. Absent: there is no such kubeconfig.
   */
  readonly adoptCluster?: TE.TaskEither<Failure, void>
  /** Absent: certificates are not compared to any CA. */
  readonly trust?: TrustAnchors
  /** Absent: nobody suggests when to renew. */
  readonly windows?: RenewalWindows
}

/** What becomes known. */
export type Fact = Outcome | News

/** Everything an action can need besides itself. */
export interface Means {
  readonly ports: Ports
  readonly keys: Keyring
  readonly held: O.Option<Held>
  readonly limits: Readonly<Record<keyof Limits, Limit>>
  /** Given when another action is next, or the rotation is to end: cuts short everything but an installation. */
  readonly signal: Signal
}

/** Performs an action; no facts when it was cut short. There is nothing to perform in a `Wait`. */
export const perform = (
  means: Means,
  action: Exclude<Action, { readonly _tag: 'Wait' }>,
): T.Task<ReadonlyArray<Fact>> => {
  switch (action._tag) {
    case 'Submit':
      return submit(means, action)
    case 'Observe':
      return observe(means, action)
    case 'Install':
      return install(means, action)
    case 'Probe':
      return probe(means, action)
  }
}
type Of<Tag extends Action['_tag']> = Extract<Action, { readonly _tag: Tag }>

/** The key and its request are on disk before they are sent, so that a lost answer is no lost request. */
const submit = (means: Means, action: Of<'Submit'>): T.Task<ReadonlyArray<Fact>> => {
  const { keys, limits, ports, signal } = means
  const { credential } = action
  const failedWith =
    (draft: O.Option<Draft>) =>
    (problem: Failure | Interrupted): ReadonlyArray<Fact> =>
      problem._tag === 'Interrupted' ? [] : [{ _tag: 'SubmitFailed', draft, credential, failure: problem }]
  const send = (draft: Draft) =>
    pipe(
      TE.fromEither(identify(means, credential)),
      TE.chainW((identity) => limits.handshakes(ports.requests.submit(identity, draft, signal))),
      TE.mapLeft(failedWith(O.some(draft))),
      TE.chainTaskK((submission) => submitted(ports, draft, credential, submission)),
    )
  return pipe(
    readiness(ports),
    TE.chainW(() => limits.keys(prepare(ports.crypto, keys, action.template, action.draft))),
    TE.chainFirstW(({ draft, key }) =>
      pipe(
        key.forStorage,
        TE.chainW((stored) => limits.installs(ports.store.saveRequest({ draft, key: stored }))),
        TE.orElseFirstIOK(() => () => keys.abandon(key)),
      ),
    ),
    TE.mapLeft(failedWith(action.draft)),
    TE.chain(({ draft, key }) => {
      keys.keep(key)
      return send(draft)
    }),
    TE.toUnion,
  )
}

/** The request that was kept, if its key is in memory; otherwise a new key and a request signed by it. */
const prepare = (
  crypto: CryptoBackend,
  keys: Keyring,
  template: CertificateTemplate,
  kept: O.Option<Draft>,
): TE.TaskEither<CryptoError, { readonly draft: Draft; readonly key: KeyHandle }> => {
  const known = O.isSome(kept) ? keys.key(kept.value.keyId) : undefined
  if (O.isSome(kept) && known !== undefined) return TE.right({ draft: kept.value, key: known })
  return pipe(
    TE.Do,
    TE.bind('key', () => crypto.generateKey(template.keyAlgorithm ?? defaultKeyAlgorithm)),
    TE.bind('pem', ({ key }) =>
      pipe(
        key.createRequest(template),
        TE.orElseFirstIOK(() => () => keys.abandon(key)),
      ),
    ),
    TE.bind('hash', ({ key }) => TE.fromTask(crypto.sha256(identityOf(key.id, template)))),
    TE.map(({ key, pem, hash }) => ({ key, draft: { name: nameOf(hash), keyId: key.id, template, pem } })),
  )
}

const identify = ({ held, keys }: Means, name: CredentialName): E.Either<Failure, Identity> => {
  if (name === 'bootstrap') return E.right({ _tag: 'Bootstrap' })
  if (name === 'external') return E.right({ _tag: 'External' })
  const credential = O.isSome(held) ? keys.credential(held.value.certificate) : undefined
  return credential === undefined
    ? E.left(
        failure(
          'NoCredential',
          'soon',
          'there is no certificate to authenticate with',
          'supply a bootstrap kubeconfig',
        ),
      )
    : E.right({ _tag: 'Held', credential })
}

const submitted = (
  ports: Ports,
  draft: Draft,
  credential: CredentialName,
  { uid, resourceVersion, condition, serverTime }: Submission,
): T.Task<ReadonlyArray<Fact>> => {
  const fact: Fact = {
    _tag: 'Submitted',
    request: { ...draft, uid, resourceVersion },
    credential,
    serverTime,
  }
  // A request that was there already may have come further than a watch from its version would tell.
  return condition._tag === 'Pending'
    ? T.of([fact])
    : pipe(
        observationOf(ports, condition),
        T.map((observation) => [fact, { _tag: 'Observed', uid, observation }]),
      )
}

const observe = (
  means: Means,
  { request, known, credential }: Of<'Observe'>,
): T.Task<ReadonlyArray<Fact>> => {
  const { uid } = request
  return pipe(
    TE.fromEither(identify(means, credential)),
    TE.chainW((identity) => means.ports.requests.observe(identity, request, known, means.signal)),
    TE.matchE(
      (problem) =>
        T.of<ReadonlyArray<Fact>>(
          problem._tag === 'Interrupted'
            ? []
            : [{ _tag: 'ObserveFailed', uid, credential, failure: problem }],
        ),
      (condition) =>
        pipe(
          observationOf(means.ports, condition),
          T.map((observation): ReadonlyArray<Fact> => [{ _tag: 'Observed', uid, observation }]),
        ),
    ),
  )
}

/** What a condition says, its certificate read and compared to the CAs that are known. */
const observationOf = (
  ports: Ports,
  condition: Condition | { readonly _tag: 'Gone' },
): T.Task<Observation> => {
  if (condition._tag !== 'Issued') return T.of(condition)
  return pipe(
    ports.crypto.parseChain(textFromBase64(condition.certificate)),
    TE.mapLeft(({ message }): Observation => ({ _tag: 'Unreadable', problem: message })),
    TE.chain((chain) =>
      pipe(
        verificationOf(ports, chain.pem),
        TE.bimap(
          (problem): Observation => ({ _tag: 'Unverifiable', chain, failure: problem }),
          (verification): Observation => ({ _tag: 'Issued', chain: { ...chain, verification } }),
        ),
      ),
    ),
    TE.toUnion,
  )
}

const install = (
  { keys, limits, ports }: Means,
  { delivered }: Of<'Install'>,
): T.Task<ReadonlyArray<Fact>> => {
  const { certificate, pem, receivedAt } = delivered
  const { keyId } = certificate
  const missing = failure(
    'KeyUnavailable',
    'soon',
    `the private key ${keyId} is not in memory`,
    'restart the agent',
  )
  return pipe(
    TE.fromNullable(missing)(keys.key(keyId)),
    TE.chain((key) => key.forStorage),
    TE.chainW((key) => limits.installs(ports.store.install({ certificate, pem, key, receivedAt }))),
    TE.match(
      (problem): ReadonlyArray<Fact> => [{ _tag: 'InstallFailed', keyId, failure: problem }],
      () => [{ _tag: 'Installed', keyId }],
    ),
  )
}

const probe = (means: Means, { keyId }: Of<'Probe'>): T.Task<ReadonlyArray<Fact>> =>
  pipe(
    TE.fromEither(identify(means, 'held')),
    TE.chainW((identity) => means.limits.handshakes(means.ports.requests.probe(identity, means.signal))),
    TE.match(
      (problem): ReadonlyArray<Fact> =>
        problem._tag === 'Interrupted' ? [] : [{ _tag: 'ProbeFailed', keyId, failure: problem }],
      () => [{ _tag: 'CredentialAccepted', keyId }],
    ),
  )
