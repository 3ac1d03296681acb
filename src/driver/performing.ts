/** How an action becomes events: what is asked of which port, and in which order. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import type { News, Observation, Outcome } from '../machine/event.js'
import type { CredentialName, Held } from '../machine/state.js'
import { textFromBase64 } from '../model/base64.js'
import { type CryptoError, type Failure, failure } from '../model/failure.js'
import { type Condition, type Draft, identityOf, nameOf } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import type { Instant } from '../model/time.js'
import type {
  CertificateSigningRequests,
  CertificateStore,
  Clock,
  CryptoBackend,
  Identity,
  KeyHandle,
  TrustAnchors,
} from '../ports.js'
import { interruption, onSignal, type Signal } from '../signal.js'
import type { Keyring } from './keyring.js'
import { readiness, verificationOf } from './verification.js'

/** The outside, as one value. */
export interface Ports {
  readonly clock: Clock
  readonly crypto: CryptoBackend
  readonly store: CertificateStore
  readonly requests: CertificateSigningRequests
  /** Absent: certificates are not compared to any CA. */
  readonly trust?: TrustAnchors
}

type Fact = Outcome | News

/** Everything an action can need besides itself. */
export interface Means {
  readonly ports: Ports
  readonly keys: Keyring
  readonly held: O.Option<Held>
  /** Given when the rotation is to end: cuts short everything but an installation. */
  readonly stop: Signal
  /** Given when there is news, or the rotation is to end: cuts short what waits. */
  readonly news: Signal
  readonly serverTime: (time: Instant) => void
}

/** Performs an action; no facts when it was cut short. */
export const perform = (means: Means, action: Action): Promise<ReadonlyArray<Fact>> => {
  switch (action._tag) {
    case 'Submit':
      return submit(means, action)
    case 'Observe':
      return observe(means, action)
    case 'Install':
      return install(means, action)
    case 'Probe':
      return probe(means, action)
    case 'Wait':
      return waitUntil(means, action.until)
  }
}
type Of<Tag extends Action['_tag']> = Extract<Action, { readonly _tag: Tag }>

/** The key and its request are on disk before they are sent, so that a lost answer is no lost request. */
const submit = async (
  means: Means,
  { template, draft: kept, credential }: Of<'Submit'>,
): Promise<ReadonlyArray<Fact>> => {
  const { crypto, store, requests } = means.ports
  const failed = (problem: Failure, draft: O.Option<Draft>): ReadonlyArray<Fact> => [
    { _tag: 'SubmitFailed', draft, credential, failure: problem },
  ]
  const ready = await readiness(means.ports)
  if (E.isLeft(ready)) return failed(ready.left, kept)
  const prepared = await prepare(crypto, means.keys, template, kept)
  if (E.isLeft(prepared)) return failed(prepared.left, kept)
  const { draft, key } = prepared.right
  const stored = await key.forStorage()
  if (E.isLeft(stored)) return failed(stored.left, kept)
  const saved = await store.saveRequest({ draft, key: stored.right })()
  if (E.isLeft(saved)) return failed(saved.left, kept)
  means.keys.keep(key)
  const identity = identify(means, credential)
  if (E.isLeft(identity)) return failed(identity.left, O.some(draft))
  const answer = await requests.submit(identity.right, draft, means.stop)()
  if (E.isLeft(answer)) return answer.left._tag === 'Interrupted' ? [] : failed(answer.left, O.some(draft))
  const { uid, resourceVersion, condition, serverTime } = answer.right
  if (O.isSome(serverTime)) means.serverTime(serverTime.value)
  const submitted: Fact = {
    _tag: 'Submitted',
    request: { ...draft, uid, resourceVersion },
    credential,
  }
  // A request that was there already may have come further than a watch from its version would tell.
  return condition._tag === 'Pending'
    ? [submitted]
    : [submitted, ...(await seen(means.ports, uid, 'Pending', credential, condition))]
}

const prepare = async (
  crypto: CryptoBackend,
  keys: Keyring,
  template: CertificateTemplate,
  kept: O.Option<Draft>,
): Promise<E.Either<CryptoError, { readonly draft: Draft; readonly key: KeyHandle }>> => {
  const known = O.isSome(kept) ? keys.key(kept.value.keyId) : undefined
  if (O.isSome(kept) && known !== undefined) return E.right({ draft: kept.value, key: known })
  const key = await crypto.generateKey()
  if (E.isLeft(key)) return key
  const pem = await key.right.createRequest(template)()
  if (E.isLeft(pem)) return pem
  const keyId = key.right.id
  const name = nameOf(await crypto.sha256(identityOf(keyId, template))())
  return E.right({ draft: { name, keyId, template, pem: pem.right }, key: key.right })
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

const observe = async (means: Means, action: Of<'Observe'>): Promise<ReadonlyArray<Fact>> => {
  const { request, known, credential, until } = action
  const { uid } = request
  const identity = identify(means, credential)
  if (E.isLeft(identity)) return [{ _tag: 'ObserveFailed', uid, credential, failure: identity.left }]
  const { signal, interrupt } = interruption()
  const forget = onSignal(means.news, interrupt)
  const watching = means.ports.requests.observe(identity.right, request, known, signal)()
  const sleeping = means.ports.clock.sleepUntil(until, signal)()
  await Promise.race([watching, sleeping])
  interrupt()
  forget()
  // Both have ended before anything else is done; what was seen at the last moment still counts.
  const [answer] = await Promise.all([watching, sleeping])
  if (E.isRight(answer)) return seen(means.ports, uid, known, credential, answer.right)
  if (answer.left._tag !== 'Interrupted')
    return [{ _tag: 'ObserveFailed', uid, credential, failure: answer.left }]
  return means.news.aborted ? [] : [{ _tag: 'TimePassed' }]
}

/** What a condition says, its certificate read and compared to the CAs that are known. */
const seen = async (
  ports: Ports,
  uid: string,
  known: 'Pending' | 'Approved',
  credential: CredentialName,
  condition: Condition | { readonly _tag: 'Gone' },
): Promise<ReadonlyArray<Fact>> => {
  const observed = (observation: Observation): Fact => ({ _tag: 'Observed', uid, observation })
  if (condition._tag !== 'Issued') return [observed(condition)]
  const chain = await ports.crypto.parseChain(textFromBase64(condition.certificate))()
  if (E.isLeft(chain)) return [observed({ _tag: 'Unreadable', problem: chain.left.message })]
  const verification = await verificationOf(ports, chain.right.pem)
  if (E.isRight(verification))
    return [observed({ _tag: 'Issued', chain: { ...chain.right, verification: verification.right } })]
  // Nothing is known against the certificate: it stays where it is, at the API, until the CAs can be read.
  const failed: Fact = { _tag: 'ObserveFailed', uid, credential, failure: verification.left }
  return known === 'Pending' ? [observed({ _tag: 'Approved' }), failed] : [failed]
}

const install = async (means: Means, { delivered }: Of<'Install'>): Promise<ReadonlyArray<Fact>> => {
  const { certificate, pem, receivedAt } = delivered
  const { keyId } = certificate
  const failed = (problem: Failure): ReadonlyArray<Fact> => [
    { _tag: 'InstallFailed', keyId, failure: problem },
  ]
  const key = means.keys.key(keyId)
  if (key === undefined)
    return failed(
      failure('KeyUnavailable', 'soon', `the private key ${keyId} is not in memory`, 'restart the agent'),
    )
  const stored = await key.forStorage()
  if (E.isLeft(stored)) return failed(stored.left)
  const done = await means.ports.store.install({ certificate, pem, key: stored.right, receivedAt })()
  return E.isLeft(done) ? failed(done.left) : [{ _tag: 'Installed', keyId }]
}

const probe = async (means: Means, { keyId }: Of<'Probe'>): Promise<ReadonlyArray<Fact>> => {
  const identity = identify(means, 'held')
  if (E.isLeft(identity)) return [{ _tag: 'ProbeFailed', keyId, failure: identity.left }]
  const answer = await means.ports.requests.probe(identity.right, means.stop)()
  if (E.isRight(answer)) return [{ _tag: 'CredentialAccepted', keyId }]
  return answer.left._tag === 'Interrupted' ? [] : [{ _tag: 'ProbeFailed', keyId, failure: answer.left }]
}

const waitUntil = async (means: Means, until: Instant): Promise<ReadonlyArray<Fact>> => {
  await means.ports.clock.sleepUntil(until, means.news)()
  return means.news.aborted ? [] : [{ _tag: 'TimePassed' }]
}
