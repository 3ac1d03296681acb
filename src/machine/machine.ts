/**
 * The machine: every transition there is. What decides about a certificate's life stands here and nowhere else;
 * `schedule.ts` does its arithmetic, `standing.ts` says what follows from what is known, `acceptance.ts` judges what
 * arrives.
 *
 * `decide` says what to do next in a state; an adapter does it and answers with an event; `evolve` says what is known
 * then. Both are total and deterministic: the first state and the events give every state and action again. An event
 * that does not fit the state (another request's, another key's) leaves it as it is.
 */
import * as O from 'fp-ts/lib/Option.js'
import { type CheckedChain, expired, type KeyId, notYetValid } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import type { OutstandingRequest } from '../model/request.js'
import { type CertificateTemplate, covers, unmet } from '../model/template.js'
import { earliest, endOfTime, type Instant, wholeSecond } from '../model/time.js'
import { defectsOf } from './acceptance.js'
import type { Action } from './action.js'
import { defective, gone, nothingNew, refusal } from './endings.js'
import type { Event, Observation } from './event.js'
import { pauseOf, rotationDeadline, stillWaiting } from './schedule.js'
import { causesOf, holds, judged, rejected, setBack, standing, turnOf, usable } from './standing.js'
import {
  type Approved,
  type CredentialName,
  type Held,
  type IssuedDelivered,
  type Knowledge,
  knowledgeOf,
  type Pending,
  type State,
  works,
} from './state.js'

// What to do next ------------------------------------------------------------------------------------------------

/** What to do next in this state at this time. */
export const decide =
  (policy: RotationPolicy) =>
  (state: State, now: Instant): Action => {
    // Between an event and this moment a certificate may have come due or ended: that is told first.
    if (isOvertaken(policy, state, now)) return { _tag: 'Wait', until: now }
    const known = knowledgeOf(state)
    const pause = O.toUndefined(pauseOf(policy, known, now))
    switch (state._tag) {
      case 'Bootstrapping':
        if (O.isNone(state.wanted) || awaitsItsTime(known, state.wanted.value, now))
          return attend(policy, known, now)
        if (pause !== undefined) return wait(policy, known, now, pause)
        return O.isSome(state.held) && rejected(known) && turnOf(policy, known, now) === 'held'
          ? { _tag: 'Probe', keyId: state.held.value.certificate.keyId }
          : submit(policy, known, state.wanted.value, now)
      case 'RenewDue':
        if (O.isNone(state.wanted)) return attend(policy, known, now)
        return pause === undefined
          ? submit(policy, known, state.wanted.value, now)
          : wait(policy, known, now, pause)
      case 'Pending':
      case 'Approved':
        return pause === undefined ? observe(policy, state, now) : wait(policy, known, now, pause)
      case 'Issued': {
        if (state.stage === 'installed') return attend(policy, known, now)
        const { notBefore, notAfter } = state.delivered.certificate
        if (pause !== undefined) return wait(policy, known, now, earliest(pause, notAfter))
        const kept = O.isSome(state.held) && works(policy, state.held.value, now)
        // One that is not valid yet replaces nothing that works.
        return kept && now < notBefore
          ? wait(policy, known, now, earliest(notBefore, notAfter))
          : { _tag: 'Install', delivered: state.delivered }
      }
    }
  }

/** Whether the time alone makes another state of this one. */
const isOvertaken = (policy: RotationPolicy, state: State, now: Instant): boolean => {
  const next = passed(policy, state, now)
  return next._tag !== state._tag || 'request' in next !== 'request' in state
}

/** A certificate whose only flaw is that our clock finds it early: it is offered, and its time will come. */
const awaitsItsTime = (known: Knowledge, wanted: CertificateTemplate, now: Instant): boolean =>
  O.isSome(known.held) &&
  notYetValid(known.held.value.certificate, now) &&
  !rejected(known) &&
  unmet(wanted, known.held.value.certificate).length === 0

const submit = (
  policy: RotationPolicy,
  known: Knowledge,
  template: CertificateTemplate,
  now: Instant,
): Action => {
  const apart = O.chain((at: Instant) => stillWaiting(at, policy.submitInterval, now))(known.submittedAt)
  return O.isSome(apart)
    ? wait(policy, known, now, apart.value)
    : { _tag: 'Submit', template, draft: known.draft, credential: turnOf(policy, known, now) }
}

const observe = (policy: RotationPolicy, state: Pending | Approved, now: Instant): Action => {
  const credential = turnOf(policy, knowledgeOf(state), now)
  // The end of the held certificate is news to whoever uses it, and another credential may have to be.
  const until =
    O.isSome(state.held) && !expired(state.held.value.certificate, now)
      ? state.held.value.certificate.notAfter
      : endOfTime
  return { _tag: 'Observe', request: state.request, known: state._tag, credential, until }
}

/** Nothing to do for a certificate but to notice its next moment, and a server that refuses it. */
const attend = (policy: RotationPolicy, known: Knowledge, now: Instant): Action => {
  if (O.isNone(known.held)) return wait(policy, known, now, endOfTime)
  const { certificate, receivedAt } = known.held.value
  const probing = policy.probeInterval > 0 && policy.authenticateWith === 'held' && !expired(certificate, now)
  const probed = O.chain((at: Instant) => stillWaiting(at, policy.probeInterval, now))(known.checkedAt)
  const probe = probing ? O.getOrElse(() => now)(probed) : endOfTime
  if (probe === now) return { _tag: 'Probe', keyId: certificate.keyId }
  const rotation = policy.rotate ? rotationDeadline(policy, certificate, receivedAt) : endOfTime
  const moments = [certificate.notBefore, rotation, certificate.notAfter].filter((moment) => moment > now)
  return wait(policy, known, now, earliest(...moments, probe))
}

/** Waiting never outlasts a certificate that works: its end is news. */
const wait = (policy: RotationPolicy, { held }: Knowledge, now: Instant, until: Instant): Action => ({
  _tag: 'Wait',
  until:
    O.isSome(held) && works(policy, held.value, now)
      ? earliest(until, held.value.certificate.notAfter)
      : until,
})

// What is known then ---------------------------------------------------------------------------------------------

/** The state after an event. */
export const evolve =
  (policy: RotationPolicy) =>
  (state: State, event: Event): State =>
    // Time passes whatever the event was.
    passed(policy, learn(policy, state, event), event.at)

const passed = (policy: RotationPolicy, state: State, at: Instant): State => {
  if (!('request' in state)) return standing(policy, knowledgeOf(state), at)
  return state._tag === 'Issued' && expired(state.delivered.certificate, at)
    ? standing(policy, { ...knowledgeOf(state), draft: O.none }, at)
    : state
}

const learn = (policy: RotationPolicy, state: State, event: Event): State => {
  const { at } = event
  const known = knowledgeOf(state)
  switch (event._tag) {
    case 'TimePassed':
      return state
    case 'Loaded':
      return isUntouched(known)
        ? resume(policy, { ...known, held: event.held, draft: event.draft }, at)
        : state
    case 'Submitted':
      return 'request' in state ? state : submitted(policy, known, event.request, event.credential, at)
    case 'SubmitFailed': {
      if ('request' in state) return state
      const draft = event.failure._tag === 'NameTaken' ? O.none : event.draft
      const next = setBack(policy, { ...known, draft }, event.failure, O.some(event.credential), at)
      return standing(policy, next, at)
    }
    case 'Observed':
      return isObserved(state, event.uid) ? observed(policy, state, event.observation, at) : state
    case 'ObserveFailed': {
      if (!isObserved(state, event.uid)) return state
      // A refused credential changes the credential, not the request.
      return informed(state, setBack(policy, known, event.failure, O.some(event.credential), at))
    }
    case 'Installed':
      return isDelivered(state, event.keyId) ? installed(policy, state, at) : state
    case 'InstallFailed':
      return isDelivered(state, event.keyId)
        ? informed(state, setBack(policy, known, event.failure, O.none, at))
        : state
    case 'ProbeFailed': {
      if ('request' in state || !holds(known, event.keyId)) return state
      // No answer says nothing about a certificate that is not under suspicion.
      const suspect = event.failure._tag === 'CredentialRejected' || rejected(known)
      const next = suspect ? setBack(policy, known, event.failure, O.some('held'), at) : known
      return standing(policy, { ...next, checkedAt: O.some(at) }, at)
    }
    case 'CredentialAccepted':
    case 'CredentialRejected': {
      if (policy.authenticateWith === 'external' || !holds(known, event.keyId)) return state
      const next = judged(known, event._tag === 'CredentialAccepted', at)
      return 'request' in state ? informed(state, next) : standing(policy, next, at)
    }
    case 'RotationAsked':
      return { ...state, asked: O.some({ why: event.why, at }) }
    case 'TemplateChanged':
      return retemplated(policy, state, event.template, at)
  }
}

/** Nothing has happened yet. */
const isUntouched = ({ held, draft, setback, submittedAt }: Knowledge): boolean =>
  [held, draft, setback, submittedAt].every((known) => O.isNone(known))

const isObserved = (state: State, uid: string): state is Pending | Approved =>
  (state._tag === 'Pending' || state._tag === 'Approved') && state.request.uid === uid

const isDelivered = (state: State, keyId: KeyId): state is IssuedDelivered =>
  'delivered' in state && state.request.keyId === keyId

/** A request stays what it is when something is learnt about credentials or trouble. */
const informed = <S extends Pending | Approved | IssuedDelivered>(state: S, known: Knowledge): S => ({
  ...state,
  held: known.held,
  setback: known.setback,
  checkedAt: known.checkedAt,
})

/**
 * What was found on disk; a request that was under way had its reason, and goes on: beside a certificate that works, and
 * beside one that will when its time comes.
 */
const resume = (policy: RotationPolicy, known: Knowledge, at: Instant): State => {
  const found = standing(policy, known, at)
  const working = O.exists(({ certificate }: Held) => !expired(certificate, at))(known.held)
  return found._tag !== 'RenewDue' && working && O.exists(usable(known))(known.draft)
    ? standing(policy, { ...known, asked: O.some({ why: 'a request was already under way', at }) }, at)
    : found
}

const submitted = (
  policy: RotationPolicy,
  known: Knowledge,
  request: OutstandingRequest,
  credential: CredentialName,
  at: Instant,
): State => {
  const { draft: _, ...next } = credential === 'held' ? judged(known, true, at) : known
  const submittedAt = O.some(at)
  return O.isNone(known.wanted) || covers(request.template, known.wanted.value)
    ? { _tag: 'Pending', ...next, request, submittedAt }
    : standing(policy, { ...next, draft: O.none, submittedAt }, at)
}

const observed = (
  policy: RotationPolicy,
  state: Pending | Approved,
  observation: Observation,
  at: Instant,
): State => {
  switch (observation._tag) {
    case 'Pending':
    case 'Approved':
      return state._tag === 'Pending' && observation._tag === 'Approved'
        ? { ...state, _tag: 'Approved' }
        : // A server that answers at once and says nothing must not be asked in a loop.
          informed(state, setBack(policy, knowledgeOf(state), nothingNew(state), O.none, at))
    case 'Issued':
      return delivered(policy, state, observation.chain, at)
    case 'Unreadable':
      return ended(policy, state, defective(state, observation.problem), at)
    case 'Denied':
    case 'Failed':
      return ended(policy, state, refusal(state, observation), at)
    case 'Gone':
      return ended(policy, state, gone(state), at)
  }
}

/** A request came to nothing: what vanished is sent again, what was refused is followed by a new key. */
const ended = (policy: RotationPolicy, state: Pending | Approved, reason: Failure, at: Instant): State => {
  const known = knowledgeOf(state)
  const draft = reason._tag === 'Gone' ? known.draft : O.none
  const credential = O.some(turnOf(policy, known, at))
  return standing(policy, setBack(policy, { ...known, draft }, reason, credential, at), at)
}

const delivered = (
  policy: RotationPolicy,
  state: Pending | Approved,
  chain: CheckedChain,
  at: Instant,
): State => {
  const known = knowledgeOf(state)
  const { request, wanted, held } = state
  const causes = causesOf(policy, known, at)
  const defects = defectsOf(policy, { request, wanted, held, causes }, chain, at)
  return defects.length > 0
    ? ended(policy, state, defective(state, defects.join('; ')), at)
    : {
        ...state,
        _tag: 'Issued',
        stage: 'delivered',
        delivered: { ...chain, receivedAt: at },
        answers: state.asked,
        asked: O.none,
        setback: O.none,
      }
}

const installed = (policy: RotationPolicy, state: IssuedDelivered, at: Instant): State => {
  const held = O.some({
    ...state.delivered,
    receivedAt: wholeSecond(state.delivered.receivedAt),
    rejectedAt: O.none,
  })
  const known = { ...knowledgeOf(state), asked: state.asked, setback: O.none, checkedAt: O.some(at) }
  return standing(policy, { ...known, held, draft: O.none }, at)
}

/** A request is outstanding while we would still accept its certificate, and there is still reason to want one. */
const retemplated = (
  policy: RotationPolicy,
  state: State,
  wanted: O.Option<CertificateTemplate>,
  at: Instant,
): State => {
  const known = { ...knowledgeOf(state), wanted }
  if (!('request' in state)) return standing(policy, known, at)
  const accepted =
    O.isNone(wanted) ||
    (state._tag === 'Issued'
      ? unmet(wanted.value, state.delivered.certificate).length === 0
      : covers(state.request.template, wanted.value))
  // A request that is given up may be certified unseen: its key is not used again.
  const without = standing(policy, { ...known, draft: O.none }, at)
  switch (without._tag) {
    case 'Issued':
      return without
    case 'RenewDue':
      return accepted ? { ...state, wanted } : without
    case 'Bootstrapping':
      // One that has arrived is better than none: it is stored, and replaced then.
      return accepted || state._tag === 'Issued' ? { ...state, wanted } : without
  }
}
