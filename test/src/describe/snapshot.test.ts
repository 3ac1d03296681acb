import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { printSnapshot, readSnapshot, snapshotOf } from '../../../src/describe/snapshot.js'
import { noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, template } from '../samples.js'

const test = suite('snapshot')

const facts = { ...noFacts(O.some(template)), held: O.some(held()) }
const snapshot = snapshotOf({ policy: defaultPolicy, facts }, at(0), {
  recent: [{ at: at(0), level: 'info', reason: 'Installed', message: 'stored and in use' }],
  connections: O.some({ current: 1, earlier: 0, none: 0 }),
  awaited: O.none,
})

test('is the same after it was written and read', () => {
  const text = JSON.stringify(printSnapshot(snapshot))
  assert.equal(readSnapshot(JSON.parse(text)), E.right(snapshot))
  assert.is(snapshot.state, 'Issued')
})

test('says what is awaited, and that of a version that did not say it can be read', () => {
  const idle = noFacts(O.none)
  const waiting = snapshotOf({ policy: defaultPolicy, facts: idle }, at(0), {
    ...snapshot,
    awaited: O.some('the addresses of this node'),
  })
  assert.equal(readSnapshot(JSON.parse(JSON.stringify(printSnapshot(waiting)))), E.right(waiting))
  assert.is(waiting.explanation, 'There is no certificate yet. It waits for the addresses of this node.')
  const { awaited: _, ...earlier } = Object(printSnapshot(snapshot))
  assert.equal(readSnapshot(earlier), E.right(snapshot))
})

test('of another version has its sentences, and facts that are not read', () => {
  const other = { ...Object(printSnapshot(snapshot)), version: 2 }
  assert.equal(readSnapshot(other), E.right({ ...snapshot, version: 2, known: O.none }))
  const { facts: _, ...without } = Object(printSnapshot(snapshot))
  assert.equal(readSnapshot(without), E.right({ ...snapshot, known: O.none }))
  assert.equal(
    readSnapshot(printSnapshot({ ...snapshot, known: O.none })),
    E.right({ ...snapshot, known: O.none }),
  )
})

test('that is none is told as such', () => {
  assert.equal(
    readSnapshot({ version: 1 }),
    E.left({ where: 'at', what: 'must be an instant such as 2026-11-23T17:20:02.000Z' }),
  )
})
