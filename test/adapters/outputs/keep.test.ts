import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { virtualClock } from '../../../adapters/memory/index.js'
import { keepOutput } from '../../../adapters/outputs/index.js'
import { failure, type OutputError } from '../../../src/model/failure.js'
import { hour, instant, minute, second } from '../../../src/model/time.js'
import type { OutputContent } from '../../../src/ports.js'
import { assert, suite } from '../../helper/index.js'
import { content } from './content.js'

const test = suite('keeping an output')

const start = instant(Date.parse('2026-01-01T00:00:00Z'))

const full = failure('OutputUnwritable', 'soon', 'writing it: no space left on device (ENOSPC)', 'make room')

/** An output whose outcomes are given, and what was written when, in seconds. */
const world = () => {
  const clock = virtualClock(start)
  const written: Array<readonly [at: number, name: string]> = []
  const warnings: Array<string> = []
  const given: { content: O.Option<OutputContent>; outcome: () => Promise<E.Either<OutputError, void>> } = {
    content: O.none,
    outcome: async () => E.right(undefined),
  }
  const output = {
    name: 'it',
    write:
      ({ credential }: OutputContent) =>
      () => {
        written.push([(clock.now() - start) / second, credential.certificate.commonName])
        return given.outcome()
      },
  }
  const kept = keepOutput(
    output,
    () => given.content,
    clock,
    (message) => warnings.push(message),
  )
  const show = (name: string) => {
    given.content = O.some(content(name))
    kept.update()
  }
  return { clock, written, warnings, given, kept, show }
}

test('writes what there is, at the start and after each change', async () => {
  const { clock, written, kept, show } = world()
  kept.update()
  await clock.settle()
  assert.equal(written, [])
  show('a')
  await clock.settle()
  show('b')
  await clock.advanceBy(hour)
  assert.equal(written, [
    [0, 'a'],
    [0, 'b'],
  ])
})

test('writes one at a time, and only the newest of what came meanwhile', async () => {
  const { clock, written, given, show } = world()
  let finish = () => {}
  given.outcome = () =>
    new Promise((resolve) => {
      finish = () => resolve(E.right(undefined))
    })
  show('a')
  await clock.settle()
  show('b')
  show('c')
  await clock.settle()
  assert.is(written.length, 1)
  finish()
  await clock.settle()
  finish()
  await clock.settle()
  assert.equal(
    written.map(([, name]) => name),
    ['a', 'c'],
  )
})

test('tries again ever more slowly after a failure, at once when there is something new, and tells once', async () => {
  const { clock, written, warnings, given, show } = world()
  given.outcome = async () => E.left(full)
  show('a')
  await clock.advanceBy(20 * second)
  assert.equal(
    written.map(([at]) => at),
    [0, 1, 3, 7, 15],
  )
  assert.equal(warnings, [
    'writing it: no space left on device (ENOSPC); make room; it is tried again in 1s, then ever more slowly',
  ])
  show('b')
  await clock.settle()
  assert.equal(written.at(-1), [20, 'b'])
  await clock.advanceBy(2 * hour)
  const [before, last] = written.slice(-2).map(([at]) => at)
  assert.is((last ?? 0) - (before ?? 0), (10 * minute) / second)
  given.outcome = async () => E.right(undefined)
  await clock.advanceBy(10 * minute)
  const count = written.length
  await clock.advanceBy(hour)
  assert.is(written.length, count)
  given.outcome = async () => E.left(full)
  show('c')
  await clock.settle()
  assert.is(warnings.length, 2)
})

test('an output that throws has failed, and is tried again', async () => {
  const { clock, written, warnings, given, show } = world()
  given.outcome = async () => {
    throw new Error('hunter2')
  }
  show('a')
  await clock.advanceBy(second)
  assert.is(written.length, 2)
  assert.match(warnings.join(), 'writing it: it threw an error')
  assert.not.match(warnings.join(), 'hunter2')
})

test('writes what was not tried yet before it ends, and waits for no retry', async () => {
  const { written, kept, show } = world()
  show('a')
  await kept.stop()
  assert.equal(written, [[0, 'a']])
  const other = world()
  other.given.outcome = async () => E.left(full)
  other.show('a')
  await other.clock.settle()
  await other.kept.stop()
  assert.is(other.written.length, 2)
  assert.is(other.warnings.length, 1)
})

test('tells what failed at its end, and not that it is tried again', async () => {
  const { warnings, given, kept, show } = world()
  given.outcome = async () => E.left(full)
  show('a')
  await kept.stop()
  assert.equal(warnings, ['writing it: no space left on device (ENOSPC); make room'])
})

test('ends although a write hangs', async () => {
  const { clock, given, kept, show } = world()
  given.outcome = () => new Promise(() => {})
  show('a')
  const stopped = kept.stop()
  await clock.advanceBy(5 * second)
  await stopped
})
