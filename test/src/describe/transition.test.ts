import * as O from 'fp-ts/lib/Option.js'
import { type Transition, transitionOf } from '../../../src/describe/transition.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve, stateOf } from '../../../src/machine/machine.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, minute } from '../../../src/model/time.js'
import type { RenewalWindow } from '../../../src/model/window.js'
import { assert, suite } from '../../helper/index.js'
import { at, chain, draft, held, keyId, noon, otherTemplate, request, template, trouble } from '../samples.js'

const test = suite('transition')

const holding = (differences: Parameters<typeof held>[0] = {}): Facts => ({
  ...noFacts(O.some(template)),
  held: O.some(held(differences)),
})

/** What is told of an event. */
const window = { start: noon, end: noon, reason: 'the CA is replaced', source: 'windows.yaml' }
const suggested = (differences: Partial<RenewalWindow>): Event => ({
  _tag: 'WindowSuggested',
  window: O.some({ ...window, ...differences }),
  at: noon,
})

const told = (
  before: Facts,
  event: Event,
  policy: RotationPolicy = defaultPolicy,
): Transition | undefined => {
  const after = evolve(policy)(before, event)
  const [from, to] = [stateOf(policy)(before, event.at), stateOf(policy)(after, event.at)]
  return transitionOf(policy, { since: event.at, at: event.at, event, before, after, from, to })
}

/** What is told when nothing but the time has changed. */
const later = (facts: Facts, since: Instant, now: Instant): Transition | undefined => {
  const [from, to] = [stateOf(defaultPolicy)(facts, since), stateOf(defaultPolicy)(facts, now)]
  return transitionOf(defaultPolicy, { since, at: now, before: facts, after: facts, from, to })
}

const own = request(keyId(2))
const pending: Facts = { ...holding(), next: O.some({ _tag: 'Pending', request: own }) }
const word = (transition: Transition | undefined): string =>
  transition === undefined ? 'nothing' : `${transition.level} ${transition.reason}: ${transition.message}`

test('tells by the time alone that a certificate came due, expired, is early or valid again', () => {
  assert.match(
    word(later(holding(), noon, at(17 * hour))),
    /^info RenewDue: the rotation deadline has passed$/,
  )
  assert.match(word(later(holding(), at(17 * hour), at(day))), /^error Expired: Certificate 0a1b expired at/)
  assert.match(word(later(holding(), noon, at(-hour))), /^warn NotYetValid: .* is not valid before/)
  assert.match(word(later(holding(), at(-hour), noon)), /^info Valid: Certificate 0a1b is in use/)
  assert.is(word(later(holding(), noon, at(hour))), 'nothing')
})

test('tells of the renewal window that has a certificate renewed before its deadline', () => {
  const facts = { ...holding(), window: O.some({ ...window, start: at(hour), end: at(2 * hour) }) }
  assert.match(
    word(later(facts, noon, at(2 * hour))),
    /^info RenewDue: a renewal is due: renewal window .*the CA is replaced/,
  )
})

test('tells that a certificate expired also while a request is under way', () => {
  const transition = later(pending, noon, at(day))
  assert.match(word(transition), /^error Expired: .*Certificate 0a1b expired/)
  assert.is(transition?.to, 'Pending')
  assert.is(word(later(pending, at(day), at(2 * day))), 'nothing', 'and not again')
})

const failed = (tag: 'Unreachable' | 'CredentialRejected', credential: 'held' | 'bootstrap'): Event => ({
  _tag: 'SubmitFailed',
  at: noon,
  draft: O.none,
  credential,
  failure: trouble(tag),
})

test('tells each failure with what helps and when it is tried again, and whose credential it was about', () => {
  const nothing = noFacts(O.some(template))
  assert.match(
    word(told(nothing, failed('Unreachable', 'bootstrap'))),
    /^warn Unreachable: Unreachable happened; look into it; the next attempt is in /,
  )
  assert.match(
    word(told(nothing, failed('CredentialRejected', 'bootstrap'))),
    'happened (with the bootstrap credential); look into it',
  )
  const once = evolve(defaultPolicy)(nothing, failed('Unreachable', 'bootstrap'))
  assert.match(word(told(once, failed('Unreachable', 'bootstrap'))), 'warn Unreachable', 'the second one too')
})

test('takes another word about whose credential failed for no new failure', () => {
  const rejected = holding({ rejectedAt: O.some(noon) })
  const waiting = evolve(defaultPolicy)(rejected, failed('Unreachable', 'bootstrap'))
  assert.match(
    word(told(waiting, { _tag: 'CredentialAccepted', keyId: keyId(1), at: at(1) })),
    /^info CredentialAccepted: the server accepts the certificate after all; the API answers again, after 0s without \(1 failed attempt\)$/,
  )
})

test('says now when nothing has to be waited for', () => {
  const past: Event = { ...failed('Unreachable', 'held'), at: noon }
  const after = evolve(defaultPolicy)(holding(), past)
  const [from, to] = [
    stateOf(defaultPolicy)(holding(), at(20 * hour)),
    stateOf(defaultPolicy)(after, at(20 * hour)),
  ]
  const step = { since: noon, at: at(day), event: past, before: holding(), after, from, to }
  assert.match(word(transitionOf(defaultPolicy, step)), /the next attempt is now$/)
})

const nothingHeld = noFacts(O.some(template))
const saved = O.some(draft(keyId(2)))
const delivered = evolve(defaultPolicy)(pending, {
  _tag: 'Observed',
  uid: own.uid,
  observation: {
    _tag: 'Issued',
    chain: chain({ keyId: keyId(2), serialNumber: '0c', notAfter: at(2 * day) }),
  },
  at: noon,
})
const early = evolve(defaultPolicy)(
  { ...nothingHeld, next: pending.next },
  {
    _tag: 'Observed',
    uid: own.uid,
    observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), notBefore: at(hour) }) },
    at: noon,
  },
)
const loaded = (found: Facts['held']): Event => ({ _tag: 'Loaded', held: found, draft: saved, at: noon })
const observed = (tag: 'Approved' | 'Pending'): Event => ({
  _tag: 'Observed',
  uid: own.uid,
  observation: { _tag: tag },
  at: noon,
})
const installed: Event = { _tag: 'Installed', keyId: keyId(2), at: noon }
const probeFailed = (tag: 'Unreachable' | 'CredentialRejected'): Event => ({
  _tag: 'ProbeFailed',
  keyId: keyId(1),
  failure: trouble(tag),
  at: noon,
})

const news: ReadonlyArray<readonly [Facts, Event, RegExp]> = [
  [nothingHeld, loaded(O.none), /^info Loaded: the store has no certificate, and request csr-0002$/],
  [nothingHeld, loaded(O.some(held())), /^info Loaded: the store has a certificate, and request csr-0002$/],
  [
    nothingHeld,
    loaded(O.some(held({ notAfter: at(-1) }))),
    /the store has a certificate that expired at 2026-/,
  ],
  [
    holding(),
    { _tag: 'Submitted', request: own, credential: 'held', serverTime: O.none, at: noon },
    /^info Submitted: request sent with the held credential, waiting for approval$/,
  ],
  [pending, observed('Approved'), /^info Approved: approved, to be signed$/],
  [
    pending,
    {
      _tag: 'Observed',
      uid: own.uid,
      observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), notAfter: at(2 * day) }) },
      at: noon,
    },
    /^info Issued: issued, to be stored$/,
  ],
  [delivered, installed, /^info Installed: stored and in use, to be renewed at 2026-11-2/],
  [early, installed, /^info Installed: stored\. Certificate 0a1b is not valid before/],
  [
    holding(),
    probeFailed('Unreachable'),
    /^warn Unreachable: Unreachable happened; look into it; the server is asked again in 10m$/,
  ],
  [holding(), probeFailed('CredentialRejected'), /^warn CredentialRejected: .*with the held credential/],
  [
    holding(),
    { _tag: 'TemplateChanged', template: O.some(otherTemplate), at: noon },
    /^info TemplateChanged: another certificate is wanted$/,
  ],
  [
    holding(),
    { _tag: 'RotationRequested', why: 'the trust changed', at: noon },
    /^info RotationRequested: a rotation is due: the trust changed$/,
  ],
  [
    holding(),
    suggested({ start: at(hour), end: at(2 * hour) }),
    /^info WindowSuggested: a renewal window from 2026-11-23T13:00:00Z to 2026-11-23T14:00:00Z, suggested by windows\.yaml: the CA is replaced, to be renewed at 2026-11-23T13:00:00Z$/,
  ],
  [
    holding({ receivedAt: at(-hour), notBefore: at(-hour) }),
    suggested({ start: at(-minute), end: at(hour) }),
    /suggested by windows\.yaml: the CA is replaced; the renewal is due$/,
  ],
  [
    holding(),
    suggested({ start: noon, end: at(hour) }),
    /: the CA is replaced; the certificate came after its start, and is not renewed for it$/,
  ],
  [
    holding(),
    suggested({ start: at(23 * hour), end: at(24 * hour) }),
    /; the rotation deadline is earlier, to be renewed at 2026-11-24T04:48:00Z$/,
  ],
  [
    { ...holding(), held: O.none },
    suggested({ start: at(hour), end: at(2 * hour), reason: '' }),
    /^info WindowSuggested: a renewal window .* suggested by windows\.yaml$/,
  ],
  [holding(), suggested({ start: at(hour), end: at(hour) }), /^nothing$/],
  [
    { ...holding(), window: O.some({ ...window, start: at(hour), end: at(2 * hour) }) },
    { _tag: 'WindowSuggested', window: O.none, at: noon },
    /^info WindowSuggested: no renewal window is suggested any more, to be renewed at 2026-11-24T04:48:00Z$/,
  ],
  [
    holding(),
    { _tag: 'CredentialRejected', keyId: keyId(1), why: 'status 401', at: noon },
    /^warn CredentialRejected: a server rejects the certificate in use \(status 401\)$/,
  ],
  [holding(), { _tag: 'CredentialRejected', keyId: keyId(1), at: noon }, /rejects the certificate in use$/],
  [pending, { _tag: 'CredentialRejected', keyId: keyId(1), at: noon }, /^nothing$/],
  [holding(), { _tag: 'CredentialAccepted', keyId: keyId(1), at: noon }, /^nothing$/],
  [pending, observed('Pending'), /^warn Unintelligible: /],
  [pending, failed('Unreachable', 'held'), /^nothing$/],
  [
    pending,
    { _tag: 'ObserveFailed', uid: 'other', credential: 'held', failure: trouble('Unreachable'), at: noon },
    /^nothing$/,
  ],
  [pending, { _tag: 'Observed', uid: 'other', observation: { _tag: 'Gone' }, at: noon }, /^nothing$/],
  [
    holding({ rejectedAt: O.some(noon) }),
    { _tag: 'CredentialAccepted', keyId: keyId(1), at: noon },
    /^info CredentialAccepted: the server accepts the certificate after all$/,
  ],
  [
    pending,
    { _tag: 'InstallFailed', keyId: keyId(9), failure: trouble('StoreUnwritable'), at: noon },
    /^nothing$/,
  ],
]
for (const [before, event, expected] of news)
  test(`tells of ${event._tag}: ${expected.source}`, () => {
    assert.match(word(told(before, event)), expected)
  })

test('names the request and the certificate that it is about, and when that is renewed', () => {
  const arrived = told(pending, {
    _tag: 'Observed',
    uid: own.uid,
    observation: {
      _tag: 'Issued',
      chain: chain({ keyId: keyId(2), serialNumber: '0c', notAfter: at(2 * day) }),
    },
    at: noon,
  })
  assert.equal([arrived?.csr, arrived?.serialNumber, arrived?.rotateAt], [own.name, '0c', undefined])
  const stored = told(delivered, installed)
  assert.equal([stored?.csr, stored?.serialNumber], [own.name, '0c'])
  assert.ok(stored?.rotateAt instanceof Date)
  assert.is(told(nothingHeld, loaded(O.none))?.csr, undefined)
  const off = { ...defaultPolicy, rotate: false }
  assert.match(word(told(delivered, installed, off)), /stored and in use$/)
  assert.is(later(holding(), noon, at(17 * hour))?.at.getTime(), at(17 * hour))
})
