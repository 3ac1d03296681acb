import * as O from 'fp-ts/lib/Option.js'
import { defectsOf, type Occasion, remarksOn } from '../../../src/machine/acceptance.js'
import { initial, knowledgeOf } from '../../../src/machine/state.js'
import type { Certificate, Verification } from '../../../src/model/certificate.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, draft, held, keyId, noon, otherTemplate, template } from '../samples.js'

const test = suite('acceptance')

const bare: Occasion = { request: draft(keyId(2)), wanted: O.some(template), held: O.none, causes: [] }
const beside: Occasion = {
  ...bare,
  held: O.some(held({ notAfter: at(hour) })),
  causes: [{ _tag: 'Deadline' }],
}
const asked: Occasion = {
  ...beside,
  causes: [{ _tag: 'Deadline' }, { _tag: 'Asked', why: 'the trust changed' }],
}

const cases: ReadonlyArray<readonly [string, Occasion, Partial<Certificate>, string | undefined]> = [
  ['takes what was asked for', bare, {}, undefined],
  ['refuses one for another key', bare, { keyId: keyId(3) }, 'it is for another key'],
  ['refuses one for another name', bare, { commonName: 'x' }, 'common name is x, wanted is'],
  [
    'measures by what is wanted now',
    { ...bare, wanted: O.some(otherTemplate) },
    {},
    'common name is system:node:worker-1, wanted is system:node:worker-2',
  ],
  ['measures by what was asked for where nothing is wanted now', { ...bare, wanted: O.none }, {}, undefined],
  [
    'refuses one that has ended, and names the likely reasons',
    bare,
    { notAfter: at(-90_000) },
    "it ended at 2026-11-23T11:58:30Z, 1m 30s before it arrived (a signing duration shorter than the signer's backdating, or a wrong clock)",
  ],
  ['says no more than that of one that has ended', beside, { notAfter: at(-minute) }, 'it ended at'],
  ['takes one that lasts for seconds where there is none', bare, { notAfter: at(5_000) }, undefined],
  ['takes one that is not valid yet', bare, { notBefore: at(hour) }, undefined],
  [
    'refuses one that is never valid',
    bare,
    { notBefore: at(2 * hour), notAfter: at(hour) },
    'it is never valid: not before 2026-11-23T14:00:00Z, and it ends at 2026-11-23T13:00:00Z',
  ],
  [
    'refuses one that ends at the moment in which it begins',
    bare,
    { notBefore: at(hour), notAfter: at(hour) },
    'it is never valid',
  ],
  ['takes one that is valid before the held one ends', beside, { notBefore: at(hour - 1) }, undefined],
  [
    'refuses one that is valid only after the held one has ended',
    beside,
    { notBefore: at(hour) },
    'it is not valid before 2026-11-23T13:00:00Z, when the one in use has ended',
  ],
  [
    'refuses one that ends soon and before the held one, when only the deadline asked for it',
    beside,
    { notAfter: at(10 * minute - 1) },
    'before the one in use, and in less than 10m',
  ],
  ['takes one that ends before the held one, and not soon', beside, { notAfter: at(10 * minute) }, undefined],
  [
    'takes one that ends soon, and with the held one',
    { ...beside, held: O.some(held({ notAfter: at(minute) })) },
    { notAfter: at(minute) },
    undefined,
  ],
  ['takes one that ends soon when it was asked for', asked, { notAfter: at(10_000) }, undefined],
  [
    'refuses one that was asked for when it ends before another can be requested',
    asked,
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
for (const [sentence, occasion, differences, defect] of cases)
  test(sentence, () => {
    const defects = defectsOf(
      defaultPolicy,
      occasion,
      delivered(noon, { keyId: keyId(2), notAfter: at(day), ...differences }),
      noon,
    )
    assert.is(defects.length, defect === undefined ? 0 : 1, defects.join('\n'))
    assert.match(defects.join(), defect ?? '')
  })

const unverified = (required: boolean): Verification => ({
  _tag: 'Unverified',
  required,
  problem: 'it does not lead there',
})

test('refuses one that does not lead to the CAs that are required, and takes one that was only expected to', () => {
  const arrived = delivered(noon, { keyId: keyId(2) })
  const defects = (verification: Verification) =>
    defectsOf(defaultPolicy, bare, { ...arrived, verification }, noon)
  assert.equal(defects(unverified(true)), ['it does not lead there'])
  for (const verification of [unverified(false), { _tag: 'Verified' }, { _tag: 'Unchecked' }] as const)
    assert.equal(defects(verification), [])
})

const { draft: _, ...situation } = knowledgeOf(initial(O.some(template)))
const arrived = {
  ...situation,
  _tag: 'Issued',
  stage: 'delivered',
  request: { ...draft(keyId(2)), uid: '', resourceVersion: '' },
  answers: O.none,
} as const

test('remarks on one that does not lead to the CAs that were expected, when that changes', () => {
  const remarks = (old: typeof situation.held, verification = unverified(false)) =>
    remarksOn({ ...arrived, held: old, delivered: { ...delivered(noon), verification } })
  const fresh = held({ notAfter: at(hour) })
  for (const old of [
    O.none,
    O.some(fresh),
    O.some({ ...fresh, verification: { _tag: 'Verified' } as const }),
  ])
    assert.match(
      remarks(old).join(),
      /^certificate 0a1b is taken, and it does not lead there; .*--client-ca-file/,
    )
  assert.equal(remarks(O.some({ ...fresh, verification: unverified(false) })), [], 'it was like that before')
  assert.equal(remarks(O.none, { _tag: 'Unchecked' }), [])
  assert.equal(remarks(O.none, { _tag: 'Verified' }), [])
})

test('remarks that a signing duration was shortened', () => {
  const remarks = (old: typeof situation.held, notAfter = at(hour)) =>
    remarksOn({ ...arrived, held: old, delivered: delivered(noon, { notAfter }) })
  assert.equal(remarks(O.none), [])
  assert.equal(remarks(O.some(held({ notAfter: at(hour) }))), [])
  assert.match(remarks(O.some(held())).join(), 'the signing duration was shortened')
})
