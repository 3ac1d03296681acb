import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type MemoryPorts, memoryPorts } from '../../../adapters/memory/index.js'
import { rotation } from '../../../src/driver/rotation.js'
import { failure, type Interrupted, interrupted, type WindowError } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, type Milliseconds, minute, second } from '../../../src/model/time.js'
import type { Suggestion } from '../../../src/ports.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { at, noon, template } from '../samples.js'

const test = suite('renewal windows')

type Answer = E.Either<WindowError | Interrupted, Suggestion>

const none: Answer = E.right({ window: O.none, askAgainAfter: hour })
const answer = (start: Instant, end: Instant, askAgainAfter: Milliseconds = day): Answer =>
  E.right({
    window: O.some({ start, end, reason: 'the CA is replaced', source: 'a file' }),
    askAgainAfter,
  })
const unknown = (message: string, retryAfter: O.Option<Milliseconds> = O.none): Answer =>
  E.left(failure('WindowUnknown', 'later', message, 'correct it', retryAfter))

/** A rotation in memory with what it is answered, and when and for which certificate it asked. */
const start = async ({ defer }: TestContext, first: Answer, { autoApprove = true } = {}) => {
  const memory: MemoryPorts = memoryPorts({ now: noon, api: { signingDuration: day, autoApprove } })
  const world = { says: first, wake: () => {}, when: Promise.resolve() }
  const asked: Array<number> = []
  const warnings: Array<string> = []
  const told: Array<string> = []
  const agent = rotation({
    policy: { ...defaultPolicy, probeInterval: 0 },
    template: O.some(template),
    ports: {
      ...memory,
      windows: {
        suggest: () => async () => {
          asked.push((memory.clock.now() - noon) / second)
          await world.when
          return world.says
        },
        subscribe: (listener) => {
          world.wake = listener
          return () => {
            world.wake = () => {}
          }
        },
      },
    },
    notify: (notice) => {
      if (notice._tag === 'Warning') warnings.push(notice.message)
      else if (notice.event !== undefined) told.push(notice.event._tag)
    },
  })
  const stop = new AbortController()
  const ended = agent.run(stop.signal)()
  const end = async () => {
    stop.abort()
    await ended
  }
  defer(end)
  await memory.clock.settle()
  if (autoApprove) assert.is(asked.shift(), 0)
  return { memory, agent, world, asked, warnings, told, end }
}

test('asks for each certificate, and again when the answer says so', async (context) => {
  const { memory, asked, agent, told } = await start(context, none)
  await memory.clock.advanceBy(2 * hour + minute)
  assert.equal(asked.length, 2)
  assert.not(told.includes('WindowSuggested'))
  assert.equal(agent.facts().window, O.none)
})

test('renews in the window, once', async (context) => {
  const { memory, agent, told } = await start(context, answer(at(2 * hour), at(3 * hour)))
  const installs = () => told.filter((tag) => tag === 'Installed').length
  await memory.clock.advanceBy(2 * hour - minute)
  assert.is(installs(), 1)
  await memory.clock.advanceBy(hour + 2 * minute)
  assert.is(installs(), 2)
  await memory.clock.advanceBy(10 * hour)
  assert.is(installs(), 2)
  assert.is(agent.state()._tag, 'Issued')
  assert.is(told.filter((tag) => tag === 'WindowSuggested').length, 1)
})

test('asks between once a minute and once a day', async (context) => {
  const { memory, world, asked } = await start(context, answer(at(9 * day), at(10 * day), 0))
  await memory.clock.advanceBy(5 * minute)
  assert.equal(asked.length, 5)
  world.says = answer(at(9 * day), at(10 * day), Number.NaN)
  await memory.clock.advanceBy(5 * minute)
  assert.equal(asked.length, 10)
})

test('asks at once when the source says that there is news', async (context) => {
  const { memory, world, asked, agent } = await start(context, none)
  world.says = answer(at(hour), at(2 * hour))
  world.wake()
  world.wake()
  await memory.clock.settle()
  assert.is(asked.length, 2, 'news that comes while it is asked is asked for again')
  assert.ok(O.isSome(agent.facts().window))
})

test('keeps what was suggested while it is not known, and tells of that ever more rarely', async (context) => {
  const { memory, world, asked, agent, warnings } = await start(
    context,
    answer(at(9 * day), at(10 * day), minute),
  )
  world.says = unknown('reading a file', O.some(minute))
  await memory.clock.advanceBy(10 * minute)
  assert.is(asked.length, 10)
  assert.ok(O.isSome(agent.facts().window))
  assert.equal(
    warnings.filter((message) => message.startsWith('reading a file')),
    ['', ' (2 times in a row)', ' (4 times in a row)', ' (8 times in a row)'].map(
      (times) => `reading a file${times}; correct it`,
    ),
  )
  world.says = unknown('reading a file')
  await memory.clock.advanceBy(2 * hour)
  assert.ok(asked.length < 14, 'where it does not say when, ever more rarely')
})

test('takes nonsense for no answer, and says so', async (context) => {
  const { memory, agent, warnings } = await start(context, answer(at(hour), at(hour)))
  await memory.clock.advanceBy(2 * minute)
  assert.equal(agent.facts().window, O.none)
  assert.match(
    warnings.join(),
    'a file suggests a renewal window that does not end after it starts; correct it',
  )
})

test('asks nobody after its end, and takes no answer that comes then', async (context) => {
  const { memory, world, asked, end, agent } = await start(context, none)
  const { wake } = world
  let answerNow = () => {}
  world.says = answer(at(hour), at(2 * hour))
  world.when = new Promise((resolve) => {
    answerNow = resolve
  })
  wake()
  assert.is(asked.length, 1)
  await end()
  answerNow()
  wake()
  await memory.clock.advanceBy(day)
  assert.is(asked.length, 1)
  assert.equal(agent.facts().window, O.none)
})

test('an answer that was cut short is asked for again', async (context) => {
  const { memory, world, asked } = await start(context, E.left(interrupted))
  world.says = none
  await memory.clock.advanceBy(2 * minute)
  assert.is(asked.length, 1)
})

test('asks nothing without a certificate', async (context) => {
  const { memory, world, asked } = await start(context, none, { autoApprove: false })
  world.wake()
  await memory.clock.settle()
  assert.equal(asked, [])
})
