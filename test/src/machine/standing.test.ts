import * as O from 'fp-ts/lib/Option.js'
import { causesOf, judged, setBack, standing, turnOf } from '../../../src/machine/standing.js'
import { initial, type Knowledge, knowledgeOf } from '../../../src/machine/state.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { hour } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, draft, held, keyId, noon, otherTemplate, template, trouble } from '../samples.js'

const test = suite('standing')

const nothing = knowledgeOf(initial(O.some(template)))
const holding = (differences: Parameters<typeof held>[0] = {}): Knowledge => ({
  ...nothing,
  held: O.some(held(differences)),
})
const ask = O.some({ why: 'the trust changed', at: noon } as const)

const cases: ReadonlyArray<readonly [string, Knowledge, number, string]> = [
  ['without a certificate', nothing, 0, 'Bootstrapping'],
  ['with one that is early', holding({ notBefore: at(1) }), 0, 'Bootstrapping'],
  ['with one that is refused', holding({ rejectedAt: O.some(noon) }), 0, 'Bootstrapping'],
  ['with one that works', holding(), 0, 'Issued'],
  ['with one that is asked to be replaced', { ...holding(), asked: ask }, 0, 'RenewDue'],
  ['with one for another template', { ...holding(), wanted: O.some(otherTemplate) }, 0, 'RenewDue'],
  ['with one that satisfies while nothing is wanted', { ...holding(), wanted: O.none }, 0, 'Issued'],
  ['at its deadline', holding(), 16.8 * hour, 'RenewDue'],
  ['at its end', holding(), 24 * hour, 'Bootstrapping'],
]
for (const [when, known, later, tag] of cases)
  test(`is ${tag} ${when}`, () => {
    assert.is(standing(defaultPolicy, known, at(later))._tag, tag)
  })

test('keeps a draft that would still be accepted, and no other', () => {
  const kept = (known: Knowledge, name = keyId(2)) => {
    const state = standing(defaultPolicy, { ...known, draft: O.some(draft(name)) }, noon)
    return 'draft' in state && O.isSome(state.draft)
  }
  assert.is(kept(nothing), true)
  assert.is(kept({ ...nothing, wanted: O.none }), true)
  assert.is(kept({ ...nothing, wanted: O.some(otherTemplate) }), false, 'for another template')
  assert.is(kept({ ...holding(), asked: ask }, keyId(1)), false, 'with the key in use')
  assert.is(kept(holding()), false, 'without a reason for another certificate')
})

test('names every cause, the deadline last', () => {
  const known: Knowledge = { ...holding(), wanted: O.some(otherTemplate), asked: ask }
  assert.equal(
    causesOf(defaultPolicy, known, at(20 * hour)).map(({ _tag }) => _tag),
    ['Template', 'Asked', 'Deadline'],
  )
  assert.equal(causesOf({ ...defaultPolicy, rotate: false }, known, at(20 * hour)), [])
  assert.equal(causesOf(defaultPolicy, nothing, noon), [])
})

test('offers an early certificate, and the bootstrap credential once it has ended', () => {
  assert.is(turnOf(defaultPolicy, holding({ notBefore: at(hour) }), noon), 'held')
  assert.is(turnOf(defaultPolicy, holding(), at(24 * hour)), 'bootstrap')
  assert.is(turnOf(defaultPolicy, nothing, noon), 'bootstrap')
})

for (const tag of ['CredentialRejected', 'NoCredential', 'Forbidden'] as const)
  test(`gives the bootstrap credential its turn after ${tag}`, () => {
    const known = setBack(defaultPolicy, holding(), trouble(tag), O.some('held'), noon)
    assert.is(turnOf(defaultPolicy, known, noon), 'bootstrap')
  })

test('takes only a refusal of the held certificate for one', () => {
  const refused = (credential: 'held' | 'bootstrap', tag: 'CredentialRejected' | 'Forbidden') => {
    const known = setBack(defaultPolicy, holding(), trouble(tag), O.some(credential), noon)
    return O.isSome(known.held) && O.isSome(known.held.value.rejectedAt)
  }
  assert.is(refused('held', 'CredentialRejected'), true)
  assert.is(refused('held', 'Forbidden'), false)
  assert.is(refused('bootstrap', 'CredentialRejected'), false)
})

test('keeps the pause when a refused certificate is accepted, and forgets who had its turn', () => {
  const known = setBack(
    defaultPolicy,
    holding({ rejectedAt: O.some(noon) }),
    trouble('NoCredential'),
    O.some('bootstrap'),
    noon,
  )
  const accepted = judged(known, true, noon)
  assert.equal(
    accepted.setback,
    O.map((setback: object) => ({ ...setback, credential: O.none }))(known.setback),
  )
  assert.is(judged(holding(), true, noon).setback, O.none)
})
