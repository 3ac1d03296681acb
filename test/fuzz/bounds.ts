/** What every input may cost, and what every complaint about one has to be. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import type * as E from 'fp-ts/lib/Either.js'
import { assert, note, sample, seed } from '../helper/index.js'

/** Milliseconds; a loaded machine may stall for some. */
const longest = 2_000
const megabyte = 1024 * 1024

/** The heap in bytes, with everything let go of that can be. */
export const heap = (): number => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}

/** Fit to be read by a person: one short line without what moves a cursor. */
export const isClear = (complaint: string): void => {
  assert.not.match(complaint, /[\p{Cc}\u202e]/u)
  assert.ok(
    complaint.length > 3 && complaint.length < 1_200,
    `${complaint.length} characters: ${complaint.slice(0, 200)}`,
  )
}

/** A Left whose message is clear, or a Right. */
export const isAnAnswer = (
  answer: E.Either<{ readonly message: string; readonly remedy: string }, unknown>,
): void => {
  if (answer._tag === 'Right') return
  isClear(answer.left.message)
  isClear(answer.left.remedy)
}

let given = 0
process.once('exit', () => given > 0 && note(`${given} inputs`))

/** Counts an input, for the sum that is printed with the file. */
export const count = (): void => {
  given += 1
}

/** Gives the inputs to `take` one by one: it may neither throw nor take long, nor keep what it was given. */
export const survive = async (
  inputs: fc.Arbitrary<Buffer>,
  [normal, full]: readonly [number, number],
  take: (input: Buffer) => unknown,
): Promise<void> => {
  const before = heap()
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      count()
      const began = performance.now()
      await take(input)
      const took = performance.now() - began
      assert.ok(took < longest, `took ${took} ms`)
    }),
    { numRuns: sample(normal, full), seed },
  )
  const grown = heap() - before
  assert.ok(grown < 48 * megabyte, `the heap grew by ${grown} bytes`)
}
