/**
 * The six invariants of the design ("What must always hold") as far as they are about the machine, checked from
 * outside: a journal keeps what an onlooker knows who sees every action and event, also those that the machine
 * forgets. Used by the exploration and by the random worlds.
 */
import { eqStrict } from 'fp-ts/lib/Eq.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import { inUse } from '../../../src/machine/credential.js'
import { causesOf, instantIn, isUsable, rotationDeadline } from '../../../src/machine/due.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, type Held, nextKeyOf, outstanding } from '../../../src/machine/facts.js'
import { decide, stateOf } from '../../../src/machine/machine.js'
import { pauseEnd } from '../../../src/machine/retry.js'
import type { State } from '../../../src/machine/state.js'
import { type Certificate, expired, type KeyId, notYetValid } from '../../../src/model/certificate.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { Draft } from '../../../src/model/request.js'
import { covers, missingFrom } from '../../../src/model/template.js'
import { after, type Instant, minute, second, wholeSecond } from '../../../src/model/time.js'

export interface Journal {
  /** Keys that a signer has certified, for all that was seen. */
  readonly certified: ReadonlyArray<KeyId>
  /** The request at the API that would still be accepted. */
  readonly live: Draft | undefined
  /** When the API last took a request. */
  readonly submittedAt: Instant | undefined
  /** What was tried at the instant `latest`. */
  readonly tried: ReadonlyArray<string>
  readonly latest: Instant
  /** A rotation that was asked for: not yet answered, or by the certificate that is being installed. */
  readonly ask: 'none' | 'open' | 'issued'
}

export const blank = (now: Instant): Journal => ({
  certified: [],
  live: undefined,
  submittedAt: undefined,
  tried: [],
  latest: now,
  ask: 'none',
})

export interface Verdict {
  readonly journal: Journal
  /** Sentences, each with the number of the invariant. */
  readonly faults: ReadonlyArray<string>
}

/** The journal when the clock shows `now`: a clock set back ends what is measured by it. */
const turnTo = (journal: Journal, now: Instant): Journal => ({
  ...journal,
  tried: now === journal.latest ? journal.tried : [],
  latest: now,
  submittedAt:
    journal.submittedAt !== undefined && now < journal.submittedAt ? undefined : journal.submittedAt,
})

// An action ------------------------------------------------------------------------------------------------------

/** What is wrong with deciding on `action` by what is known at `now`. */
export const onAction = (
  policy: RotationPolicy,
  before: Journal,
  facts: Facts,
  action: Action,
  now: Instant,
): Verdict => {
  const journal = turnTo(before, now)
  const faults: Array<string> = []
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  const state = stateOf(policy)(facts, now)
  const held = O.toUndefined(facts.held)
  const holding = held !== undefined && isUsable(policy, held, now)
  switch (action._tag) {
    case 'Submit': {
      const { draft } = action
      const key = O.isSome(draft) ? draft.value.keyId : undefined
      expect(key === undefined || !journal.certified.includes(key), '6: submits a key that was certified')
      expect(key === undefined || key !== held?.certificate.keyId, '6: submits the key in use')
      expect(
        journal.live === undefined ||
          key === journal.live.keyId ||
          !covers(journal.live.template, action.template),
        '4: submits a second request while one is outstanding that would do',
      )
      expect(
        journal.submittedAt === undefined || now >= after(journal.submittedAt, policy.submitInterval),
        '3: submits sooner than the interval allows',
      )
      expect(
        state._tag === 'Bootstrapping' || state._tag === 'RenewDue',
        `1: submits in ${state._tag}, where nothing is due`,
      )
      expect(
        held === undefined ||
          !notYetValid(held.certificate, now) ||
          O.isSome(held.rejectedAt) ||
          O.isSome(held.serverUntrustedAt) ||
          missingFrom(action.template, held.certificate).length > 0,
        '2: submits although the certificate only has to wait for its time',
      )
      break
    }
    case 'Install': {
      const { certificate } = action.delivered
      expect('request' in state && certificate.keyId === state.request.keyId, '1: installs for another key')
      expect(!expired(certificate, now), '1: installs a certificate that has expired')
      expect(!holding || !notYetValid(certificate, now), '1: gives up one that works for one not yet valid')
      break
    }
    case 'Observe':
      expect(action.until > now, '3: observes until a time that has passed')
      expect(
        action.credential !== 'held' || (held !== undefined && !expired(held.certificate, now)),
        '2: observes with a certificate that has expired',
      )
      break
    case 'Probe':
      expect(
        held !== undefined && !expired(held.certificate, now),
        '2: probes with a certificate that has expired',
      )
      break
    case 'Wait':
      faults.push(...waitFaults(policy, facts, action.until, now))
  }
  if (action._tag === 'Wait') return { journal, faults }
  const attempt = attemptOf(action)
  // One probe more: what is known of the bootstrap credential may be from before the held one was accepted.
  const allowed = action._tag === 'Probe' ? 2 : 1
  const times = journal.tried.filter((tried) => tried === attempt).length
  expect(times < allowed, `3: ${attempt} again without time passing`)
  return { journal: { ...journal, tried: [...journal.tried, attempt] }, faults }
}

const attemptOf = (action: Exclude<Action, { readonly _tag: 'Wait' }>): string => {
  switch (action._tag) {
    case 'Observe':
      return `Observe ${action.known} ${action.credential}`
    case 'Install':
      return `Install ${action.delivered.certificate.keyId}`
    default:
      return action._tag
  }
}

const windowMoments = ({ window }: Facts, held: Held, now: Instant): ReadonlyArray<Instant> => {
  const at = O.isSome(window) ? instantIn(window.value, held, now) : undefined
  return at === undefined ? [] : [at]
}

/** A wait ends in the future, and no later than something happens that matters, or than delays may be. */
const waitFaults = (
  policy: RotationPolicy,
  facts: Facts,
  until: Instant,
  now: Instant,
): ReadonlyArray<string> => {
  if (until <= now) return ['3: waits for a time that has passed']
  const state = stateOf(policy)(facts, now)
  const held = O.toUndefined(facts.held)
  const holding = held !== undefined && isUsable(policy, held, now)
  const moments: Array<Instant> = holding ? [held.certificate.notAfter] : []
  if (holding && policy.rotate && state._tag === 'Issued' && state.stage === 'installed')
    moments.push(rotationDeadline(policy, held, now), ...windowMoments(facts, held, now))
  if (held !== undefined && !('request' in state)) moments.push(held.certificate.notBefore)
  const due = state._tag === 'Issued' && state.stage === 'installed'
  const missed = moments.some(
    (moment) => moment < until && (moment > now || (due && moment !== held?.certificate.notBefore)),
  )
  const early = held !== undefined && notYetValid(held.certificate, now)
  const attends =
    (state._tag === 'Issued' && state.stage === 'installed') ||
    (!('request' in state) && O.isNone(facts.wanted)) ||
    (state._tag === 'Bootstrapping' && early)
  const forItsTime = 'delivered' in state && notYetValid(state.delivered.certificate, now)
  const longest = holding
    ? Math.max(second, Math.min(policy.longestDelay, (held.certificate.notAfter - now) / 10))
    : policy.longestDelay
  // Where somebody said no, and nobody has asked again since, a hundredth of the life that is left may pass.
  const refused = O.isSome(facts.lastFailure) && facts.lastFailure.value.failure.retry === 'later'
  const hundredth = refused && holding ? (held.certificate.notAfter - now) / 100 : 0
  const tooLong = !attends && !forItsTime && until - now > Math.max(longest, policy.submitInterval, hundredth)
  return [
    ...(missed && !(state._tag === 'Bootstrapping' && O.isSome(facts.lastFailure))
      ? ['2: sleeps past a moment that matters']
      : []),
    ...(tooLong ? [`2: waits ${until - now} ms, longer than allowed`] : []),
  ]
}

// An event -------------------------------------------------------------------------------------------------------

/** What is wrong with knowing `to` after `event`, and `from` before; `lost`: the API took the request, its answer was lost. */
export const onEvent = (
  policy: RotationPolicy,
  before: Journal,
  from: Facts,
  event: Event,
  to: Facts,
  lost = false,
): Verdict => {
  const { at } = event
  const known = turnTo(before, at)
  const journal = remember(policy, known, from, event, to, lost)
  return {
    journal,
    faults: [
      ...keepsWhatWorks(policy, from, event, to),
      ...backsOff(policy, from, event, to),
      ...answersWhoAsks(policy, event, to),
      ...onceForAWindow(policy, event, to),
      ...(journal.ask === 'open' && policy.rotate && isInstalled(stateOf(policy)(to, at))
        ? ['2: a rotation that was requested is forgotten']
        : []),
      ...(journal.ask === 'none' && O.isSome(to.requested) ? ['3: a rotation is made twice'] : []),
    ],
  }
}

/**
 * The journal after a restart: what is not on disk is forgotten. A request that was issued and not installed is taken up
 * where it is at the API, so its key may be sent once more.
 */
export const onRestart = (journal: Journal, found: Extract<Event, { readonly _tag: 'Loaded' }>): Journal => {
  const saved = O.toUndefined(found.draft)
  return {
    ...journal,
    certified: journal.certified.filter((key) => key !== saved?.keyId),
    live: saved ?? journal.live,
    submittedAt: undefined,
    tried: [],
  }
}

const isInstalled = (state: State): boolean => state._tag === 'Issued' && state.stage === 'installed'

const remember = (
  policy: RotationPolicy,
  journal: Journal,
  from: Facts,
  event: Event,
  to: Facts,
  lost: boolean,
): Journal => {
  const issued =
    event._tag === 'Observed' && event.observation._tag === 'Issued'
      ? [event.observation.chain.certificate.keyId]
      : []
  const taken = event._tag === 'Submitted'
  const sent = taken
    ? event.request
    : event._tag !== 'SubmitFailed'
      ? journal.live
      : lost
        ? O.toUndefined(event.draft)
        : event.failure._tag === 'NameTaken'
          ? undefined
          : journal.live
  const ended = event._tag === 'Observed' && !['Pending', 'Approved'].includes(event.observation._tag)
  const unwanted = O.isSome(to.wanted) && sent !== undefined && !covers(sent.template, to.wanted.value)
  // A request is forgotten when its reason is gone; it stays at the API, and may be certified there unseen.
  const idle = isInstalled(stateOf(policy)(to, event.at)) && O.isNone(to.next)
  const forgotten = !ended && (unwanted || idle)
  return {
    ...journal,
    certified: [
      ...new Set([...journal.certified, ...issued, ...(forgotten && sent !== undefined ? [sent.keyId] : [])]),
    ],
    live: ended || forgotten ? undefined : sent,
    submittedAt: taken ? event.at : journal.submittedAt,
    tried: isNews(event) ? journal.tried.filter((attempt) => !attempt.startsWith('Observe')) : journal.tried,
    ask: askAfter(journal.ask, from, event, to),
  }
}

const isNews = ({ _tag }: Event): boolean =>
  [
    'TemplateChanged',
    'RotationRequested',
    'WindowSuggested',
    'CredentialAccepted',
    'CredentialRejected',
  ].includes(_tag)

const askAfter = (ask: Journal['ask'], from: Facts, event: Event, to: Facts): Journal['ask'] => {
  const delivering = ({ next }: Facts) => O.isSome(next) && next.value._tag === 'Delivered'
  if (event._tag === 'RotationRequested') return 'open'
  if (event._tag === 'Loaded') return O.isSome(to.requested) ? 'open' : 'none'
  if (event._tag === 'Installed' && delivering(from) && !delivering(to))
    return ask === 'issued' ? 'none' : ask
  if (!delivering(from) && delivering(to)) return ask === 'open' ? 'issued' : ask
  return delivering(from) && !delivering(to) && ask === 'issued' ? 'open' : ask
}

/** Invariant 1. */
const keepsWhatWorks = (
  policy: RotationPolicy,
  from: Facts,
  event: Event,
  to: Facts,
): ReadonlyArray<string> => {
  const { at } = event
  const faults: Array<string> = []
  if (O.isSome(inUse(policy, from, at)) && O.isNone(inUse(policy, to, at)))
    faults.push('1: gives up the certificate in use for none')
  const before = O.toUndefined(from.held)
  const now = O.toUndefined(to.held)
  if (event._tag === 'Loaded') return faults
  if (before?.certificate !== now?.certificate) {
    if (event._tag !== 'Installed') faults.push(`1: the certificate changes by ${event._tag}`)
    else if (now?.certificate.keyId === before?.certificate.keyId)
      faults.push('6: a rotation with the old key')
  }
  if (before === undefined || !isUsable(policy, before, at)) return faults
  const next = O.toUndefined(to.next)
  if (next?._tag === 'Delivered' && event._tag === 'Observed')
    faults.push(...worse(policy, from, before.certificate, next.delivered.certificate, at))
  return faults
}

const worse = (
  policy: RotationPolicy,
  from: Facts,
  old: Certificate,
  next: Certificate,
  at: Instant,
): ReadonlyArray<string> => {
  const flaws: Array<string> = []
  if (expired(next, at)) flaws.push('1: accepts an expired certificate')
  if (!O.elem(eqStrict)(next.keyId, nextKeyOf(from))) flaws.push('1: accepts one for another key')
  if (O.isSome(from.wanted) && missingFrom(from.wanted.value, next).length > 0)
    flaws.push('1: accepts one that does not satisfy the template')
  const somethingElse =
    O.isSome(from.requested) || (O.isSome(from.wanted) && missingFrom(from.wanted.value, old).length > 0)
  if (!somethingElse && next.notAfter < old.notAfter && next.notAfter - at < policy.minimumUsefulLifetime)
    flaws.push('1: accepts one that ends soon, and before the old one')
  return flaws
}

/** Invariant 3: a failure moves the next attempt into the future. */
const backsOff = (policy: RotationPolicy, from: Facts, event: Event, to: Facts): ReadonlyArray<string> => {
  const before = outstanding(from, event.at)
  const failed =
    (event._tag === 'SubmitFailed' && before === undefined) ||
    (event._tag === 'ObserveFailed' &&
      before !== undefined &&
      event.uid === before.request.uid &&
      before._tag !== 'Delivered') ||
    (event._tag === 'InstallFailed' && before?._tag === 'Delivered')
  const next = decide(policy)(to, event.at)
  if (event._tag === 'ProbeFailed' && next._tag === 'Probe')
    return ['3: a probe that failed is repeated at once']
  if (!failed) return []
  return next._tag === 'Wait' || (isInstalled(stateOf(policy)(to, event.at)) && next._tag === 'Probe')
    ? []
    : [`3: ${event._tag} is followed by ${next._tag} at once`]
}

/** Invariant 2: whoever asks again waits no longer than requests are kept apart for what was refused before. */
const answersWhoAsks = (policy: RotationPolicy, event: Event, to: Facts): ReadonlyArray<string> => {
  const last = O.toUndefined(to.lastFailure)
  if (event._tag !== 'RotationRequested' || last?.failure.retry !== 'later') return []
  const pause = pauseEnd(policy, to, event.at)
  return pause === undefined || pause <= after(event.at, policy.submitInterval)
    ? []
    : ['2: a rotation that was requested waits for the end of a refusal']
}

/** Invariant 3: no loop of renewals, whatever the window: one that came within it is not renewed for it. */
const onceForAWindow = (policy: RotationPolicy, event: Event, to: Facts): ReadonlyArray<string> => {
  const held = O.toUndefined(to.held)
  if (event._tag !== 'Installed' || held === undefined || O.isNone(to.window)) return []
  const cameBefore = held.receivedAt < wholeSecond(to.window.value.start) || held.receivedAt > event.at
  return !cameBefore && causesOf(policy, to, event.at).some(({ _tag }) => _tag === 'Window')
    ? ['3: a certificate that was renewed for a window is renewed for it again']
    : []
}

/** How long a fair world may take, whatever happened before; where somebody said no, a hundredth of the life left more. */
export const patience = (policy: RotationPolicy, { held }: Facts, now: Instant) =>
  4 * (policy.longestDelay + policy.submitInterval) +
  minute +
  (O.isSome(held) ? Math.max(0, held.value.certificate.notAfter - now) / 100 : 0)
