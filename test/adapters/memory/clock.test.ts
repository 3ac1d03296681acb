import { virtualClock } from '../../../adapters/memory/index.js'
import { after, hour, type Instant, instant, interruption, minute, second } from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('virtual clock')

const start = instant(Date.parse('2026-01-01T00:00:00Z'))
const never = interruption().signal

/** Notes when it wakes. */
const sleeper = (clock: ReturnType<typeof virtualClock>, until: Instant, signal = never) => {
  const woke: Array<number> = []
  void clock
    .sleepUntil(until, signal)()
    .then(() => woke.push(clock.now() - start))
  return woke
}

test('wakes each sleeper at its own time, however far it is advanced', async () => {
  const clock = virtualClock(start)
  const late = sleeper(clock, after(start, hour))
  const early = sleeper(clock, after(start, minute))
  await clock.advanceBy(2 * hour)
  assert.equal([early, late], [[minute], [hour]])
  assert.is(clock.now(), after(start, 2 * hour))
})

test('lets whoever wakes sleep again within one advance', async () => {
  const clock = virtualClock(start)
  const ticks: Array<number> = []
  const tick = async () => {
    for (;;) {
      await clock.sleepUntil(after(clock.now(), 20 * second), never)()
      ticks.push(clock.now() - start)
    }
  }
  void tick()
  await clock.advanceBy(minute)
  assert.equal(ticks, [20 * second, 40 * second, minute])
})

test('ends a sleep until now at once', async () => {
  const clock = virtualClock(start)
  await clock.sleepUntil(start, never)()
  await clock.sleepUntil(after(start, -hour), never)()
})

test('ends a sleep when its signal is given, before or after it began', async () => {
  const clock = virtualClock(start)
  const { signal, interrupt } = interruption()
  const woke = sleeper(clock, after(start, hour), signal)
  await clock.settle()
  assert.equal(woke, [])
  interrupt()
  await clock.settle()
  assert.equal(woke, [0])
  await clock.sleepUntil(after(start, hour), signal)()
})

test('wakes those who are due only after a jump', async () => {
  const clock = virtualClock(start)
  const due = sleeper(clock, after(start, minute))
  const notDue = sleeper(clock, after(start, 2 * hour))
  await clock.set(after(start, hour))
  assert.equal([due, notDue], [[hour], []])
})

test('wakes everybody when it is set back', async () => {
  const clock = virtualClock(start)
  const woke = sleeper(clock, after(start, minute))
  await clock.set(after(start, -hour))
  assert.equal(woke, [-hour])
})

test('does not advance into the past', async () => {
  const clock = virtualClock(start)
  const error = await clock.advanceTo(after(start, -1)).catch((thrown: unknown) => thrown)
  assert.instance(error, Error)
  assert.match(String(error), /set the clock/)
})
