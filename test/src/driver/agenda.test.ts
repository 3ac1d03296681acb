import fc from 'fast-check'
import { virtualClock } from '../../../adapters/memory/index.js'
import { agenda } from '../../../src/driver/agenda.js'
import { after, endOfTime, type Instant, minute, second } from '../../../src/model/time.js'
import type { Clock } from '../../../src/ports.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { at, noon } from '../samples.js'

const test = suite('agenda')

/** A virtual clock that counts who sleeps on it. */
const counting = () => {
  const clock = virtualClock(noon)
  let sleeping = 0
  const counted: Clock = {
    now: clock.now,
    sleepUntil: (until, signal) => async () => {
      sleeping += 1
      await clock.sleepUntil(until, signal)()
      sleeping -= 1
    },
  }
  return { clock, counted, sleeping: () => sleeping }
}

test('calls each at its time, in order, and once', async () => {
  const { clock, counted } = counting()
  const plan = agenda(counted)
  const seen: Array<string> = []
  const note = (name: string) => () => {
    seen.push(`${name} ${(clock.now() - noon) / second}`)
  }
  const [a, b, c] = ['a', 'b', 'c'].map((name) => plan.add(note(name)))
  a?.set(at(30 * second))
  b?.set(at(10 * second))
  c?.set(at(20 * second))
  c?.set(at(40 * second))
  await clock.advanceBy(minute)
  assert.equal(seen, ['b 10', 'a 30', 'c 40'])
})

test('has one timer while something is due, and none otherwise', async () => {
  const { clock, counted, sleeping } = counting()
  const plan = agenda(counted)
  const places = Array.from({ length: 100 }, () => plan.add(() => {}))
  assert.is(sleeping(), 0)
  places.forEach((place, index) => {
    place.set(at(index * second + second))
  })
  await clock.settle()
  assert.is(sleeping(), 1)
  for (const place of places) place.set(endOfTime)
  await clock.settle()
  assert.is(sleeping(), 0)
})

test('looks at everything when the clock was set back', async () => {
  const { clock, counted } = counting()
  const plan = agenda(counted)
  let looks = 0
  for (const by of [minute, 2 * minute, 3 * minute]) plan.add(() => (looks += 1)).set(at(by))
  await clock.settle()
  await clock.set(at(-minute))
  assert.is(looks, 3)
})

test('does as a sorted list does, however its places are set', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ place: fc.integer({ min: 0, max: 40 }), at: fc.integer({ min: 1, max: 500 }) }), {
        minLength: 1,
        maxLength: 200,
      }),
      async (settings) => {
        const { clock, counted } = counting()
        const plan = agenda(counted)
        const seen: Array<readonly [number, Instant]> = []
        const places = Array.from({ length: 41 }, (_, index) =>
          plan.add(() => {
            seen.push([index, clock.now()])
          }),
        )
        const due = new Map<number, Instant>()
        for (const { place, at: seconds } of settings) {
          places[place]?.set(after(noon, seconds * second))
          due.set(place, after(noon, seconds * second))
        }
        await clock.advanceBy(501 * second)
        assert.equal(
          seen.map(([, time]) => time),
          [...due.values()].sort((a, b) => a - b),
        )
        for (const [place, time] of seen) assert.is(due.get(place), time)
      },
    ),
    { numRuns: sample(30, 500), seed },
  )
})
