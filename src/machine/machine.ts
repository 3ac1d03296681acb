/**
 * The machine: `stateOf` says which of the five states the facts are at a time, `decide` what to do next, `evolve` what is
 * known after an event. All three are total and deterministic; they know no clock, no disk and no network. What they ask
 * others stands beside them, a question in each file, named below; `effects.ts` says what follows from a change of the
 * facts.
 *
 * - **Time makes states, events make facts.** A certificate comes due, expires or becomes valid because the clock says
 *   so: `stateOf` sees it, no event is needed. Facts change by events only: what an action came to (`Outcome`) and what
 *   comes from outside (`News`). An event that does not fit (another request's, another key's) leaves them as they are.
 * - **Causes of renewal** (`due.ts`): the template is not satisfied, a rotation was requested, a renewal window says so,
 *   the deadline passed.
 * - **Whose credential is next** (`credential.ts`): the held certificate's while it works, else the bootstrap
 *   credential. While the held one is rejected (401), or its server cannot be verified, they alternate; after a 403, or a
 *   kubeconfig that cannot be read, the other one is next.
 * - **Failures** (`retry.ts`): each moves the next attempt into the future. The key and the request stay after a failure
 *   of the way (401, 403, 429, 5xx, no answer, a full disk), also while Pending, and after `Gone`; a request that was
 *   denied or failed, or came back with a defective certificate (`acceptance.ts`), is given up, and its key with it. What
 *   does not work is known since its beginning (`ongoing.ts`), for people: a probe that gets no answer too, which decides
 *   nothing.
 */
import * as O from 'fp-ts/lib/Option.js'
import { expired, notYetValid } from '../model/certificate.js'
import {
  certificateDefective,
  nothingNew,
  requestDenied,
  requestGone,
  type TrustError,
} from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { type CertificateTemplate, covers, isSameTemplate, missingFrom } from '../model/template.js'
import { earliest, endOfTime, type Instant, minute, wholeSecond } from '../model/time.js'
import { isSameWindow, isWindow } from '../model/window.js'
import { defectsOf } from './acceptance.js'
import type { Action } from './action.js'
import { credentialFor, withAcceptance, withRejection } from './credential.js'
import { causesOf, isUsable, renewalOf } from './due.js'
import type { Event, Observation } from './event.js'
import {
  draftOf,
  type Facts,
  type Held,
  holds,
  isDoubted,
  isServerUntrusted,
  type NextRequest,
  outstanding,
  savedDraft,
  withoutExpired,
  withoutNext,
} from './facts.js'
import { withOngoing } from './ongoing.js'
import { delayEnd, pauseEnd, submitEnd, withFailure, withoutPause, withShorterPause } from './retry.js'
import type { Approved, Bootstrapping, Pending, State } from './state.js'

// Which state it is ------------------------------------------------------------------------------------------------

/** The state of the facts at a time. */
export const stateOf =
  (policy: RotationPolicy) =>
  (known: Facts, now: Instant): State => {
    const facts = withoutExpired(known, now)
    const { held } = facts
    const next = outstanding(facts, now)
    if (next !== undefined) {
      const { request } = next
      return next._tag === 'Delivered'
        ? { _tag: 'Issued', stage: 'delivered', held, request, delivered: next.delivered }
        : { _tag: next._tag, held, request }
    }
    if (O.isNone(held)) return { _tag: 'Bootstrapping', why: 'NoCertificate', held }
    if (!isUsable(policy, held.value, now))
      return { _tag: 'Bootstrapping', why: flawOf(held.value, now), held }
    const [cause, ...causes] = causesOf(policy, facts, now)
    return cause === undefined
      ? { _tag: 'Issued', stage: 'installed', held: held.value }
      : { _tag: 'RenewDue', held: held.value, causes: [cause, ...causes] }
  }

const flawOf = ({ certificate, rejectedAt }: Held, now: Instant): Bootstrapping['why'] => {
  if (expired(certificate, now)) return 'Expired'
  if (notYetValid(certificate, now)) return 'NotYetValid'
  return O.isSome(rejectedAt) ? 'Rejected' : 'ServerUntrusted'
}

// What to do next --------------------------------------------------------------------------------------------------

/** What to do next. */
export const decide =
  (policy: RotationPolicy) =>
  (facts: Facts, now: Instant): Action => {
    const state = stateOf(policy)(facts, now)
    const pause = pauseEnd(policy, facts, now)
    switch (state._tag) {
      case 'Bootstrapping':
        if (O.isNone(facts.wanted) || waitsForItsTime(facts, facts.wanted.value, now))
          return rest(policy, facts, now)
        if (pause !== undefined) return wait(policy, facts, now, pause)
        // With the doubted certificate it is only asked whether it is accepted: a request is for the bootstrap credential.
        return O.isSome(state.held) && isDoubted(facts) && credentialFor(policy, facts, now) === 'held'
          ? { _tag: 'Probe', keyId: state.held.value.certificate.keyId }
          : submit(policy, facts, facts.wanted.value, now)
      case 'RenewDue':
        if (O.isNone(facts.wanted)) return rest(policy, facts, now)
        return pause === undefined
          ? submit(policy, facts, facts.wanted.value, now)
          : pauseWhileItWorks(policy, facts, now, pause)
      case 'Pending':
      case 'Approved':
        return pause === undefined ? observe(policy, facts, state, now) : wait(policy, facts, now, pause)
      case 'Issued': {
        if (state.stage === 'installed') return rest(policy, facts, now)
        const { notBefore, notAfter } = state.delivered.certificate
        if (pause !== undefined) return wait(policy, facts, now, earliest(pause, notAfter))
        const works = O.isSome(state.held) && isUsable(policy, state.held.value, now)
        // One that is not valid yet replaces nothing that works.
        return works && now < notBefore
          ? wait(policy, facts, now, earliest(notBefore, notAfter))
          : { _tag: 'Install', delivered: state.delivered }
      }
    }
  }

/** A certificate whose only flaw is that our clock finds it early: it is offered, and its time will come. */
const waitsForItsTime = (facts: Facts, wanted: CertificateTemplate, now: Instant): boolean =>
  O.isSome(facts.held) &&
  notYetValid(facts.held.value.certificate, now) &&
  !isDoubted(facts) &&
  missingFrom(wanted, facts.held.value.certificate).length === 0

const submit = (
  policy: RotationPolicy,
  facts: Facts,
  template: CertificateTemplate,
  now: Instant,
): Action => {
  const apart = submitEnd(policy, facts, now)
  if (apart !== undefined) return wait(policy, facts, now, apart)
  const credential = credentialFor(policy, facts, now)
  return { _tag: 'Submit', template, draft: savedDraft(facts), credential }
}

const observe = (policy: RotationPolicy, facts: Facts, state: Pending | Approved, now: Instant): Action => {
  const credential = credentialFor(policy, facts, now)
  // When the held certificate expires, whoever uses it is told, and the watch goes on with the bootstrap credential.
  const until =
    O.isSome(state.held) && !expired(state.held.value.certificate, now)
      ? state.held.value.certificate.notAfter
      : endOfTime
  return { _tag: 'Observe', request: state.request, known: state._tag, credential, until }
}

/** Nothing to do until then but to notice the certificate's next moment, and a server that rejects it. */
const rest = (policy: RotationPolicy, facts: Facts, now: Instant, end: Instant = endOfTime): Action => {
  if (O.isNone(facts.held)) return wait(policy, facts, now, end)
  const { notBefore, notAfter, keyId } = facts.held.value.certificate
  let until = earliest(
    end,
    notBefore > now ? earliest(notBefore, notAfter) : notAfter > now ? notAfter : endOfTime,
  )
  if (policy.rotate) {
    const renewal = renewalOf(policy, facts, facts.held.value, now).at
    if (renewal > now) until = earliest(until, renewal)
  }
  if (policy.probeInterval > 0 && policy.authenticateWith === 'held' && now < notAfter) {
    const checked = O.isSome(facts.checkedAt)
      ? delayEnd(facts.checkedAt.value, policy.probeInterval, now)
      : undefined
    if (checked === undefined) return { _tag: 'Probe', keyId }
    until = earliest(until, checked)
  }
  return wait(policy, facts, now, until)
}

/**
 * Where somebody said no, it may be hours until the next attempt: a server that rejects the certificate is noticed
 * meanwhile. What was refused counts as a check.
 */
const pauseWhileItWorks = (policy: RotationPolicy, facts: Facts, now: Instant, end: Instant): Action => {
  const { lastFailure, checkedAt } = facts
  if (O.isNone(lastFailure) || lastFailure.value.failure.retry === 'soon')
    return wait(policy, facts, now, end)
  const { at } = lastFailure.value
  const checked = O.isSome(checkedAt) && checkedAt.value > at && checkedAt.value <= now ? checkedAt.value : at
  return rest(policy, { ...facts, checkedAt: O.some(checked) }, now, end)
}

/** Waiting never outlasts a certificate that works: its end is news. */
const wait = (policy: RotationPolicy, { held }: Facts, now: Instant, until: Instant): Action => ({
  _tag: 'Wait',
  until:
    O.isSome(held) && isUsable(policy, held.value, now)
      ? earliest(until, held.value.certificate.notAfter)
      : until,
})

// What is known then -----------------------------------------------------------------------------------------------

/** What is known after an event; the same record where the event does not fit. */
export const evolve =
  (policy: RotationPolicy) =>
  (facts: Facts, event: Event): Facts => {
    const known = afterEvent(policy, facts, event)
    return known === facts
      ? facts
      : withoutIdleRequest(policy, withOngoing(policy, facts, event, known), event.at)
  }

const afterEvent = (policy: RotationPolicy, facts: Facts, event: Event): Facts => {
  const { at } = event
  const next = O.toUndefined(facts.next)
  switch (event._tag) {
    case 'Loaded':
      return isUntouched(facts) ? loaded(policy, facts, event) : facts
    case 'Submitted':
      return outstanding(facts, at) === undefined ? submitted(policy, facts, event) : facts
    case 'SubmitFailed': {
      if (outstanding(facts, at) !== undefined) return facts
      // A name that is taken belongs to somebody else's request: another key has another name.
      const draft = event.failure._tag === 'NameTaken' ? O.none : event.draft
      const known = { ...withoutNext(facts), next: O.map(saved)(draft) }
      return withFailure(policy, known, event.failure, O.some(event.credential), at)
    }
    case 'Observed':
      return isAtApi(next, event.uid) ? observed(policy, facts, next, event.observation, at) : facts
    case 'ObserveFailed':
      // A rejected credential changes the credential, not the request.
      return isAtApi(next, event.uid)
        ? withFailure(policy, facts, event.failure, O.some(event.credential), at)
        : facts
    case 'Installed':
      return isDelivered(next, event.keyId) ? installed(facts, next, at) : facts
    case 'InstallFailed':
      return isDelivered(next, event.keyId) ? withFailure(policy, facts, event.failure, O.none, at) : facts
    case 'ProbeFailed': {
      if (outstanding(facts, at) !== undefined || !holds(facts, event.keyId)) return facts
      // No answer says nothing about a certificate that is not under suspicion.
      const suspect =
        ['CredentialRejected', 'ServerUntrusted'].includes(event.failure._tag) || isDoubted(facts)
      const known = suspect ? withFailure(policy, facts, event.failure, O.some('held'), at) : facts
      return { ...known, checkedAt: O.some(at) }
    }
    case 'CredentialAccepted':
    case 'CredentialRejected':
      if (policy.authenticateWith === 'external' || !holds(facts, event.keyId)) return facts
      return event._tag === 'CredentialAccepted' ? withAcceptance(facts, at) : withRejection(facts, at)
    case 'RotationRequested':
      return withShorterPause(policy, { ...facts, requested: O.some({ why: event.why, at }) })
    case 'WindowSuggested':
      return withWindow(policy, facts, event.window)
    case 'TemplateChanged':
      return withTemplate(policy, facts, event.template, at)
  }
}

type AtApi = Extract<NextRequest, { readonly _tag: 'Pending' | 'Approved' }>
type DeliveredRequest = Extract<NextRequest, { readonly _tag: 'Delivered' }>
type Of<Tag extends Event['_tag']> = Extract<Event, { readonly _tag: Tag }>

const saved = (draft: ReturnType<typeof draftOf>): NextRequest => ({ _tag: 'Saved', draft })

const isUntouched = ({ held, next, lastFailure, submittedAt }: Facts): boolean =>
  O.isNone(held) && O.isNone(next) && O.isNone(lastFailure) && O.isNone(submittedAt)

const isAtApi = (next: NextRequest | undefined, uid: string): next is AtApi =>
  (next?._tag === 'Pending' || next?._tag === 'Approved') && next.request.uid === uid

const isDelivered = (next: NextRequest | undefined, keyId: string): next is DeliveredRequest =>
  next?._tag === 'Delivered' && next.request.keyId === keyId

/**
 * What was found on disk. A request that was under way had its reason, and goes on: beside a certificate that works, and
 * beside one that will when its time comes.
 */
const loaded = (policy: RotationPolicy, facts: Facts, { held, draft, at }: Of<'Loaded'>): Facts => {
  const known = { ...facts, held, next: O.map(saved)(draft) }
  const working = O.isSome(held) && !expired(held.value.certificate, at)
  return working && isAcceptableDraft(known) && stateOf(policy)(known, at)._tag !== 'RenewDue'
    ? { ...known, requested: O.some({ why: 'a request was already under way', at }) }
    : known
}

const submitted = (
  policy: RotationPolicy,
  facts: Facts,
  { request, credential, serverTime, at }: Of<'Submitted'>,
): Facts => {
  const known = withoutPause(policy, credential === 'held' ? withAcceptance(facts, at) : facts, at)
  return {
    ...withoutNext(known),
    next:
      O.isNone(facts.wanted) || covers(request.template, facts.wanted.value)
        ? O.some({ _tag: 'Pending', request })
        : O.none,
    submittedAt: O.some(at),
    clockSkew: O.isSome(serverTime) ? skewOf(serverTime.value - at) : facts.clockSkew,
  }
}

/** The header has whole seconds, and an answer takes its time: less than a minute is no skew. */
const skewOf = (difference: number): number => (Math.abs(difference) > minute ? difference : 0)

const observed = (
  policy: RotationPolicy,
  facts: Facts,
  next: AtApi,
  observation: Observation,
  at: Instant,
): Facts => {
  const { request } = next
  switch (observation._tag) {
    case 'Pending':
    case 'Approved':
      return next._tag === 'Pending' && observation._tag === 'Approved'
        ? { ...facts, next: O.some({ _tag: 'Approved', request }) }
        : // A server that answers at once and says nothing must not be asked in a loop.
          withFailure(policy, facts, nothingNew(request, next._tag), O.none, at)
    case 'Issued': {
      const defects = defectsOf(policy, facts, request, observation.chain, at)
      if (defects.length > 0)
        return withoutRequest(policy, facts, certificateDefective(request, defects.join('; ')), at)
      const delivered = { ...observation.chain, receivedAt: at }
      return {
        ...facts,
        next: O.some({ _tag: 'Delivered', request, delivered, answers: facts.requested }),
        requested: O.none,
        lastFailure: O.none,
      }
    }
    case 'Unverifiable':
      return unverifiable(policy, facts, next, observation.failure, at)
    case 'Unreadable':
      return withoutRequest(policy, facts, certificateDefective(request, observation.problem), at)
    case 'Denied':
    case 'Failed':
      return withoutRequest(policy, facts, requestDenied(request, observation), at)
    case 'Gone':
      return withFailure(
        policy,
        { ...facts, next: O.some(saved(draftOf(next))) },
        requestGone(request),
        O.some(credentialFor(policy, facts, at)),
        at,
      )
  }
}

/** The CAs cannot be read, so the certificate can be neither taken nor refused: it stays at the API until they can be. */
const unverifiable = (
  policy: RotationPolicy,
  facts: Facts,
  { request }: AtApi,
  failure: TrustError,
  at: Instant,
): Facts =>
  withFailure(
    policy,
    { ...facts, next: O.some({ _tag: 'Approved', request }) },
    failure,
    O.some(credentialFor(policy, facts, at)),
    at,
  )

/** The request is given up, and its key with it: the next one has a new key. */
const withoutRequest = (
  policy: RotationPolicy,
  facts: Facts,
  failure: Parameters<typeof withFailure>[2],
  at: Instant,
): Facts => withFailure(policy, withoutNext(facts), failure, O.some(credentialFor(policy, facts, at)), at)

const installed = (facts: Facts, { delivered }: DeliveredRequest, at: Instant): Facts => ({
  ...facts,
  held: O.some({
    ...delivered,
    receivedAt: wholeSecond(delivered.receivedAt),
    rejectedAt: O.none,
    serverUntrustedAt: O.none,
  }),
  next: O.none,
  lastFailure: O.none,
  // Where the server could not be verified, it is to be seen at once whether it can be now.
  checkedAt: isServerUntrusted(facts) ? O.none : O.some(at),
})

/** What cannot be a window counts as no answer; another one than before is somebody who asks again. */
const withWindow = (policy: RotationPolicy, facts: Facts, window: Facts['window']): Facts => {
  if (isSameWindow(facts.window, window)) return facts
  if (O.isNone(window)) return { ...facts, window }
  return isWindow(window.value) ? withShorterPause(policy, { ...facts, window }) : facts
}

/** A template that asks for something else has not been refused yet, and a request may be none for it. */
const withTemplate = (policy: RotationPolicy, facts: Facts, wanted: Facts['wanted'], at: Instant): Facts => {
  const known = { ...facts, wanted }
  const isSame =
    O.isSome(facts.wanted) && O.isSome(wanted) && isSameTemplate(facts.wanted.value, wanted.value)
  return isSame ? known : withoutUnwantedRequest(policy, withShorterPause(policy, known), at)
}

/**
 * When another template is wanted, a request stays while its certificate would be accepted, and one is still due. (That a
 * renewal window was withdrawn is no reason to give up a request that is under way.)
 */
const withoutUnwantedRequest = (policy: RotationPolicy, facts: Facts, at: Instant): Facts => {
  const next = outstanding(facts, at)
  if (next === undefined) return facts
  const { wanted } = facts
  const acceptable =
    O.isNone(wanted) ||
    (next._tag === 'Delivered'
      ? missingFrom(wanted.value, next.delivered.certificate).length === 0
      : covers(next.request.template, wanted.value))
  // A request that is given up may be certified unseen: its key is not used again.
  const without = withoutNext(facts)
  switch (stateOf(policy)(without, at)._tag) {
    case 'RenewDue':
      return acceptable ? facts : without
    case 'Bootstrapping':
      // One that has arrived is better than none: it is stored, and replaced then.
      return acceptable || next._tag === 'Delivered' ? facts : without
    default:
      return without
  }
}

/** A draft is worth keeping while its certificate would be accepted, and its key has not been certified. */
const isAcceptableDraft = (facts: Facts): boolean => {
  const draft = savedDraft(facts)
  return (
    O.isSome(draft) &&
    (O.isNone(facts.wanted) || covers(draft.value.template, facts.wanted.value)) &&
    !holds(facts, draft.value.keyId)
  )
}

/**
 * No saved request outlasts its reason: by the next renewal its key may have been certified and forgotten by the API.
 * No certificate that expired waits to be stored.
 */
const withoutIdleRequest = (policy: RotationPolicy, facts: Facts, at: Instant): Facts => {
  if (O.isNone(facts.next) || outstanding(facts, at) !== undefined) return facts
  const isNeeded = isAcceptableDraft(facts) && stateOf(policy)(facts, at)._tag !== 'Issued'
  return isNeeded ? facts : withoutNext(facts)
}
