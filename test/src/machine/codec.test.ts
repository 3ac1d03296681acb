import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { EventCodec, FactsCodec, PolicyCodec } from '../../../src/machine/codec.js'
import { noFacts } from '../../../src/machine/facts.js'
import { type Json, type Problem, problemOf } from '../../../src/model/codec.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { draft, held, keyId, noon, request, trouble } from '../samples.js'
import { events, facts, policy } from './arbitraries.js'

const test = suite('codecs of facts and events')

const numRuns = sample(60, 1_000)

/** Written as text, and read again. */
const again = <A>(codec: t.Type<A, Json>, value: A): unknown => {
  const read = codec.decode(JSON.parse(JSON.stringify(codec.encode(value))))
  if (E.isLeft(read)) throw new Error(JSON.stringify(problemOf(read.left)))
  return read.right
}

/** Records as everybody makes them: fast-check's may have no prototype. */
const plain = <A>(values: fc.Arbitrary<A>): fc.Arbitrary<A> => values.map((value) => structuredClone(value))

test('facts are the same when they were written and read', () => {
  fc.assert(
    fc.property(plain(facts), (value) => assert.equal(again(FactsCodec, value), value)),
    { numRuns, seed },
  )
})

for (const [tag, event] of Object.entries(events))
  test(`${tag} is the same when it was written and read`, () => {
    fc.assert(
      fc.property(plain<t.TypeOf<typeof EventCodec>>(event), (value) =>
        assert.equal(again(EventCodec, value), value),
      ),
      { numRuns, seed },
    )
  })

test('a policy is the same when it was written and read', () => {
  fc.assert(
    fc.property(plain(policy), (value) => assert.equal(again(PolicyCodec, value), value)),
    { numRuns, seed },
  )
})

test('a field that is not known is passed over, one that is absent is null', () => {
  const event = { _tag: 'TemplateChanged', at: '2026-11-23T12:00:00.000Z', more: 1 }
  assert.equal(
    E.map((value: t.TypeOf<typeof EventCodec>) => EventCodec.encode(value))(EventCodec.decode(event)),
    E.right({ _tag: 'TemplateChanged', at: '2026-11-23T12:00:00.000Z', template: null }),
  )
})

const at = noon
const loaded = EventCodec.encode({
  _tag: 'Loaded',
  at,
  held: { _tag: 'Some', value: held() },
  draft: { _tag: 'Some', value: draft(keyId(2)) },
})
const failed = EventCodec.encode({
  _tag: 'ObserveFailed',
  at,
  uid: 'u',
  credential: 'held',
  failure: trouble('Forbidden'),
})
const submitted = EventCodec.encode({
  _tag: 'Submitted',
  at,
  request: request(keyId(2)),
  credential: 'held',
  serverTime: { _tag: 'Some', value: at },
})
const observed = { _tag: 'Observed', at: '2026-11-23T12:00:00.000Z', uid: 'u' }

/** The same with another value in one place. */
const altered = (json: unknown, [name, ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (name === undefined) return value
  const fields = typeof json === 'object' && json !== null ? Object.entries(json) : []
  const changed = fields.map(([key, inner]) => [key, key === name ? altered(inner, rest, value) : inner])
  return Array.isArray(json) ? changed.map(([, inner]) => inner) : Object.fromEntries(changed)
}

const notAnInstant = 'must be an instant such as 2026-11-23T17:20:02.000Z'

const flaws: ReadonlyArray<readonly [unknown, Problem]> = [
  [null, { where: '', what: 'must be a mapping of fields' }],
  [altered(loaded, ['_tag'], 'Unloaded'), { where: '_tag', what: 'is none that this version knows' }],
  [altered(loaded, ['at'], '2026-02-30T12:00:00.000Z'), { where: 'at', what: notAnInstant }],
  [altered(loaded, ['at'], '2026-11-23T12:00:00Z'), { where: 'at', what: notAnInstant }],
  [altered(loaded, ['at'], 0), { where: 'at', what: notAnInstant }],
  [
    altered(loaded, ['held', 'certificate', 'notAfter'], 'tomorrow'),
    { where: 'held.certificate.notAfter', what: notAnInstant },
  ],
  [
    altered(loaded, ['held', 'certificate', 'extendedKeyUsages', '0'], 1),
    { where: 'held.certificate.extendedKeyUsages[0]', what: 'must be a string' },
  ],
  [
    altered(loaded, ['held', 'verification', '_tag'], 'Doubted'),
    { where: 'held.verification._tag', what: 'is none that this version knows' },
  ],
  [
    altered(loaded, ['draft', 'template', 'usages', '1'], null),
    { where: 'draft.template.usages[1]', what: 'must be a string' },
  ],
  [altered(loaded, ['draft'], 'none'), { where: 'draft', what: 'must be a mapping of fields' }],
  [
    altered(submitted, ['credential'], 'mine'),
    { where: 'credential', what: 'must be a name of a credential' },
  ],
  [
    altered(failed, ['failure', '_tag'], 'Bored'),
    { where: 'failure._tag', what: 'must be a kind of failure that this version knows' },
  ],
  [
    altered(failed, ['failure', 'retryAfter'], 'soon'),
    { where: 'failure.retryAfter', what: 'must be a number of milliseconds' },
  ],
  [
    altered(failed, ['failure', 'retry'], 'never'),
    { where: 'failure.retry', what: 'must be a word for when to try again' },
  ],
  [
    { ...observed, observation: { _tag: 'Seen' } },
    { where: 'observation._tag', what: 'is none that this version knows' },
  ],
  [
    { ...observed, observation: { _tag: 'Denied', reason: 'r' } },
    { where: 'observation.message', what: 'must be a string' },
  ],
]

for (const [json, problem] of flaws)
  test(`names the place: ${problem.where || 'the whole'} ${problem.what}`, () => {
    const read = EventCodec.decode(json)
    if (E.isRight(read)) throw new Error('it was read')
    assert.equal(problemOf(read.left), problem)
  })

test('names the place in facts', () => {
  const read = FactsCodec.decode({ next: { _tag: 'Pending', request: { ...draft(keyId(1)), uid: 1 } } })
  if (E.isRight(read)) throw new Error('it was read')
  assert.is(problemOf(read.left).where, 'next.request.uid')
})

test('reads facts that were written before ongoing and servers that cannot be verified were known', () => {
  const now = FactsCodec.encode({
    ...noFacts({ _tag: 'None' }),
    held: { _tag: 'Some', value: held() },
  })
  const before = JSON.stringify(now, (key, value) =>
    key === 'ongoing' || key === 'serverUntrustedAt' ? undefined : value,
  )
  assert.not.match(before, 'ongoing')
  assert.equal(FactsCodec.decode(JSON.parse(before)), FactsCodec.decode(JSON.parse(JSON.stringify(now))))
  const read = FactsCodec.decode({ ...JSON.parse(before), ongoing: [{ since: 'then' }] })
  if (E.isRight(read)) throw new Error('it was read')
  assert.is(problemOf(read.left).where.startsWith('ongoing[0].'), true)
})
