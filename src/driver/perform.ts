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
import type { KeyId } from '../model/certificate.js'
import { type CryptoError, type Failure, failure } from '../model/failure.js'
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
import { fail, ok, steps } from '../steps.js'
import { abandon, credentialOf, type Keyring, keep, keyOf } from './keyring.js'
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
const submit =
  (means: Means, { credential, template, draft: kept }: Of<'Submit'>): T.Task<ReadonlyArray<Fact>> =>
  async () => {
    const { keys, limits, ports, signal } = means
    let saved = kept
    const outcome = await steps(async function* () {
      yield* ok(readiness(ports))
      const { draft, key } = yield* ok(limits.keys(prepare(ports.crypto, keys, template, kept)))
      yield* ok(orAbandon(keys, key, save(means, draft, key)))
      keep(keys, key)
      saved = O.some(draft)
      const identity = yield* ok(identify(means, credential))
      const submission = yield* ok(limits.handshakes(ports.requests.submit(identity, draft, signal)))
      return await submitted(ports, draft, credential, submission)()
    })()
    if (E.isRight(outcome)) return outcome.right
    return outcome.left._tag === 'Interrupted'
      ? []
      : [{ _tag: 'SubmitFailed', draft: saved, credential, failure: outcome.left }]
  }

/** A key of which nothing comes is forgotten. */
const orAbandon = <Problem, A>(
  keys: Keyring,
  key: KeyHandle,
  step: TE.TaskEither<Problem, A>,
): TE.TaskEither<Problem, A> =>
  pipe(
    step,
    TE.orElseFirstIOK(() => () => abandon(keys, key)),
  )

const save = ({ limits, ports }: Means, draft: Draft, key: KeyHandle) =>
  steps(async function* () {
    const stored = yield* ok(key.forStorage)
    yield* ok(limits.installs(ports.store.saveRequest({ draft, key: stored })))
  })

/** The request that was kept, if its key is in memory; otherwise a new key and a request signed by it. */
const prepare = (
  crypto: CryptoBackend,
  keys: Keyring,
  template: CertificateTemplate,
  kept: O.Option<Draft>,
): TE.TaskEither<CryptoError, { readonly draft: Draft; readonly key: KeyHandle }> =>
  steps(async function* () {
    const known = O.isSome(kept) ? keyOf(keys, kept.value.keyId) : undefined
    if (O.isSome(kept) && known !== undefined) return { draft: kept.value, key: known }
    const key = yield* ok(crypto.generateKey(template.keyAlgorithm ?? defaultKeyAlgorithm))
    const pem = yield* ok(orAbandon(keys, key, key.createRequest(template)))
    const hash = await crypto.sha256(identityOf(key.id, template))()
    return { key, draft: { name: nameOf(hash), keyId: key.id, template, pem } }
  })

const identify = ({ held, keys }: Means, name: CredentialName): E.Either<Failure, Identity> => {
  if (name === 'bootstrap') return E.right({ _tag: 'Bootstrap' })
  if (name === 'external') return E.right({ _tag: 'External' })
  const credential = O.isSome(held) ? credentialOf(keys, held.value.certificate) : undefined
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

const observe =
  (means: Means, { request, known, credential }: Of<'Observe'>): T.Task<ReadonlyArray<Fact>> =>
  async () => {
    const { uid } = request
    const outcome = await steps(async function* () {
      const identity = yield* ok(identify(means, credential))
      return yield* ok(means.ports.requests.observe(identity, request, known, means.signal))
    })()
    if (E.isRight(outcome))
      return [{ _tag: 'Observed', uid, observation: await observationOf(means.ports, outcome.right)() }]
    return outcome.left._tag === 'Interrupted'
      ? []
      : [{ _tag: 'ObserveFailed', uid, credential, failure: outcome.left }]
  }

/** What a condition says, its certificate read and compared to the CAs that are known. */
const observationOf = (
  ports: Ports,
  condition: Condition | { readonly _tag: 'Gone' },
): T.Task<Observation> => {
  if (condition._tag !== 'Issued') return T.of(condition)
  return TE.toUnion(
    steps(async function* () {
      const chain = yield* ok(
        pipe(
          ports.crypto.parseChain(textFromBase64(condition.certificate)),
          TE.mapLeft(({ message }): Observation => ({ _tag: 'Unreadable', problem: message })),
        ),
      )
      const verification = yield* ok(
        pipe(
          verificationOf(ports, chain.pem),
          TE.mapLeft((problem): Observation => ({ _tag: 'Unverifiable', chain, failure: problem })),
        ),
      )
      return { _tag: 'Issued', chain: { ...chain, verification } }
    }),
  )
}

const install =
  ({ keys, limits, ports }: Means, { delivered }: Of<'Install'>): T.Task<ReadonlyArray<Fact>> =>
  async () => {
    const { certificate, pem, receivedAt } = delivered
    const { keyId } = certificate
    const outcome = await steps(async function* () {
      const handle = keyOf(keys, keyId)
      if (handle === undefined) return yield* fail(notInMemory(keyId))
      const key = yield* ok(handle.forStorage)
      return yield* ok(limits.installs(ports.store.install({ certificate, pem, key, receivedAt })))
    })()
    return E.isRight(outcome)
      ? [{ _tag: 'Installed', keyId }]
      : [{ _tag: 'InstallFailed', keyId, failure: outcome.left }]
  }

const notInMemory = (keyId: KeyId): CryptoError =>
  failure('KeyUnavailable', 'soon', `the private key ${keyId} is not in memory`, 'restart the agent')

const probe =
  (means: Means, { keyId }: Of<'Probe'>): T.Task<ReadonlyArray<Fact>> =>
  async () => {
    const { limits, ports, signal } = means
    const outcome = await steps(async function* () {
      const identity = yield* ok(identify(means, 'held'))
      yield* ok(limits.handshakes(ports.requests.probe(identity, signal)))
    })()
    if (E.isRight(outcome)) return [{ _tag: 'CredentialAccepted', keyId }]
    return outcome.left._tag === 'Interrupted' ? [] : [{ _tag: 'ProbeFailed', keyId, failure: outcome.left }]
  }
