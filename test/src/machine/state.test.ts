import * as O from 'fp-ts/lib/Option.js'
import {
  type Held,
  heldOf,
  type IssuedDelivered,
  initial,
  inUse,
  knowledgeOf,
  nextKeyOf,
  type State,
  works,
} from '../../../src/machine/state.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, draft, held, keyId, noon, request, template } from '../samples.js'

const test = suite('state')

const { draft: _, ...bare } = knowledgeOf(initial(O.some(template)))
const old = held()
const ask = O.some({ why: 'the trust changed', at: noon } as const)

test('begins without a certificate', () => {
  assert.is(initial(O.none)._tag, 'Bootstrapping')
})

const states: ReadonlyArray<readonly [State, O.Option<Held>, O.Option<string>]> = [
  [{ ...bare, _tag: 'Bootstrapping', draft: O.none }, O.none, O.none],
  [
    { ...bare, _tag: 'Bootstrapping', held: O.some(old), draft: O.some(draft(keyId(2))) },
    O.some(old),
    O.some(keyId(2)),
  ],
  [{ ...bare, _tag: 'Pending', request: request(keyId(2)) }, O.none, O.some(keyId(2))],
  [
    { ...bare, _tag: 'Approved', held: O.some(old), request: request(keyId(2)) },
    O.some(old),
    O.some(keyId(2)),
  ],
  [{ ...bare, _tag: 'Issued', stage: 'installed', held: old }, O.some(old), O.none],
  [
    { ...bare, _tag: 'RenewDue', held: old, causes: [{ _tag: 'Deadline' }], draft: O.some(draft(keyId(2))) },
    O.some(old),
    O.some(keyId(2)),
  ],
]
for (const [state, certificate, next] of states)
  test(`knows in ${state._tag} what is held, and the key of the next: ${O.isSome(certificate)}, ${O.isSome(next)}`, () => {
    assert.equal(heldOf(state), certificate)
    assert.equal(nextKeyOf(state), next)
    assert.equal(knowledgeOf(state).held, certificate)
  })

const arriving = (previous: O.Option<Held>): IssuedDelivered => ({
  ...bare,
  _tag: 'Issued',
  stage: 'delivered',
  held: previous,
  request: request(keyId(2)),
  delivered: delivered(noon, { keyId: keyId(2), notAfter: at(2 * day) }),
  answers: ask,
})

test('does not lose what a delivered certificate is to answer', () => {
  assert.equal(knowledgeOf(arriving(O.none)).asked, ask)
})

const using: ReadonlyArray<
  readonly [string, Partial<Parameters<typeof held>[0]>, number, number | undefined]
> = [
  ['the held certificate while it works', {}, 0, 1],
  ['the delivered one when the held one has ended', {}, day, 2],
  ['the delivered one when the held one is refused', { rejectedAt: O.some(noon) }, 0, 2],
  ['the delivered one when the held one is early', { notBefore: at(hour) }, 0, 2],
  [
    'the held one when the delivered one has ended',
    { notAfter: at(3 * day), rejectedAt: O.some(noon) },
    2 * day,
    1,
  ],
  ['none when both have ended', {}, 2 * day, undefined],
]
for (const [what, differences, later, expected] of using)
  test(`presents ${what}`, () => {
    const used = inUse(defaultPolicy, arriving(O.some(held(differences))), at(later))
    assert.is(O.toUndefined(used)?.keyId, expected === undefined ? undefined : keyId(expected))
  })

test('goes on presenting a certificate that is refused or early when there is no other', () => {
  for (const certificate of [held({ rejectedAt: O.some(noon) }), held({ notBefore: at(hour) })]) {
    const state: State = { ...bare, _tag: 'Bootstrapping', held: O.some(certificate), draft: O.none }
    assert.equal(inUse(defaultPolicy, state, noon), O.some(certificate.certificate))
    assert.not(works(defaultPolicy, certificate, noon))
  }
})

test('relies on a certificate for something else, whatever the API server says', () => {
  const certificate = held({ rejectedAt: O.some(noon) })
  assert.ok(works({ ...defaultPolicy, authenticateWith: 'external' }, certificate, noon))
})
