/** Single transitions, each with its reason. Whole stories are in test/scenarios, everything at once in the exploration. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import { inUse } from '../../../src/machine/credential.js'
import type { Event, News, Observation, Outcome } from '../../../src/machine/event.js'
import { type Facts, nextKeyOf, noFacts, savedDraft } from '../../../src/machine/facts.js'
import { decide, evolve, stateOf as stateOfFacts } from '../../../src/machine/machine.js'
import type { State } from '../../../src/machine/state.js'
import type { Certificate } from '../../../src/model/certificate.js'
import { type Failure, failure } from '../../../src/model/failure.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { after, day, endOfTime, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, chain, draft, held, keyId, noon, otherTemplate, request, template, trouble } from '../samples.js'

const test = suite('machine')

interface Play {
  readonly facts: Facts
  readonly state: State
  readonly now: Instant
  readonly policy: RotationPolicy
  /** What becomes known so many milliseconds later. */
  readonly later: (by: number, ...facts: ReadonlyArray<Outcome | News>) => Play
  readonly next: (by?: number) => Action
}

const play = (policy: RotationPolicy, facts: Facts, now: Instant): Play => ({
  facts,
  state: stateOfFacts(policy)(facts, now),
  now,
  policy,
  later: (by, ...learnt) => {
    const to = after(now, by)
    const events = learnt.map((fact): Event => ({ ...fact, at: to }))
    return play(
      policy,
      events.reduce<Facts>((known, event) => evolve(policy)(known, event), facts),
      to,
    )
  },
  next: (by = 0) => decide(policy)(facts, after(now, by)),
})

const begin = (policy: RotationPolicy = defaultPolicy): Play => play(policy, noFacts(O.some(template)), noon)

const loaded = (
  differences: Parameters<typeof held>[0] = {},
  kept: Parameters<typeof draft>[0] | undefined = undefined,
): Outcome => ({
  _tag: 'Loaded',
  held: O.some(held(differences)),
  draft: kept === undefined ? O.none : O.some(draft(kept)),
})
const own = request(keyId(2))
const { uid } = own
const submitted: Outcome = { _tag: 'Submitted', request: own, credential: 'held', serverTime: O.none }
const bootstrapped: Outcome = { ...submitted, credential: 'bootstrap' }
const observed = (observation: Observation, of = uid): Outcome => ({ _tag: 'Observed', uid: of, observation })
const issued = (differences: Partial<Certificate> = {}): Outcome =>
  observed({ _tag: 'Issued', chain: chain({ keyId: keyId(2), notAfter: at(2 * day), ...differences }) })
const installed: Outcome = { _tag: 'Installed', keyId: keyId(2) }
const submitFailed = (problem: Failure, credential: 'held' | 'bootstrap'): Outcome => ({
  _tag: 'SubmitFailed',
  draft: O.some(draft(keyId(2))),
  credential,
  failure: problem,
})
const diskFull: Outcome = { _tag: 'InstallFailed', keyId: keyId(2), failure: trouble('StoreUnwritable') }
const unobserved = (of: string): Outcome => ({
  _tag: 'ObserveFailed',
  uid: of,
  credential: 'held',
  failure: trouble('Unreachable'),
})
const probed = (problem: 'CredentialRejected' | 'Unreachable'): Outcome => ({
  _tag: 'ProbeFailed',
  keyId: keyId(1),
  failure: trouble(problem),
})
const rejected: News = { _tag: 'CredentialRejected', keyId: keyId(1) }
const accepted: News = { _tag: 'CredentialAccepted', keyId: keyId(1) }
const wants = (wanted: typeof template | undefined): News => ({
  _tag: 'TemplateChanged',
  template: O.fromNullable(wanted),
})
const requested: News = { _tag: 'RotationRequested', why: 'requested by the embedder' }
const denial: Observation = { _tag: 'Denied', reason: '', message: '' }
const denied = observed(denial)

const stateOf = ({ state }: Play): string => (state._tag === 'Issued' ? `Issued, ${state.stage}` : state._tag)

/** A renewal that waits for approval. */
const pending = () =>
  begin()
    .later(0, loaded())
    .later(20 * hour, submitted)

// Bootstrapping ---------------------------------------------------------------------------------------------------

test('says why no certificate works', () => {
  const why = ({ state }: Play) => (state._tag === 'Bootstrapping' ? state.why : state._tag)
  assert.is(why(begin()), 'NoCertificate')
  assert.is(why(begin().later(0, loaded()).later(day)), 'Expired')
  assert.is(why(begin().later(0, loaded({ notBefore: at(hour) }))), 'NotYetValid')
  assert.is(why(begin().later(0, loaded({ notBefore: at(hour) }), rejected)), 'NotYetValid')
  assert.is(why(begin().later(0, loaded(), rejected)), 'Rejected')
  assert.is(why(begin().later(0, loaded({ serverUntrustedAt: O.some(noon) }))), 'ServerUntrusted')
})

test('waits for the end of a certificate that is rejected where nothing is wanted', () => {
  const policy = { ...defaultPolicy, probeInterval: 0 }
  const unwanted = begin(policy).later(0, wants(undefined), loaded(), rejected)
  assert.equal(unwanted.next(17 * hour), { _tag: 'Wait', until: at(day) })
})

test('a minute is no difference between clocks', () => {
  const skew = (by: number) =>
    begin().later(0, loaded(), { ...submitted, serverTime: O.some(at(by)) }).facts.clockSkew
  assert.is(skew(minute), 0)
  assert.is(skew(minute + second), minute + second)
  assert.is(skew(-minute - second), -minute - second)
})

test('asks soon for something else than what was denied, and not for the same', () => {
  const lasting = begin()
    .later(0, loaded({ notAfter: at(300 * day) }), requested)
    .later(minute, submitted, denied)
    .later(hour, submitted, denied)
  const delay = (news: News) => O.toUndefined(lasting.later(second, news).facts.lastFailure)?.delay ?? 0
  assert.ok(delay(wants(template)) > defaultPolicy.submitInterval)
  assert.is(delay(wants(otherTemplate)), defaultPolicy.submitInterval)
})

// Renewal ---------------------------------------------------------------------------------------------------------

test('is due at the deadline, by the time alone', () => {
  const justBefore = begin()
    .later(0, loaded(), accepted)
    .later(16 * hour + 48 * minute - 1, accepted)
  assert.is(stateOf(justBefore), 'Issued, installed')
  assert.is(justBefore.next(1)._tag, 'Submit')
  assert.is(stateOf(justBefore.later(1)), 'RenewDue')
})

const suggests = (start: number, end: number): News => ({
  _tag: 'WindowSuggested',
  window: O.some({ start: at(start), end: at(end), reason: 'the CA is replaced', source: 'a file' }),
})

test('wakes at its instant in a renewal window, renews once, and is at rest again', () => {
  const suggested = begin()
    .later(0, loaded(), accepted)
    .later(minute, suggests(hour, 2 * hour))
    .later(59 * minute - 1, accepted)
  assert.is(stateOf(suggested), 'Issued, installed')
  assert.is(suggested.next(1)._tag, 'Submit')
  assert.is(stateOf(suggested.later(1)), 'RenewDue')
  const renewed = suggested.later(minute, submitted).later(minute, issued()).later(second, installed)
  assert.is(stateOf(renewed), 'Issued, installed')
})

test('takes nonsense for no answer, and a window that is withdrawn for none', () => {
  const suggested = begin()
    .later(0, loaded(), accepted)
    .later(minute, suggests(hour, 2 * hour))
  assert.equal(suggested.later(0, suggests(2 * hour, 2 * hour)).facts.window, suggested.facts.window)
  const withdrawn = suggested.later(0, { _tag: 'WindowSuggested', window: O.none })
  assert.equal(withdrawn.facts.window, O.none)
  assert.is(stateOf(withdrawn.later(2 * hour)), 'Issued, installed')
})

test('goes on with a request whose window is withdrawn, also when the same template is told again', () => {
  const asked = begin()
    .later(0, loaded(), accepted, suggests(hour, 2 * hour))
    .later(2 * hour, submitted)
  const goesOn = asked.later(minute, { _tag: 'WindowSuggested', window: O.none }, wants(template))
  assert.equal([stateOf(goesOn), goesOn.facts.next], ['Pending', asked.facts.next])
  assert.is(stateOf(goesOn.later(minute, wants(otherTemplate))), 'RenewDue')
})

test('notices a server that rejects the certificate also while a refusal is waited for', () => {
  const forbidden = submitFailed(trouble('Forbidden', 'later'), 'held')
  const lasting = begin().later(0, loaded({ notAfter: at(300 * day) }), accepted)
  const pauseOf = ({ facts }: Play) => O.toUndefined(facts.lastFailure) ?? { at: noon, delay: 0 }
  let refused = lasting.later(270 * day, forbidden)
  while (pauseOf(refused).delay < hour) refused = refused.later(pauseOf(refused).delay, forbidden)
  const { at: since, delay } = pauseOf(refused)
  assert.equal(
    refused.next(),
    { _tag: 'Wait', until: after(since, 10 * minute) },
    'the refusal was an answer',
  )
  assert.is(refused.next(10 * minute)._tag, 'Probe')
  const seen = refused.later(10 * minute, accepted)
  assert.equal(seen.next(), { _tag: 'Wait', until: after(since, 20 * minute) })
  assert.is(refused.later(11 * minute, probed('CredentialRejected')).state._tag, 'Bootstrapping')
  assert.is(seen.next(delay - 10 * minute)._tag, 'Submit')
  // Pauses that may end soon are as short as the time between two probes.
  const away = submitFailed(trouble('Unavailable', 'soon', O.some(hour)), 'held')
  assert.equal(lasting.later(270 * day, away).next(9 * minute)._tag, 'Wait')
})

test('does not install a certificate that has expired since it arrived', () => {
  const short = begin().later(0, submitted, issued({ notAfter: at(minute) }))
  assert.is(short.next()._tag, 'Install')
  assert.is(short.next(minute)._tag, 'Submit')
  assert.is(stateOf(short.later(minute)), 'Bootstrapping')
})

test('does not install one that expired before it could be stored, when the rejected one works again', () => {
  const play = begin().later(0, loaded(), rejected, bootstrapped, issued({ notAfter: at(minute) }), accepted)
  assert.is(play.next()._tag, 'Install')
  assert.is(play.next(minute)._tag, 'Wait')
  assert.is(stateOf(play.later(minute)), 'Issued, installed')
})

test('sends no request for a certificate that became valid in this moment', () => {
  const early = begin().later(0, loaded({ notBefore: at(second) }))
  assert.is(early.next(second)._tag, 'Probe')
  assert.is(stateOf(early.later(second)), 'Issued, installed')
})

test('does not renew when rotation is switched off, whatever is asked', () => {
  const off = begin({ ...defaultPolicy, rotate: false })
    .later(0, loaded())
    .later(23 * hour, requested, wants(otherTemplate))
  assert.is(stateOf(off), 'Issued, installed')
  const expired = off.later(hour)
  assert.is(stateOf(expired), 'Bootstrapping')
  assert.is(expired.next()._tag, 'Submit')
})

test('answers a rotation that was requested before the certificate was issued, once', () => {
  const play = pending().later(second, requested, issued(), installed)
  assert.is(stateOf(play), 'Issued, installed')
})

test('rotates once more when that is requested after the certificate was issued', () => {
  const play = pending().later(second, issued(), requested, installed)
  assert.is(stateOf(play), 'RenewDue')
})

test('remembers that a rotation was requested when the certificate that answered it is lost', () => {
  const play = pending().later(second, requested, issued(), wants(otherTemplate), wants(template))
  assert.ok(play.state._tag === 'RenewDue' && play.state.causes.some(({ _tag }) => _tag === 'Requested'))
})

// Requests --------------------------------------------------------------------------------------------------------

test('takes a request for an old template that the API has for forgotten', () => {
  const play = begin().later(0, wants(otherTemplate), submitted)
  assert.is(stateOf(play), 'Bootstrapping')
  assert.equal(nextKeyOf(play.facts), O.none)
  assert.is(play.next()._tag, 'Wait')
})

test('sends what vanished again with the same key, and what was denied with a new one', () => {
  const gone = pending().later(second, observed({ _tag: 'Gone' }))
  assert.equal(nextKeyOf(gone.facts), O.some(keyId(2)))
  assert.equal(nextKeyOf(pending().later(second, denied).facts), O.none)
})

const complaint = ({ facts: { lastFailure } }: Play): string =>
  O.isSome(lastFailure) ? lastFailure.value.failure.message : ''

test('says when nobody gave a reason', () => {
  assert.match(complaint(pending().later(second, denied)), '(no reason given)')
})

test('says everything that is wrong with a certificate', () => {
  const play = pending().later(second, issued({ keyId: keyId(3), commonName: 'somebody' }))
  assert.match(complaint(play), 'it is for another key; common name is somebody')
})

test('pauses when the API says that a request changed, and it has not', () => {
  for (const play of [
    pending().later(second, observed({ _tag: 'Pending' })),
    pending().later(second, observed({ _tag: 'Approved' }), observed({ _tag: 'Approved' })),
    pending().later(second, observed({ _tag: 'Approved' }), observed({ _tag: 'Pending' })),
  ])
    assert.is(play.next()._tag, 'Wait')
})

test('pauses when it could not look at its request, and looks again', () => {
  const play = pending().later(second, unobserved(uid))
  assert.equal([stateOf(play), play.next()._tag, play.next(minute)._tag], ['Pending', 'Wait', 'Observe'])
})

test('keeps submits apart when addresses flap', () => {
  const flapping = pending().later(second, wants(otherTemplate))
  assert.equal(flapping.next(), { _tag: 'Wait', until: after(flapping.now, 9 * second) })
})

test('returns to Issued when the template is again what the certificate satisfies', () => {
  const play = begin().later(0, loaded(), wants(otherTemplate), {
    ...submitted,
    request: request(keyId(2), otherTemplate),
  })
  assert.is(stateOf(play), 'Pending')
  assert.is(stateOf(play.later(second, wants(template))), 'Issued, installed')
})

test('goes on with a request that a smaller template would still accept', () => {
  const names = (...dnsNames: ReadonlyArray<string>) => ({ ...template, dnsNames })
  const wide = request(keyId(2), names('a.example', 'b.example'))
  const play = begin()
    .later(0, loaded(), wants(wide.template), { ...submitted, request: wide })
    .later(second, wants(names('a.example')))
  assert.is(stateOf(play), 'Pending')
  assert.equal(play.facts.wanted, O.some(names('a.example')))
})

test('does not use the key of a request again that it gave up, for it may be certified by now', () => {
  const more = { ...template, dnsNames: ['more.example'] }
  const play = begin()
    .later(0, loaded(), wants(more), { ...submitted, request: request(keyId(2), more) })
    .later(second, wants(template))
    .later(20 * hour)
  assert.equal([stateOf(play), nextKeyOf(play.facts)], ['RenewDue', O.none])
})

test('takes up a saved request after a restart, although the certificate is good for long', () => {
  const play = begin().later(0, loaded({}, keyId(2)))
  assert.is(stateOf(play), 'RenewDue')
  const next = play.next()
  assert.equal(next._tag === 'Submit' ? next.draft : O.none, O.some(draft(keyId(2))))
})

test('takes up a saved request for the reason that there is, where there is one', () => {
  const { state, facts } = begin().later(0, loaded({ notAfter: at(minute), receivedAt: at(-hour) }, keyId(2)))
  assert.equal(state._tag === 'RenewDue' && [savedDraft(facts), state.causes], [
    O.some(draft(keyId(2))),
    [{ _tag: 'Deadline' }],
  ])
})

test('takes up a saved request also when the certificate beside it becomes valid only after the restart', () => {
  const early = begin().later(0, loaded({ notBefore: at(minute) }, keyId(2)))
  assert.is(early.state._tag, 'Bootstrapping')
  const { state, facts } = early.later(minute)
  assert.equal(state._tag === 'RenewDue' && [savedDraft(facts), state.causes], [
    O.some(draft(keyId(2))),
    [{ _tag: 'Requested', why: 'a request was already under way' }],
  ])
})

test('forgets a saved request whose certificate is installed', () => {
  assert.is(stateOf(begin().later(0, loaded({}, keyId(1)))), 'Issued, installed')
})

/** Events that do not fit what is known. */
const misfits: ReadonlyArray<readonly [string, () => Play, Outcome | News]> = [
  ['a second loading', () => begin().later(0, loaded()), loaded({ keyId: keyId(3) })],
  ['a loading while the certificate is rejected', () => begin().later(0, loaded(), rejected), loaded()],
  ['a loading while a request is out', () => begin().later(0, submitted), loaded()],
  [
    'a loading after a failure',
    () => begin().later(0, submitFailed(trouble('NameTaken'), 'bootstrap')),
    loaded(),
  ],
  ['a loading after a request', () => begin().later(0, wants(otherTemplate), submitted), loaded()],
  ['a second request', pending, { ...submitted, request: request(keyId(3)) }],
  ['the failure of a second request', pending, submitFailed(trouble('Unreachable'), 'held')],
  ['news of another request', pending, observed(denial, 'another')],
  ['news of a request after its certificate came', () => pending().later(0, issued()), denied],
  ['news of a request that is not out', () => begin().later(0, loaded()), denied],
  ['a failed look at another request', pending, unobserved('another')],
  [
    'the storing of another certificate',
    () => pending().later(0, issued()),
    { ...installed, keyId: keyId(3) },
  ],
  ['the storing of a certificate that has not come', pending, installed],
  ['a second storing', () => pending().later(0, issued(), installed), installed],
  [
    'that another certificate cannot be stored',
    () => pending().later(0, issued()),
    { ...diskFull, keyId: keyId(3) },
  ],
  ['a probe that failed while a request is out', pending, probed('CredentialRejected')],
  [
    'a failed probe of another certificate',
    () => begin().later(0, loaded({ keyId: keyId(3) })),
    probed('Unreachable'),
  ],
  ['the rejection of another certificate', () => begin().later(0, loaded({ keyId: keyId(3) })), rejected],
  ['the rejection of a certificate where there is none', begin, rejected],
]
for (const [what, before, fact] of misfits)
  test(`is not changed by ${what}`, () => {
    const play = before()
    assert.is(play.later(second, fact).facts, play.facts)
  })

// Storing ---------------------------------------------------------------------------------------------------------

test('retries an installation as an installation', () => {
  const play = pending().later(second, issued(), diskFull)
  assert.is(play.next()._tag, 'Wait')
  assert.is(play.next(minute)._tag, 'Install')
})

test('uses a delivered certificate from memory when the held one ends', () => {
  const play = pending().later(second, issued(), diskFull)
  const used = (by: number) => O.toUndefined(inUse(defaultPolicy, play.facts, after(play.now, by)))?.keyId
  assert.equal([used(0), used(4 * hour), used(2 * day)], [keyId(1), keyId(2), undefined])
})

test('stores a certificate that is in use from memory, although another is wanted by now', () => {
  const play = begin().later(0, submitted, issued(), diskFull, wants(otherTemplate))
  assert.is(stateOf(play), 'Issued, delivered')
  assert.is(stateOf(play.later(minute, installed)), 'RenewDue')
})

test('drops a delivered certificate when another is wanted and the held one works', () => {
  const play = pending().later(second, issued(), diskFull, wants(otherTemplate))
  assert.equal([stateOf(play), nextKeyOf(play.facts)], ['RenewDue', O.none])
})

test('keeps a delivered certificate that satisfies the new template by chance', () => {
  const more = { ...template, dnsNames: ['more.example'] }
  const play = pending().later(second, issued({ dnsNames: more.dnsNames }), diskFull, wants(more))
  assert.is(stateOf(play), 'Issued, delivered')
  assert.is(stateOf(play.later(minute, installed)), 'Issued, installed')
})

test('notices that a delivered certificate ends before it could be stored', () => {
  const later = failure('StoreUnwritable', 'later', 'disk full', 'make room')
  const play = begin().later(0, submitted, issued({ notAfter: at(second) }), { ...diskFull, failure: later })
  assert.equal(play.next(), { _tag: 'Wait', until: at(second) })
})

test('lets a certificate that is not valid yet wait in memory while the held one works', () => {
  const play = pending().later(second, issued({ notBefore: at(21 * hour) }))
  assert.equal(play.next(), { _tag: 'Wait', until: at(21 * hour) })
  assert.is(play.next(hour - second)._tag, 'Install')
})

test('stores a certificate that is not valid yet where none works, and waits for its time', () => {
  const play = begin({ ...defaultPolicy, probeInterval: 0 }).later(
    0,
    submitted,
    issued({ notBefore: at(hour) }),
    installed,
  )
  assert.is(stateOf(play), 'Bootstrapping')
  assert.equal(play.next(), { _tag: 'Wait', until: at(hour) })
  assert.is(stateOf(play.later(hour)), 'Issued, installed')
})

test('keeps whole seconds of the receipt, as a file name does', () => {
  const play = begin().later(1_234, submitted, issued(), installed)
  assert.is(O.toUndefined(play.facts.held)?.receivedAt, at(second))
})

// Credentials -----------------------------------------------------------------------------------------------------

const credentialOf = (play: Play, by = 10 * minute): string => {
  const action = play.next(by)
  return 'credential' in action ? action.credential : action._tag
}

test('sends the request for another template with the certificate that is early', () => {
  assert.is(credentialOf(begin().later(0, loaded({ notBefore: at(hour) }), wants(otherTemplate)), 0), 'held')
})

test('does not wait for the time of an early certificate that is rejected', () => {
  assert.is(credentialOf(begin().later(0, loaded({ notBefore: at(hour) }), rejected), 0), 'bootstrap')
})

test('watches with the bootstrap credential once the server rejects the certificate', () => {
  assert.is(credentialOf(pending(), 0), 'held')
  const play = pending().later(second, rejected)
  assert.equal([stateOf(play), credentialOf(play, 0)], ['Pending', 'bootstrap'])
})

test('notices the end of the held certificate whoever watches', () => {
  const action = pending().later(second, rejected).next()
  assert.is(action._tag === 'Observe' ? action.until : noon, at(day))
  const without = begin().later(0, submitted).next()
  assert.is(without._tag === 'Observe' ? without.until : noon, endOfTime)
})

const turns: ReadonlyArray<readonly [string, Failure, string]> = [
  ['there is no bootstrap credential', trouble('NoCredential'), 'Probe'],
  ['the bootstrap credential is rejected too', trouble('CredentialRejected'), 'Probe'],
  ['the disk is full', trouble('StoreUnwritable'), 'Probe'],
  ['the API is out of reach', trouble('Unreachable'), 'bootstrap'],
  ['the API is overloaded', trouble('Unavailable'), 'bootstrap'],
]
for (const [reason, problem, next] of turns)
  test(`goes on with ${next} while the certificate is rejected and ${reason}`, () => {
    const play = begin().later(0, loaded(), rejected, submitFailed(problem, 'bootstrap'))
    assert.is(credentialOf(play), next)
  })

test('asks about the rejected certificate after a request that was denied', () => {
  assert.is(credentialOf(begin().later(0, loaded(), rejected, bootstrapped, denied)), 'Probe')
})

/** The certificate is rejected, and there is no bootstrap credential. */
const rejectedWithoutBootstrap = (): Play =>
  begin().later(0, loaded(), rejected, submitFailed(trouble('NoCredential'), 'bootstrap'))

test('leaves the turn to the certificate when it is rejected once more', () => {
  const play = rejectedWithoutBootstrap().later(0, rejected)
  assert.is(credentialOf(play), 'Probe')
})

test('leaves the turn to the bootstrap credential where the accepted certificate may not ask', () => {
  const play = pending().later(second, denied, submitFailed(trouble('Forbidden'), 'held'), accepted)
  assert.is(credentialOf(play), 'bootstrap')
})

test('goes on with the bootstrap credential when the rejected certificate still is', () => {
  const play = rejectedWithoutBootstrap().later(0, probed('CredentialRejected'))
  assert.is(credentialOf(play), 'bootstrap')
})

test('pauses when nobody answers whether the rejected certificate works', () => {
  const play = rejectedWithoutBootstrap().later(minute, probed('Unreachable'))
  assert.is(play.next()._tag, 'Wait')
})

test('returns to Issued when the rejected certificate works after all', () => {
  const play = begin().later(0, loaded(), rejected, accepted)
  assert.is(stateOf(play), 'Issued, installed')
})

test('does not ask in a loop when servers disagree about the certificate', () => {
  const play = rejectedWithoutBootstrap().later(0, accepted, rejected)
  assert.is(play.next()._tag, 'Wait')
})

test('keeps the time of the first rejection', () => {
  const play = begin().later(0, loaded(), rejected).later(second, rejected)
  assert.equal(O.toUndefined(play.facts.held)?.rejectedAt, O.some(noon))
})

test('takes a probe without an answer for no rejection', () => {
  const play = begin().later(0, loaded())
  assert.is(play.next()._tag, 'Probe')
  assert.equal(play.later(0, probed('Unreachable')).next(), { _tag: 'Wait', until: at(10 * minute) })
})

test('uses the external credential only, and lets nobody reject the certificate', () => {
  const play = begin({ ...defaultPolicy, authenticateWith: 'external' }).later(0, loaded(), rejected)
  assert.is(stateOf(play), 'Issued, installed')
  assert.is(O.toUndefined(play.facts.held)?.rejectedAt, O.none)
  assert.is(play.next()._tag, 'Wait', 'nor asks the server about it')
  assert.is(credentialOf(play.later(20 * hour), 0), 'external')
})

// Time ------------------------------------------------------------------------------------------------------------

test('tries at once when the clock was set to before the last failure', () => {
  const play = begin().later(0, submitFailed(trouble('Unreachable', 'later'), 'bootstrap'))
  assert.is(play.next()._tag, 'Wait')
  assert.is(play.next(-1)._tag, 'Submit')
})

test('never waits past the end of the certificate in use', () => {
  const nearlyOver = begin()
    .later(0, loaded({ notAfter: at(21 * hour) }))
    .later(21 * hour - 500)
  const play = nearlyOver.later(0, submitFailed(trouble('Unavailable', 'soon', O.some(day)), 'held'))
  assert.equal(play.next(), { _tag: 'Wait', until: at(21 * hour) })
})

test('waits to be told what is wanted', () => {
  const play = begin().later(0, wants(undefined))
  assert.equal(play.next(), { _tag: 'Wait', until: endOfTime })
  const due = begin()
    .later(0, loaded(), wants(undefined))
    .later(20 * hour, accepted)
  assert.equal([stateOf(due), due.next()._tag], ['RenewDue', 'Wait'])
})

test('waits for the end when nothing is wanted at the deadline', () => {
  const play = begin({ ...defaultPolicy, probeInterval: 0 })
    .later(0, loaded(), wants(undefined))
    .later(16.8 * hour)
  assert.equal([stateOf(play), play.next()], ['RenewDue', { _tag: 'Wait', until: at(day) }])
})
