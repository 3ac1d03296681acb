import * as O from 'fp-ts/lib/Option.js'
import { defectsOf, remarksOn } from '../../../src/machine/acceptance.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import type { Certificate, Verification } from '../../../src/model/certificate.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, draft, held, keyId, noon, otherTemplate, template } from '../samples.js'

const test = suite('acceptance')

const bare: Facts = noFacts(O.some(template))
/** Only the deadline asks for a renewal. */
const beside: Facts = {
  ...bare,
  held: O.some(held({ notBefore: at(-day), receivedAt: at(-day), notAfter: at(hour) })),
}
const requested: Facts = { ...beside, requested: O.some({ why: 'the trust changed', at: noon }) }

const cases: ReadonlyArray<readonly [string, Facts, Partial<Certificate>, string | undefined]> = [
  ['takes what was asked for', bare, {}, undefined],
  ['rejects one for another key', bare, { keyId: keyId(3) }, 'it is for another key'],
  ['rejects one for another name', bare, { commonName: 'x' }, 'common name is x, wanted is'],
  [
    'measures by what is wanted now',
    { ...bare, wanted: O.some(otherTemplate) },
    {},
    'common name is system:node:worker-1, wanted is system:node:worker-2',
  ],
  ['measures by what was asked for where nothing is wanted now', { ...bare, wanted: O.none }, {}, undefined],
  [
    'rejects one that has expired, and names the likely reasons',
    bare,
    { notAfter: at(-90_000) },
    "it expired at 2026-11-23T11:58:30Z, 1m 30s before it arrived (a signing duration shorter than the signer's backdating, or a wrong clock)",
  ],
  ['says no more than that of one that has expired', beside, { notAfter: at(-minute) }, 'it expired at'],
  ['takes one that lasts for seconds where there is none', bare, { notAfter: at(5_000) }, undefined],
  ['takes one that is not valid yet', bare, { notBefore: at(hour) }, undefined],
  [
    'rejects one that is never valid',
    bare,
    { notBefore: at(2 * hour), notAfter: at(hour) },
    'it is never valid: not before 2026-11-23T14:00:00Z, not after 2026-11-23T13:00:00Z',
  ],
  [
    'rejects one that ends at the moment in which it begins',
    bare,
    { notBefore: at(hour), notAfter: at(hour) },
    'it is never valid',
  ],
  ['takes one that is valid before the held one ends', beside, { notBefore: at(hour - 1) }, undefined],
  [
    'rejects one that is valid only after the held one has expired',
    beside,
    { notBefore: at(hour) },
    'it is not valid before 2026-11-23T13:00:00Z, when the one in use has expired',
  ],
  [
    'rejects one that ends soon and before the held one, when only the deadline asked for it',
    beside,
    { notAfter: at(10 * minute - 1) },
    'before the one in use, and in less than 10m',
  ],
  ['takes one that ends before the held one, and not soon', beside, { notAfter: at(10 * minute) }, undefined],
  [
    'takes one that ends soon, and with the held one',
    { ...beside, held: O.some(held({ notBefore: at(-day), receivedAt: at(-day), notAfter: at(minute) })) },
    { notAfter: at(minute) },
    undefined,
  ],
  ['takes one that ends soon when it was requested', requested, { notAfter: at(10_000) }, undefined],
  [
    'rejects one that was requested when it ends before another can be',
    requested,
    { notAfter: at(9_999) },
    'before the one in use, and in less than 10s',
  ],
  [
    'takes one that ends soon when the held one does not work',
    { ...beside, held: O.some(held({ notAfter: at(hour), rejectedAt: O.some(noon) })) },
    { notAfter: at(minute) },
    undefined,
  ],
]
for (const [sentence, facts, differences, defect] of cases)
  test(sentence, () => {
    const defects = defectsOf(
      defaultPolicy,
      facts,
      draft(keyId(2)),
      delivered(noon, { keyId: keyId(2), notAfter: at(day), ...differences }),
      noon,
    )
    assert.is(defects.length, defect === undefined ? 0 : 1, defects.join('\n'))
    assert.match(defects.join(), defect ?? '')
  })

const unverified = (required: boolean): Verification => ({
  _tag: 'Unverified',
  required,
  problem: 'it does not chain there',
})

test('rejects one that does not chain to the CAs that are required, and takes one that was only expected to', () => {
  const arrived = delivered(noon, { keyId: keyId(2) })
  const defects = (verification: Verification) =>
    defectsOf(defaultPolicy, bare, draft(keyId(2)), { ...arrived, verification }, noon)
  assert.equal(defects(unverified(true)), ['it does not chain there'])
  for (const verification of [unverified(false), { _tag: 'Verified' }, { _tag: 'Unchecked' }] as const)
    assert.equal(defects(verification), [])
})

test('remarks on one that does not chain to the CAs that were expected, when that changes', () => {
  const remarks = (old: Facts['held'], verification = unverified(false)) =>
    remarksOn(old, { ...delivered(noon), verification })
  const fresh = held({ notAfter: at(hour) })
  for (const old of [
    O.none,
    O.some(fresh),
    O.some({ ...fresh, verification: { _tag: 'Verified' } as const }),
  ])
    assert.match(
      remarks(old).join(),
      /^certificate 0a1b is taken, and it does not chain there; .*--client-ca-file/,
    )
  assert.equal(remarks(O.some({ ...fresh, verification: unverified(false) })), [], 'it was like that before')
  assert.equal(remarks(O.none, { _tag: 'Unchecked' }), [])
  assert.equal(remarks(O.none, { _tag: 'Verified' }), [])
})

test('remarks that a signing duration was shortened', () => {
  const remarks = (old: Facts['held'], notAfter = at(hour)) => remarksOn(old, delivered(noon, { notAfter }))
  assert.equal(remarks(O.none), [])
  assert.equal(remarks(O.some(held({ notAfter: at(hour) }))), [])
  assert.match(remarks(O.some(held())).join(), 'the signing duration was shortened')
})
