import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { flag, isEmpty, list, mapping, orZero, problemOf, text } from '../../../src/model/codec.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('codec')

const problemIn = (codec: t.Mixed, input: unknown): string => {
  const decoded = codec.decode(input)
  if (E.isRight(decoded)) throw new Error('it was decoded')
  const { where, what } = problemOf(decoded.left)
  return `${where} ${what}`
}

const instant = new t.Type('instant', t.string.is, (u, context) => t.failure(u, context), t.identity)

const cases: ReadonlyArray<readonly [t.Mixed, unknown, string]> = [
  [t.type({ a: t.type({ b: t.number }) }), { a: { b: 'x' } }, 'a.b must be a number'],
  [t.type({ a: instant }), { a: 1 }, 'a must be an instant'],
  [t.type({ a: t.readonlyArray(t.string) }), { a: 1 }, 'a must be a list'],
  [t.type({ a: t.type({ b: t.number }) }), { a: 1 }, 'a must be a mapping of fields'],
]
for (const [codec, input, problem] of cases)
  test(`says that ${problem}`, () => {
    assert.is(problemIn(codec, input), problem)
  })

test('has an answer where there is no error to look at', () => {
  assert.equal(problemOf([]), { where: '', what: 'cannot be read' })
})

test('takes what a Go program leaves out, and null, for the empty value', () => {
  for (const [codec, empty, full] of [
    [text, '', 'a'],
    [flag, false, true],
    [mapping, {}, { a: 1 }],
    [list(text), [], ['a']],
  ] as const) {
    assert.equal(codec.decode(undefined), E.right(empty))
    assert.equal(codec.decode(null), E.right(empty))
    assert.equal(codec.decode(full), E.right(full))
    assert.ok(codec.is(full))
    assert.match(problemIn(codec, 1), 'must be')
  }
  assert.equal([null, undefined, '', false, [], 'a', true, {}].map(isEmpty), [
    true,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})

test('a number that earlier versions did not write is 0', () => {
  assert.equal(orZero.decode(undefined), E.right(0))
  assert.equal(orZero.decode(2), E.right(2))
  assert.is(E.isLeft(orZero.decode('2')), true)
})
