import * as O from 'fp-ts/lib/Option.js'
import type { Event } from '../../../src/machine/event.js'
import { type CredentialName, type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve } from '../../../src/machine/machine.js'
import { failureOf, ongoingOf, outageOf } from '../../../src/machine/ongoing.js'
import type { FailureTag } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, chain, held, keyId, noon, request, template, trouble } from '../samples.js'

const test = suite('ongoing')

const holding: Facts = { ...noFacts(O.some(template)), held: O.some(held({ notAfter: at(300 * day) })) }
const own = request(keyId(2))
const pending: Facts = { ...holding, next: O.some({ _tag: 'Pending', request: own }) }
const bare = noFacts(O.some(template))

const known = (facts: Facts, ...events: ReadonlyArray<Event>): Facts =>
  events.reduce((before, event) => evolve(defaultPolicy)(before, event), facts)

const probe = (tag: FailureTag, when = noon): Event => ({
  _tag: 'ProbeFailed',
  keyId: keyId(1),
  failure: trouble(tag),
  at: when,
})
const submit = (tag: FailureTag, credential: CredentialName, when = noon): Event => ({
  _tag: 'SubmitFailed',
  draft: O.none,
  credential,
  failure: trouble(tag),
  at: when,
})
const submitted = (credential: CredentialName): Event => ({
  _tag: 'Submitted',
  request: own,
  credential,
  serverTime: O.none,
  at: at(day),
})
const accepted: Event = { _tag: 'CredentialAccepted', keyId: keyId(1), at: at(day) }

/** `Unreachable held 2`: each trouble, whose, and how often. */
const list = ({ ongoing }: Facts): ReadonlyArray<string> =>
  ongoing.map(
    ({ failure, credential, times }) => `${failure._tag} ${O.toUndefined(credential) ?? '-'} ${times}`,
  )

test('counts failures of a kind, with the first and the last of them', () => {
  const facts = known(holding, probe('Unreachable'), probe('Unreachable', at(hour)))
  assert.equal(facts.ongoing, [
    {
      since: noon,
      last: at(hour),
      times: 2,
      failure: trouble('Unreachable'),
      credential: O.some('held'),
    },
  ])
  assert.equal(
    ongoingOf(facts, { failure: trouble('Unreachable'), credential: O.some('held') }),
    facts.ongoing[0],
  )
  assert.is(ongoingOf(facts, { failure: trouble('Unreachable'), credential: O.none }), undefined)
})

test('tells failures of another kind and with another credential apart, the latest last', () => {
  const facts = known(
    bare,
    submit('Unreachable', 'bootstrap'),
    submit('Unavailable', 'bootstrap'),
    submit('NoCredential', 'bootstrap'),
    submit('NoCredential', 'held'),
    submit('Unreachable', 'bootstrap'),
  )
  assert.equal(list(facts), [
    'Unavailable bootstrap 1',
    'NoCredential bootstrap 1',
    'NoCredential held 1',
    'Unreachable bootstrap 2',
  ])
})

test('says since when the API has not answered: whatever was asked of it, with whatever credential', () => {
  assert.is(outageOf(holding), undefined)
  assert.is(outageOf(known(bare, submit('NoCredential', 'bootstrap'))), undefined, 'it was not asked')
  assert.is(outageOf(known(bare, submit('StoreUnwritable', 'bootstrap'))), undefined)
  assert.is(outageOf(known(holding, probe('CredentialRejected'))), undefined, 'that is an answer')
  const facts = known(
    holding,
    probe('Unreachable', at(minute)),
    probe('NoCredential', at(2 * minute)),
    submit('Unavailable', 'held', at(3 * minute)),
    submit('ServerUntrusted', 'bootstrap', noon),
  )
  assert.equal(outageOf(facts), { since: noon, times: 4, failure: trouble('ServerUntrusted') })
  const other = known(
    bare,
    submit('Unreachable', 'held', at(2 * minute)),
    submit('Unavailable', 'held', at(minute)),
    submit('Unavailable', 'bootstrap', at(3 * minute)),
  )
  assert.is(outageOf(other)?.since, at(minute))
})

const ends: ReadonlyArray<readonly [string, Facts, Event, ReadonlyArray<string>]> = [
  ['a probe that is accepted', known(holding, probe('Unreachable'), probe('ServerUntrusted')), accepted, []],
  ['a request that is sent', known(bare, submit('Unavailable', 'bootstrap')), submitted('bootstrap'), []],
  [
    'a request that is sent with another credential, not what was held against this one',
    known(bare, submit('Forbidden', 'held'), submit('Invalid', 'held'), submit('ServerUntrusted', 'held')),
    submitted('bootstrap'),
    ['Forbidden held 1', 'ServerUntrusted held 1'],
  ],
  [
    'an answer that is a refusal, the outage',
    known(bare, submit('Unreachable', 'bootstrap')),
    submit('Forbidden', 'bootstrap', at(1)),
    ['Forbidden bootstrap 1'],
  ],
  [
    'a probe that is refused, the outage',
    known(holding, probe('Unreachable')),
    probe('CredentialRejected', at(1)),
    ['CredentialRejected held 1'],
  ],
  [
    'a rejection by a connection, the outage',
    known(holding, probe('Unreachable')),
    { _tag: 'CredentialRejected', keyId: keyId(1), at: at(1) },
    [],
  ],
  [
    'no answer but a full disk, nothing',
    known(bare, submit('Unreachable', 'bootstrap')),
    submit('StoreUnwritable', 'bootstrap', at(1)),
    ['Unreachable bootstrap 1', 'StoreUnwritable bootstrap 1'],
  ],
  [
    'whoever asks again, what was denied before',
    known(pending, {
      _tag: 'Observed',
      uid: own.uid,
      observation: { _tag: 'Denied', reason: 'No', message: '' },
      at: noon,
    }),
    { _tag: 'RotationRequested', why: 'requested by the embedder', at: at(1) },
    [],
  ],
]
for (const [what, facts, event, left] of ends)
  test(`ends by ${what}`, () => assert.equal(list(known(facts, event)), left))

/** Whether a failure with the bootstrap credential goes on after an event. */
const goesOn = (tag: FailureTag, event: Event, facts = bare): boolean => {
  const failure = trouble(tag)
  const credential = O.some('bootstrap' as const)
  const before = { ...facts, ongoing: [{ failure, credential, since: noon, last: noon, times: 1 }] }
  return ongoingOf(known(before, event), { failure, credential }) !== undefined
}
const stored: Event = { _tag: 'Installed', keyId: keyId(2), at: at(1) }
const delivered = known(pending, {
  _tag: 'Observed',
  uid: own.uid,
  observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), notAfter: at(301 * day) }) },
  at: noon,
})

const kinds: ReadonlyArray<readonly [string, ReadonlyArray<FailureTag>, Event, Event]> = [
  [
    'any answer',
    ['Unreachable', 'Unavailable', 'Unintelligible'],
    submit('StoreUnwritable', 'bootstrap'),
    submit('Forbidden', 'held'),
  ],
  [
    'an answer to the same credential',
    ['ServerUntrusted', 'NoCredential'],
    submit('Forbidden', 'held'),
    submit('Forbidden', 'bootstrap'),
  ],
  [
    'the acceptance of the same credential',
    ['CredentialRejected', 'Forbidden'],
    submitted('held'),
    submitted('bootstrap'),
  ],
  [
    'a request that is sent',
    [
      'Invalid',
      'NotServed',
      'NameTaken',
      'StoreUnreadable',
      'StoreUnwritable',
      'StoreLocked',
      'Malformed',
      'KeyUnavailable',
      'TrustUnusable',
    ],
    submit('Forbidden', 'bootstrap'),
    submitted('held'),
  ],
  [
    'whoever asks again',
    ['Denied', 'SignerFailed', 'Gone', 'Defective'],
    submitted('bootstrap'),
    { _tag: 'RotationRequested', why: 'requested by the embedder', at: at(1) },
  ],
]
for (const [what, tags, other, end] of kinds)
  for (const tag of tags)
    test(`${tag} ends with ${what}`, () => {
      assert.is(goesOn(tag, other), true)
      assert.is(goesOn(tag, end), false)
      const isSettled = !['any answer', 'an answer to the same credential'].includes(what)
      assert.is(goesOn(tag, stored, delivered), !isSettled, 'a certificate that is stored settles the rest')
    })

for (const tag of ['CredentialRejected', 'Forbidden', 'Invalid', 'NotServed', 'NameTaken'] as const)
  test(`${tag} is an answer of the API`, () => {
    const observing: Event = {
      _tag: 'ObserveFailed',
      uid: own.uid,
      credential: 'held',
      failure: trouble(tag),
      at: noon,
    }
    assert.is(goesOn('Unreachable', submit(tag, 'held')), false)
    assert.is(goesOn('Unreachable', observing, pending), false)
    assert.is(goesOn('Unreachable', probe(tag), holding), false)
  })

test('a probe is an answer to the certificate held', () => {
  assert.equal(list(known(holding, probe('ServerUntrusted'), probe('Forbidden'))), ['Forbidden held 1'])
  assert.equal(list(known(holding, probe('CredentialRejected'), accepted)), [])
})

test('a certificate that is accepted does not say that its requests are allowed: one that is taken does', () => {
  const forbidden = known(holding, probe('Forbidden'), accepted)
  assert.equal(list(forbidden), ['Forbidden held 1'])
  const taken: Event = { _tag: 'Submitted', request: own, credential: 'held', serverTime: O.none, at: noon }
  assert.equal(list(known(forbidden, taken)), [])
  assert.equal(list(known(forbidden, { ...taken, credential: 'bootstrap' })), ['Forbidden held 1'])
})

test('what failed before has not failed again because something else happened', () => {
  const down = known(pending, {
    _tag: 'ObserveFailed',
    uid: own.uid,
    credential: 'held',
    failure: trouble('Unreachable'),
    at: noon,
  })
  const approved: Event = { _tag: 'Observed', uid: own.uid, observation: { _tag: 'Approved' }, at: at(1) }
  assert.is(failureOf(down, approved, known(down, approved)), undefined)
  assert.is(failureOf(holding, probe('Unreachable'), holding), undefined, 'it did not fit')
})

test('an observation that changes nothing is an answer, and counts itself', () => {
  const observed: Event = {
    _tag: 'Observed',
    uid: own.uid,
    observation: { _tag: 'Pending' },
    at: noon,
  }
  const down: Event = {
    _tag: 'ObserveFailed',
    uid: own.uid,
    credential: 'held',
    failure: trouble('Unreachable'),
    at: noon,
  }
  assert.equal(list(known(pending, down, observed, observed)), ['Unintelligible - 2'])
})

test('a certificate that is stored ends what kept it from coming, and no outage', () => {
  const delivered = known(pending, {
    _tag: 'Observed',
    uid: own.uid,
    observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), notAfter: at(301 * day) }) },
    at: noon,
  })
  const full: Event = {
    _tag: 'InstallFailed',
    keyId: keyId(2),
    failure: trouble('StoreUnwritable'),
    at: noon,
  }
  const all = {
    ...known(delivered, full),
    ongoing: known(
      bare,
      submit('Denied', 'held'),
      submit('Forbidden', 'held'),
      submit('Invalid', 'held'),
      submit('ServerUntrusted', 'held'),
    ).ongoing,
  }
  assert.equal(list(known(all, { _tag: 'Installed', keyId: keyId(2), at: at(1) })), [
    'ServerUntrusted held 1',
  ])
})

test('an event that does not fit counts nothing', () => {
  const other: Event = { _tag: 'ProbeFailed', keyId: keyId(9), failure: trouble('Unreachable'), at: noon }
  assert.is(known(holding, other), holding)
})
