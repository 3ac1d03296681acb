/**
 * A model of client-go's certificate manager (`util/certificate/certificate_manager.go`), to be compared with. The
 * deadline is drawn anew at each start; an attempt waits up to 15 minutes for its certificate; what fails is tried again
 * with a new key after 2, 4, 8 and 16 seconds, each up to a tenth longer, and then every 32 seconds; a watch that breaks
 * is begun again within the attempt (`tools/cache/reflector.go`: after 0.8 seconds, doubling up to 30). There are no
 * probes, and a rejected certificate is used until it expires. It keeps what it knows in the same record as our machine.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import type { Received } from '../machine/due.js'
import type { Event } from '../machine/event.js'
import type { CredentialName, Facts } from '../machine/facts.js'
import { expired } from '../model/certificate.js'
import { type Failure, failure } from '../model/failure.js'
import {
  after,
  earliest,
  endOfTime,
  type Instant,
  instant,
  type Milliseconds,
  minute,
  second,
  wholeSecond,
} from '../model/time.js'
import type { Machine } from './machine.js'
import { share } from './random.js'

const patience: Milliseconds = 15 * minute
const steps = 5
const every: Milliseconds = 32 * second
const deadlines = 1
const jitters = 2

/** Chance by key: each attempt has a new one. */
const seedOf = (keyId: string): number => Number.parseInt(keyId.slice(0, 8), 16)

/** The pause after so many failures of a row. */
export const clientGoPause = (attempt: number, chance: number): Milliseconds =>
  attempt < steps ? 2 * second * 2 ** (attempt - 1) * (1 + 0.1 * chance) : every

/** `notBefore` and 70 to 90 % of the life; where is drawn at the start of the process, or when it was received. */
export const clientGoDeadline = (
  { certificate }: Pick<Received, 'certificate'>,
  drawnAt: Instant,
): Instant => {
  const { notBefore, notAfter, keyId } = certificate
  const chance = share(seedOf(keyId), Math.floor(drawnAt / second), deadlines)
  return instant(notBefore + (notAfter - notBefore) * (0.7 + 0.2 * chance))
}

const drawnAt = ({ checkedAt }: Facts): Instant => (O.isSome(checkedAt) ? checkedAt.value : instant(0))

const decide = (facts: Facts, now: Instant): Action => {
  const { held, next, lastFailure, wanted } = facts
  const works = O.isSome(held) && !expired(held.value.certificate, now)
  const credential: CredentialName = works ? 'held' : 'bootstrap'
  const pause = O.isSome(lastFailure) ? after(lastFailure.value.at, lastFailure.value.delay) : now
  const request = O.toUndefined(next)
  if (request?._tag === 'Delivered') return { _tag: 'Install', delivered: request.delivered }
  if (request?._tag === 'Pending' || request?._tag === 'Approved') {
    const until = after(O.isSome(facts.submittedAt) ? facts.submittedAt.value : now, patience)
    if (now < earliest(pause, until)) return { _tag: 'Wait', until: earliest(pause, until) }
    if (now < until)
      return { _tag: 'Observe', request: request.request, known: request._tag, credential, until }
    const again = after(until, pauseAfter(facts))
    if (now < again) return { _tag: 'Wait', until: again }
  } else if (now < pause) return { _tag: 'Wait', until: pause }
  const deadline = works ? clientGoDeadline(held.value, drawnAt(facts)) : now
  if (now < deadline || O.isNone(wanted))
    return { _tag: 'Wait', until: O.isNone(wanted) ? endOfTime : deadline }
  return { _tag: 'Submit', template: wanted.value, draft: O.none, credential }
}

const attemptsOf = ({ lastFailure }: Facts): number => (O.isSome(lastFailure) ? lastFailure.value.attempt : 0)

/** The attempt with this key, under way until now, and those that failed before it. */
const failedAttempts = (facts: Facts): number => attemptsOf(facts) + (O.isSome(facts.next) ? 1 : 0)

const pauseAfter = (facts: Facts): Milliseconds => {
  const attempt = Math.max(1, failedAttempts(facts))
  const name = O.isSome(facts.wanted) ? facts.wanted.value.commonName : ''
  return clientGoPause(
    attempt,
    share(name.length, Number.parseInt(name.slice(-8), 36) || 0, jitters, attempt),
  )
}

/** What is known after a failure: `attempt` counts those of certificates; a watch that broke names its credential. */
const failed = (
  facts: Facts,
  problem: Failure,
  at: Instant,
  { attempt, delay }: { readonly attempt: number; readonly delay: Milliseconds },
  credential: O.Option<CredentialName> = O.none,
): Facts => ({
  ...facts,
  lastFailure: O.some({ at, delay, attempt, refusals: 0, failure: problem, credential }),
})

/** The attempt is over; the next one has a new key. */
const ended = (facts: Facts, problem: Failure, at: Instant): Facts => {
  // One that was given up before this one counts too.
  const attempt = failedAttempts(facts) + (problem === over ? 0 : 1)
  const known = { ...facts, next: O.none }
  return failed(known, problem, at, {
    attempt,
    delay: pauseAfter(failed(known, problem, at, { attempt, delay: 0 })),
  })
}

const over = failure('Denied', 'later', 'the request was denied, failed or deleted', 'ask who did it')
const timedOut = failure(
  'Unreachable',
  'soon',
  'timed out waiting for the certificate',
  'approve the request',
)

const evolve = (facts: Facts, event: Event): Facts => {
  const { at } = event
  const { lastFailure, next } = facts
  switch (event._tag) {
    case 'Loaded':
      return { ...facts, held: event.held, checkedAt: O.some(at) }
    case 'Submitted': {
      const attempt = failedAttempts(facts)
      const known = attempt === 0 ? facts : failed(facts, timedOut, at, { attempt, delay: 0 })
      return { ...known, next: O.some({ _tag: 'Pending', request: event.request }), submittedAt: O.some(at) }
    }
    case 'SubmitFailed':
      return ended(facts, event.failure, at)
    case 'ObserveFailed': {
      const before =
        O.isSome(lastFailure) && O.isSome(lastFailure.value.credential) ? lastFailure.value.delay : 400
      const delay = Math.min(30 * second, 2 * before)
      return failed(facts, event.failure, at, { attempt: attemptsOf(facts), delay }, O.some(event.credential))
    }
    case 'Observed': {
      if (O.isNone(next) || next.value._tag === 'Saved' || next.value._tag === 'Delivered') return facts
      const { request } = next.value
      const { observation } = event
      if (observation._tag === 'Approved') return { ...facts, next: O.some({ _tag: 'Approved', request }) }
      if (observation._tag !== 'Issued') return ended(facts, over, at)
      const delivered = { ...observation.chain, receivedAt: at }
      return { ...facts, next: O.some({ _tag: 'Delivered', request, delivered, answers: O.none }) }
    }
    case 'Installed': {
      if (O.isNone(next) || next.value._tag !== 'Delivered') return facts
      const { delivered } = next.value
      const held = {
        ...delivered,
        receivedAt: wholeSecond(delivered.receivedAt),
        rejectedAt: O.none,
        serverUntrustedAt: O.none,
      }
      return { ...facts, held: O.some(held), next: O.none, lastFailure: O.none, checkedAt: O.some(at) }
    }
    default:
      return facts
  }
}

export const clientGo: Machine = {
  decide,
  evolve,
  deadline: (held, _, drawnAt) => clientGoDeadline(held, drawnAt),
  credential: 'held',
  probeInterval: 0,
  submitInterval: 0,
  patience,
  lists: true,
  remembers: false,
}
