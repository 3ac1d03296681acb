import * as O from 'fp-ts/lib/Option.js'
import type { Step } from '../../../src/describe/transition.js'
import type { Event, Observation } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve, stateOf } from '../../../src/machine/machine.js'
import { ageBuckets, counted, emptyTally, plusTally, type Tally } from '../../../src/metrics/tally.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, certificate, chain, held, keyId, request, template, trouble } from '../samples.js'

const test = suite('tally')

const policy = defaultPolicy

/** The tally and the facts after events, each a minute after the one before. */
const after = (start: Facts, ...events: ReadonlyArray<(now: Instant) => Event>): readonly [Tally, Facts] => {
  let [tally, facts] = [emptyTally, start]
  for (const [index, make] of events.entries()) {
    const event = make(at(index * 60 * second))
    const next = evolve(policy)(facts, event)
    const step: Step = {
      since: event.at,
      at: event.at,
      event,
      before: facts,
      after: next,
      from: stateOf(policy)(facts, event.at),
      to: stateOf(policy)(next, event.at),
    }
    tally = counted(tally, step)
    facts = next
  }
  return [tally, facts]
}

const fresh = noFacts(O.some(template))
const asked = request(keyId(2))
const submitted = (now: Instant): Event => ({
  _tag: 'Submitted',
  request: asked,
  credential: 'bootstrap',
  serverTime: O.none,
  at: now,
})
const saw =
  (observation: Observation) =>
  (now: Instant): Event => ({ _tag: 'Observed', uid: asked.uid, observation, at: now })
const issued: Observation = { _tag: 'Issued', chain: chain({ keyId: keyId(2), serialNumber: '0b' }) }
const installed = (now: Instant): Event => ({ _tag: 'Installed', keyId: keyId(2), at: now })

test('counts a request from its submission to its installation', () => {
  const [tally] = after(fresh, submitted, saw({ _tag: 'Approved' }), saw(issued), installed)
  assert.equal(tally, { ...emptyTally, submitted: 1, outcomes: { issued: 1 }, installed: 1 })
})

for (const [outcome, observation, kind] of [
  ['denied', { _tag: 'Denied', reason: 'No', message: '' }, 'Denied'],
  ['signer_failed', { _tag: 'Failed', reason: 'No', message: '' }, 'SignerFailed'],
  ['gone', { _tag: 'Gone' }, 'Gone'],
  ['defective', { _tag: 'Unreadable', problem: 'no PEM' }, 'Defective'],
  ['defective', { _tag: 'Issued', chain: chain({ keyId: keyId(3) }) }, 'Defective'],
] as const)
  test(`counts a request that was seen as ${observation._tag} as ${outcome}, and the failure as ${kind}`, () => {
    const [tally] = after(fresh, submitted, saw(observation))
    assert.equal(tally.outcomes, { [outcome]: 1 })
    assert.equal(tally.failures, { [kind]: 1 })
    assert.is(tally.renewalFailures, 1)
  })

test('counts what cannot be verified yet as a failure, and as no outcome', () => {
  const trust = trouble('TrustUnusable')
  const [tally] = after(fresh, submitted, saw({ _tag: 'Unverifiable', chain: chain(), failure: trust }))
  assert.equal(tally.outcomes, {})
  assert.equal(tally.failures, { TrustUnusable: 1 })
})

const fails =
  (kind: 'Unreachable' | 'Forbidden', always?: Instant) =>
  (now: Instant): Event => ({
    _tag: 'SubmitFailed',
    draft: O.none,
    credential: 'bootstrap',
    failure: trouble(kind),
    at: always ?? now,
  })

test('counts a failure once, however long it is known, and one of the same moment too', () => {
  const [tally] = after(
    fresh,
    fails('Unreachable'),
    submitted,
    saw({ _tag: 'Approved' }),
    saw(issued),
    installed,
  )
  assert.equal(tally.failures, { Unreachable: 1 })
  const [twice] = after(fresh, fails('Unreachable', at(0)), fails('Unreachable', at(0)))
  assert.equal(twice.failures, { Unreachable: 2 })
})

test('counts an answer that says nothing new as a failure', () => {
  const [tally] = after(fresh, submitted, saw({ _tag: 'Pending' }))
  assert.equal([tally.failures, tally.outcomes], [{ Unintelligible: 1 }, {}])
})

test('counts each attempt that fails, by kind', () => {
  const [tally] = after(fresh, fails('Unreachable'), fails('Unreachable'), fails('Forbidden'))
  assert.equal(tally.failures, { Unreachable: 2, Forbidden: 1 })
  assert.is(tally.renewalFailures, 3)
})

test('counts a certificate that is rejected as a failure, and as none of a renewal', () => {
  const rejects = (now: Instant): Event => ({
    _tag: 'ProbeFailed',
    keyId: keyId(1),
    failure: trouble('CredentialRejected'),
    at: now,
  })
  const [tally] = after({ ...fresh, held: O.some(held()) }, rejects)
  assert.equal(tally.failures, { CredentialRejected: 1 })
  assert.is(tally.renewalFailures, 0)
})

test('counts nothing for what fits nothing, or is only the time', () => {
  const [tally, facts] = after(fresh, installed, saw(issued))
  assert.is(tally, emptyTally)
  const state = stateOf(policy)(facts, at(0))
  const step = { since: at(0), at: at(0), before: facts, after: facts, from: state, to: state }
  assert.is(counted(tally, step), tally)
})

test('puts the age of what was replaced into its bucket', () => {
  const ageOf = (notBefore: number): ReadonlyArray<number> => {
    const old = held({ notBefore: at(-notBefore), notAfter: at(365 * day), serialNumber: '01' })
    const start: Facts = {
      ...fresh,
      held: O.some(old),
      requested: O.some({ why: 'the trust changed', at: at(0) }),
    }
    const [tally] = after(start, submitted, saw(issued), installed)
    assert.is(tally.installed, 1)
    assert.is(tally.replacedAges.sum, (notBefore + 2 * 60 * second) / second)
    return tally.replacedAges.counts.flatMap((count, index) => (count === 0 ? [] : [index]))
  }
  assert.equal(ageOf(hour), [2])
  assert.equal(ageOf(20 * day), [5])
  assert.equal(ageOf(2000 * day), [ageBuckets.length])
})

test('of two rotations is their sum', () => {
  const [one] = after(fresh, submitted, saw({ _tag: 'Denied', reason: '', message: '' }))
  const [other] = after(fresh, submitted, saw(issued), installed)
  const sum = plusTally(one, other)
  assert.is(sum.submitted, 2)
  assert.equal(sum.outcomes, { denied: 1, issued: 1 })
  assert.equal(plusTally(sum, sum).failures, { Denied: 2 })
  assert.is(certificate().keyId, keyId(1))
})
