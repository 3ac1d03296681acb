import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { fail, ok, okSync, steps, stepsSync } from '../../src/steps.js'
import { assert, suite } from '../helper/index.js'

const test = suite('steps')

const half = (n: number): E.Either<'odd', number> => (n % 2 === 0 ? E.right(n / 2) : E.left('odd'))
const positive = (n: number): TaskEither<'negative', number> => (n < 0 ? TE.left('negative') : TE.right(n))

const quarter = (n: number, told: Array<string> = []): TaskEither<'odd' | 'negative', string> =>
  steps(async function* () {
    told.push('begun')
    const one = yield* ok(half(yield* ok(positive(n))))
    told.push('halved')
    const other = yield* ok(half(one))
    return `a quarter of ${n} is ${other}`
  })

test('come to what the last one says', async () => {
  assert.equal(await quarter(12)(), E.right('a quarter of 12 is 3'))
})

test('end with the first that fails', async () => {
  const told: Array<string> = []
  assert.equal(await quarter(-4, told)(), E.left('negative'))
  assert.equal(await quarter(3, told)(), E.left('odd'))
  assert.equal(told, ['begun', 'begun'])
  assert.equal(await quarter(6, told)(), E.left('odd'))
})

test('end where one says so', async () => {
  const reciprocal = (n: number): TaskEither<'negative' | 'zero', number> =>
    steps(async function* () {
      const one = yield* ok(positive(n))
      return one === 0 ? yield* fail('zero' as const) : 1 / one
    })
  assert.equal(await reciprocal(4)(), E.right(0.25))
  assert.equal(await reciprocal(0)(), E.left('zero'))
})

test('do nothing until they are run, and begin anew each time', async () => {
  const told: Array<string> = []
  const task = quarter(8, told)
  assert.equal(told, [])
  await task()
  await task()
  assert.equal(told, ['begun', 'halved', 'begun', 'halved'])
})

test('are taken at once where nothing has to be awaited', () => {
  const quarterOf = (n: number) =>
    stepsSync(function* () {
      const one = yield* okSync(half(n))
      return yield* okSync(half(one))
    })
  assert.equal(quarterOf(12), E.right(3))
  assert.equal(quarterOf(6), E.left('odd'))
})

test('let an exception pass, which is a defect', async () => {
  const broken = steps(async function* () {
    yield* ok(positive(1))
    throw new Error('a defect')
  })
  assert.is(await broken().catch(({ message }: Error) => message), 'a defect')
})
