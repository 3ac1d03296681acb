import * as O from 'fp-ts/lib/Option.js'
import { type Effect, effects } from '../../../src/machine/effects.js'
import type { Event } from '../../../src/machine/event.js'
import { type CredentialName, type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve } from '../../../src/machine/machine.js'
import type { FailureTag } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, chain, draft, held, keyId, noon, otherTemplate, request, template, trouble } from '../samples.js'

const test = suite('effects')

const untrusted: Facts = {
  ...noFacts(O.some(template)),
  held: O.some(held({ serverUntrustedAt: O.some(noon) })),
}
const own = request(keyId(2))
const pending: Facts = { ...untrusted, next: O.some({ _tag: 'Pending', request: own }) }

const isAdopted = (facts: Facts, event: Event): boolean =>
  effects(defaultPolicy)(
    { facts, at: noon },
    { facts: evolve(defaultPolicy)(facts, event), at: noon },
    event,
  ).some(({ _tag }) => _tag === 'AdoptCluster')

const submitted = (credential: CredentialName): Event => ({
  _tag: 'Submitted',
  request: own,
  credential,
  serverTime: O.none,
  at: noon,
})
const failed = (tag: FailureTag, credential: CredentialName): Event => ({
  _tag: 'SubmitFailed',
  draft: O.none,
  credential,
  failure: trouble(tag),
  at: noon,
})
const approved: Event = { _tag: 'Observed', uid: own.uid, observation: { _tag: 'Approved' }, at: noon }
const trusted: Facts = { ...untrusted, held: O.some(held()) }

const cases: ReadonlyArray<readonly [string, Facts, Event, boolean]> = [
  ['takes a request', untrusted, submitted('bootstrap'), true],
  [
    'refuses the token: it has been verified all the same',
    untrusted,
    failed('CredentialRejected', 'bootstrap'),
    true,
  ],
  ['tells of a request', pending, approved, true],
  ['cannot be verified either', untrusted, failed('ServerUntrusted', 'bootstrap'), false],
  ['is out of reach', untrusted, failed('Unreachable', 'bootstrap'), false],
  ['was not asked', untrusted, failed('NoCredential', 'bootstrap'), false],
  ['is the one that the certificate is for', untrusted, submitted('held'), false],
  ['tells of a request of somebody else', pending, { ...approved, uid: 'other' }, false],
  ['is asked although nothing is wrong with the other', trusted, submitted('bootstrap'), false],
]
for (const [what, facts, event, expected] of cases)
  test(`${expected ? 'adopts' : 'does not adopt'} the cluster when the server of the bootstrap kubeconfig ${what}`, () => {
    assert.is(isAdopted(facts, event), expected)
  })

/** What follows from an event. */
const following = (facts: Facts, event: Event): ReadonlyArray<Effect> =>
  effects(defaultPolicy)({ facts, at: noon }, { facts: evolve(defaultPolicy)(facts, event), at: noon }, event)
const of = (tag: Effect['_tag'], found: ReadonlyArray<Effect>) => found.filter(({ _tag }) => _tag === tag)
const bare = noFacts(O.some(template))

test('a request that is under way, and its key, are kept', () => {
  assert.equal(following({ ...trusted, next: pending.next }, approved), [])
  assert.equal(following(trusted, submitted('held')), [])
})

test('where nothing is over nothing is forgotten', () => {
  assert.equal(
    following(trusted, { _tag: 'RotationRequested', why: 'requested by the embedder', at: noon }),
    [],
  )
})

test('a request that is over is discarded, and its key forgotten', () => {
  const forgotten: ReadonlyArray<Effect> = [{ _tag: 'DiscardRequest' }, { _tag: 'RetainKeys', keys: [] }]
  const taken: Event = {
    _tag: 'SubmitFailed',
    draft: O.some(draft(keyId(2))),
    credential: 'bootstrap',
    failure: trouble('NameTaken'),
    at: noon,
  }
  assert.equal(following(bare, taken), forgotten, 'in the event that tells of it')
  const denied: Event = {
    _tag: 'Observed',
    uid: own.uid,
    observation: { _tag: 'Denied', reason: '', message: '' },
    at: noon,
  }
  assert.equal(following({ ...bare, next: pending.next }, denied), forgotten)
  assert.equal(following({ ...trusted, next: pending.next }, denied), [
    { _tag: 'DiscardRequest' },
    { _tag: 'RetainKeys', keys: [keyId(1)] },
  ])
  const unwanted = { ...trusted, wanted: O.some(otherTemplate) }
  assert.equal(
    following(unwanted, submitted('held')),
    [{ _tag: 'DiscardRequest' }, { _tag: 'RetainKeys', keys: [keyId(1)] }],
    'something else is wanted by then',
  )
})

const issued = (notAfter: number): Event => ({
  _tag: 'Observed',
  uid: own.uid,
  observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), notAfter: instant(notAfter) }) },
  at: noon,
})

test('a certificate that is installed is published, and the key of the one before is forgotten', () => {
  const arrived = evolve(defaultPolicy)({ ...trusted, next: pending.next }, issued(at(2 * day)))
  const stored: Event = { _tag: 'Installed', keyId: keyId(2), at: noon }
  const after = evolve(defaultPolicy)(arrived, stored)
  assert.equal(following(arrived, stored), [
    { _tag: 'RetainKeys', keys: [keyId(2)] },
    {
      _tag: 'Publish',
      certificate: O.map(({ certificate }: ReturnType<typeof held>) => certificate)(after.held),
    },
  ])
  assert.equal(
    effects(defaultPolicy)({ facts: after, at: noon }, { facts: after, at: at(2 * day) }),
    [{ _tag: 'Publish', certificate: O.none }],
    'and none when it expires, by the time alone',
  )
})

test('what a person should know of a certificate is told once, when it arrives', () => {
  const before = { ...trusted, next: pending.next }
  const shorter = following(before, issued(at(day - minute)))
  assert.is(of('Warn', shorter).length, 1)
  const arrived = evolve(defaultPolicy)(before, issued(at(day - minute)))
  const full: Event = {
    _tag: 'InstallFailed',
    keyId: keyId(2),
    failure: trouble('StoreUnwritable'),
    at: noon,
  }
  assert.equal(following(arrived, full), [])
})

const skew = (before: number, now: number): ReadonlyArray<Effect> =>
  following(
    { ...trusted, clockSkew: before },
    { _tag: 'Submitted', request: own, credential: 'held', serverTime: O.some(at(now)), at: noon },
  )

test("a clock that differs from the server's is told when it begins to", () => {
  assert.equal(skew(0, 2 * minute), [
    {
      _tag: 'Warn',
      message: "the API server's clock is 2m ahead of ours: it says 2026-11-23T12:02:00Z; set the clocks",
    },
  ])
  assert.match(JSON.stringify(skew(0, -2 * minute)), '2m behind ours')
  assert.equal(skew(5 * minute, 6 * minute), [], 'it differs as before')
  assert.is(skew(5 * minute, 6 * minute + second).length, 1)
  assert.equal(skew(5 * minute, 0), [], 'it differs no more')
  assert.equal(skew(-2 * minute, minute), [], 'a minute is no difference')
})
