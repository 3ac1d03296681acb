/**
 * A simulated world around `decide` and `evolve`: an API server with approver and signer, a disk, a clock that can be
 * set, and a plan of what goes wrong when. Nothing in it is random: the plan says it all, so a plan is a replay.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import { inUse } from '../../../src/machine/credential.js'
import type { Event, News, Observation, Outcome } from '../../../src/machine/event.js'
import { type CredentialName, type Facts, type Held, nextKeyOf, noFacts } from '../../../src/machine/facts.js'
import { decide, evolve, stateOf } from '../../../src/machine/machine.js'
import type { Certificate, KeyId } from '../../../src/model/certificate.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { Draft, OutstandingRequest } from '../../../src/model/request.js'
import { covers } from '../../../src/model/template.js'
import {
  after,
  earliest,
  endOfTime,
  type Instant,
  type Milliseconds,
  minute,
  second,
  wholeSecond,
} from '../../../src/model/time.js'
import { certificate, keyId, noon, otherTemplate, template, trouble } from '../samples.js'
import { blank, type Journal, onAction, onEvent, onRestart } from './invariants.js'

/** What goes wrong, or changes, for a while. */
export interface Episode {
  readonly what:
    | 'the API is down'
    | 'answers are lost'
    | 'the API is overloaded'
    | 'the held certificate is rejected'
    | 'the server is untrusted'
    | 'there is no bootstrap credential'
    | 'the disk is full'
    | 'nobody approves'
    | 'requests are denied'
    | 'requests vanish'
    | 'the signer fails'
    | 'certificates have expired'
    | 'certificates are short'
    | 'certificates are early'
    | 'certificates are for another key'
    | 'another template is wanted'
    | 'nothing is wanted'
    | 'the clock is off'
  readonly from: Milliseconds
  readonly lasts: Milliseconds
  /** By how much the clock is off, how short a certificate is, how long `Retry-After`. */
  readonly by: Milliseconds
}

/** What happens at a moment. */
export interface Incident {
  readonly what:
    | 'restart'
    | 'rotation requested'
    | 'window suggested'
    | 'window withdrawn'
    | 'rejection reported'
    | 'acceptance reported'
  readonly at: Milliseconds
}

export interface Plan {
  readonly life: Milliseconds
  readonly episodes: ReadonlyArray<Episode>
  readonly incidents: ReadonlyArray<Incident>
}

export interface Run {
  readonly faults: ReadonlyArray<string>
  readonly steps: number
  readonly facts: Facts
  readonly now: Instant
  readonly events: ReadonlyArray<Event>
  /** What the machine was at last, for the replay. */
  readonly states: ReadonlyArray<Facts>
}

interface AtApi extends OutstandingRequest {
  outcome: Observation
  decidedAt: Instant
}

const answerTime = 50

/** Runs the plan, then a fair world until a certificate is in use; everything that was wrong on the way. */
export const run = (policy: RotationPolicy, { life, episodes, incidents }: Plan): Run => {
  const faults: Array<string> = []
  const events: Array<Event> = []
  const states: Array<Facts> = []
  const requests = new Map<string, AtApi>()
  const disk: { held: O.Option<Held>; draft: O.Option<Draft> } = { held: O.none, draft: O.none }
  const pending = [...incidents].sort((a, b) => b.at - a.at)
  const end = Math.max(0, ...episodes.map(({ from, lasts }) => from + lasts), ...incidents.map((i) => i.at))
  let elapsed = 0
  let keys = 1
  let steps = 0
  let facts: Facts = noFacts(O.some(template))
  let journal: Journal = blank(noon)

  const during = (what: Episode['what']): Episode | undefined =>
    episodes.find(
      (episode) => episode.what === what && episode.from <= elapsed && elapsed < episode.from + episode.lasts,
    )
  /** The server's clock is right; ours is off for a while. */
  const truth = (): Instant => after(noon, elapsed)
  const now = (): Instant => after(truth(), during('the clock is off')?.by ?? 0)
  const next = (): number =>
    Math.min(
      ...episodes.flatMap(({ from, lasts }) => [from, from + lasts]).filter((moment) => moment > elapsed),
      pending.at(-1)?.at ?? Number.POSITIVE_INFINITY,
    )

  const learn = (fact: Outcome | News, lost = false) => {
    const event: Event = { ...fact, at: now() }
    const to = evolve(policy)(facts, event)
    const before = fact._tag === 'Loaded' ? onRestart(journal, { ...fact, at: now() }) : journal
    const verdict = onEvent(policy, before, facts, event, to, lost)
    faults.push(...verdict.faults.map((fault) => `${fault} (${event._tag} after ${elapsed} ms)`))
    journal = verdict.journal
    const discarded = fact._tag === 'Loaded' ? fact.draft : O.none
    const key = O.isSome(discarded) ? O.some(discarded.value.keyId) : nextKeyOf(facts)
    facts = to
    events.push(event)
    states.push(to)
    if (O.isSome(key) && O.isNone(nextKeyOf(to))) disk.draft = O.none
  }

  const accepts = (name: CredentialName): boolean => {
    if (name === 'external') return true
    if (name === 'bootstrap') return during('there is no bootstrap credential') === undefined
    const held = O.toUndefined(facts.held)
    return (
      held !== undefined &&
      during('the held certificate is rejected') === undefined &&
      held.certificate.notBefore <= truth() &&
      truth() < held.certificate.notAfter
    )
  }
  /** Why the API does not do what is asked with this credential. */
  const objection = (name: CredentialName) => {
    const overload = during('the API is overloaded')
    if (during('the API is down')) return trouble('Unreachable')
    if (overload) return trouble('Unavailable', 'soon', O.some(overload.by))
    if (name === 'held' && during('the server is untrusted')) return trouble('ServerUntrusted')
    if (accepts(name)) return undefined
    return name === 'bootstrap' ? trouble('NoCredential', 'later') : trouble('CredentialRejected', 'later')
  }

  const issue = (own: Draft): Observation => {
    const short = during('certificates are short')
    const dates: Partial<Certificate> = during('certificates have expired')
      ? { notAfter: wholeSecond(after(truth(), -minute)) }
      : during('certificates are early')
        ? { notBefore: wholeSecond(after(truth(), 2 * minute)) }
        : short
          ? { notAfter: wholeSecond(after(truth(), Math.abs(short.by))) }
          : {}
    const signed = certificate({
      commonName: own.template.commonName,
      keyId: during('certificates are for another key') ? keyId(0xfffff) : own.keyId,
      serialNumber: String(keys),
      notBefore: wholeSecond(after(truth(), -5 * minute)),
      notAfter: wholeSecond(after(truth(), life)),
      ...dates,
    })
    return {
      _tag: 'Issued',
      chain: { certificate: signed, pem: `${signed.keyId}/${elapsed}`, verification: { _tag: 'Unchecked' } },
    }
  }
  /** Approver, signer and cleaner do their part, a second after they could. */
  const work = () => {
    for (const [name, request] of requests) {
      if (during('requests vanish')) requests.delete(name)
      if (truth() < request.decidedAt) continue
      const settle = (outcome: Observation) => {
        request.outcome = outcome
        request.decidedAt = after(truth(), second)
      }
      if (request.outcome._tag === 'Pending' && during('requests are denied'))
        settle({ _tag: 'Denied', reason: 'No', message: '' })
      else if (request.outcome._tag === 'Pending' && !during('nobody approves')) settle({ _tag: 'Approved' })
      else if (request.outcome._tag === 'Approved')
        settle(during('the signer fails') ? { _tag: 'Failed', reason: 'No', message: '' } : issue(request))
    }
  }
  const pass = (by: Milliseconds) => {
    elapsed += by
    work()
  }

  const submit = ({ template: wanted, draft, credential }: Extract<Action, { readonly _tag: 'Submit' }>) => {
    const fresh = keyId(++keys)
    const own: Draft = O.isSome(draft)
      ? draft.value
      : { name: `csr-${fresh}`, keyId: fresh, template: wanted, pem: fresh }
    if (during('the disk is full'))
      return learn({ _tag: 'SubmitFailed', draft, credential, failure: trouble('StoreUnwritable') })
    disk.draft = O.some(own)
    pass(answerTime)
    const failed = (failure: ReturnType<typeof trouble>, lost = false) =>
      learn({ _tag: 'SubmitFailed', draft: O.some(own), credential, failure }, lost)
    const refusal = objection(credential)
    if (refusal !== undefined) return failed(refusal)
    const there = requests.get(own.name)
    const request: AtApi = there ?? {
      ...own,
      uid: `${own.name}/${elapsed}`,
      resourceVersion: '1',
      outcome: { _tag: 'Pending' },
      decidedAt: after(truth(), second),
    }
    requests.set(own.name, request)
    outstanding(own)
    if (during('answers are lost')) return failed(trouble('Unreachable'), true)
    const { outcome, decidedAt: _, ...sent } = request
    learn({ _tag: 'Submitted', request: sent, credential, serverTime: O.none })
    if (outcome._tag !== 'Pending') learn({ _tag: 'Observed', uid: sent.uid, observation: outcome })
  }
  /** Invariant 4, as the API sees it: no two of our requests are open that would both do, but for forgotten ones. */
  const outstanding = (own: Draft) => {
    const open = [...requests.values()].filter(
      (other) =>
        (other.outcome._tag === 'Pending' || other.outcome._tag === 'Approved') &&
        !journal.certified.includes(other.keyId) &&
        O.isSome(facts.wanted) &&
        covers(other.template, facts.wanted.value),
    )
    if (open.length > 1) faults.push(`4: ${open.length} requests are open, ${own.name} the last`)
  }

  const observe = ({ request, known, credential, until }: Extract<Action, { readonly _tag: 'Observe' }>) => {
    pass(answerTime)
    const { uid } = request
    const limit = Math.min(next(), elapsed + life)
    for (;;) {
      const refusal = objection(credential)
      if (refusal !== undefined) return learn({ _tag: 'ObserveFailed', uid, credential, failure: refusal })
      const there = requests.get(request.name)
      if (there?.uid !== uid) return learn({ _tag: 'Observed', uid, observation: { _tag: 'Gone' } })
      if (there.outcome._tag !== known) return learn({ _tag: 'Observed', uid, observation: there.outcome })
      if (now() >= until || elapsed >= limit) return
      const due = there.decidedAt - truth()
      pass(Math.max(1, Math.min(due > 0 ? due : minute, limit - elapsed, until - now())))
    }
  }

  const install = ({ delivered }: Extract<Action, { readonly _tag: 'Install' }>) => {
    const key = delivered.certificate.keyId
    pass(answerTime)
    if (during('the disk is full'))
      return learn({ _tag: 'InstallFailed', keyId: key, failure: trouble('StoreUnwritable') })
    disk.held = O.some({
      ...delivered,
      receivedAt: wholeSecond(delivered.receivedAt),
      rejectedAt: O.none,
      serverUntrustedAt: O.none,
    })
    disk.draft = O.none
    learn({ _tag: 'Installed', keyId: key })
  }

  const perform = (action: Action) => {
    switch (action._tag) {
      case 'Submit':
        return submit(action)
      case 'Observe':
        return observe(action)
      case 'Install':
        return install(action)
      case 'Probe': {
        pass(answerTime)
        const failure = objection('held')
        return failure === undefined
          ? learn({ _tag: 'CredentialAccepted', keyId: action.keyId })
          : learn({ _tag: 'ProbeFailed', keyId: action.keyId, failure })
      }
      case 'Wait': {
        // News, and a clock that is set, end a wait; so does the plan's next moment.
        const left = action.until === endOfTime ? life : Math.max(1, action.until - now())
        return pass(Math.min(left, next() - elapsed))
      }
    }
  }

  const wanted = (): Facts['wanted'] => {
    if (during('nothing is wanted')) return O.none
    return O.some(during('another template is wanted') ? otherTemplate : template)
  }
  const heldKey = (): KeyId => O.toUndefined(facts.held)?.certificate.keyId ?? ''
  const happen = ({ what }: Incident) => {
    switch (what) {
      case 'restart':
        facts = noFacts(facts.wanted)
        return learn({ _tag: 'Loaded', ...disk })
      case 'rotation requested':
        return learn({ _tag: 'RotationRequested', why: 'requested by the embedder' })
      case 'window suggested':
        return learn({
          _tag: 'WindowSuggested',
          window: O.some({ start: after(now(), -second), end: after(now(), life), reason: '', source: '' }),
        })
      case 'window withdrawn':
        return learn({ _tag: 'WindowSuggested', window: O.none })
      case 'rejection reported':
        return learn({ _tag: 'CredentialRejected', keyId: heldKey() })
      case 'acceptance reported':
        return learn({ _tag: 'CredentialAccepted', keyId: heldKey() })
    }
  }

  const state = () => stateOf(policy)(facts, now())
  const settled = () => {
    const found = state()
    return found._tag === 'Issued' && found.stage === 'installed' && elapsed >= end && pending.length === 0
  }
  // A certificate from the time of trouble may outlive those of a signer that hands out shorter ones: it is kept so long.
  const longestLife = Math.max(life, ...episodes.map(({ by }) => Math.abs(by)))
  const patience = end + longestLife + 6 * policy.longestDelay + longestLife / 50 + 10 * minute
  while (!settled() && elapsed <= patience) {
    if (++steps > 40_000)
      return { faults: [...faults, '3: too many steps'], steps, facts, now: now(), events, states }
    const incident = pending.at(-1)
    if (incident !== undefined && incident.at <= elapsed) {
      pending.pop()
      happen(incident)
    }
    if (JSON.stringify(wanted()) !== JSON.stringify(facts.wanted))
      learn({ _tag: 'TemplateChanged', template: wanted() })
    const action = decide(policy)(facts, now())
    const verdict = onAction(policy, journal, facts, action, now())
    faults.push(
      ...verdict.faults.map((fault) => `${fault} (${action._tag} in ${state()._tag} after ${elapsed} ms)`),
    )
    journal = verdict.journal
    perform(action)
  }
  if (!settled()) faults.push(`2: no certificate in a fair world, but ${state()._tag} after ${elapsed} ms`)
  else if (O.isNone(inUse(policy, facts, earliest(now())))) faults.push('2: Issued, and nothing in use')
  return { faults, steps, facts, now: now(), events, states }
}
