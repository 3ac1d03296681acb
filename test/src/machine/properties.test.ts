import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve } from '../../../src/machine/machine.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { day, hour, minute, second } from '../../../src/model/time.js'
import { assert, note, sample, seed, suite } from '../../helper/index.js'
import { template } from '../samples.js'
import { type Episode, type Incident, type Plan, run } from './world.js'

const test = suite('machine, in random worlds')

const ongoing: ReadonlyArray<Episode['what']> = [
  'the API is down',
  'answers are lost',
  'the API is overloaded',
  'the held certificate is rejected',
  'the server is untrusted',
  'there is no bootstrap credential',
  'the disk is full',
  'nobody approves',
  'requests are denied',
  'requests vanish',
  'the signer fails',
  'certificates have expired',
  'certificates are short',
  'certificates are early',
  'certificates are for another key',
  'another template is wanted',
  'nothing is wanted',
  'the clock is off',
]
const incidents: ReadonlyArray<Incident['what']> = [
  'restart',
  'rotation requested',
  'window suggested',
  'window withdrawn',
  'rejection reported',
  'acceptance reported',
]

const plan: fc.Arbitrary<Plan> = fc.record({
  life: fc.constantFrom(2 * minute, 20 * minute, hour, day),
  episodes: fc.array(
    fc.record({
      what: fc.constantFrom(...ongoing),
      from: fc.integer({ min: 0, max: 3 * hour }),
      lasts: fc.oneof(fc.integer({ min: 1, max: minute }), fc.integer({ min: minute, max: hour })),
      by: fc.oneof(fc.integer({ min: -2 * hour, max: 2 * hour }), fc.integer({ min: -minute, max: minute })),
    }),
    { maxLength: 12 },
  ),
  incidents: fc.array(
    fc.record({ what: fc.constantFrom(...incidents), at: fc.integer({ min: 0, max: 4 * hour }) }),
    { maxLength: 8 },
  ),
})

const policy: fc.Arbitrary<RotationPolicy> = fc.record({
  rotate: fc.constantFrom(true, true, true, false),
  authenticateWith: fc.constantFrom('held', 'held', 'held', 'external'),
  renewFrom: fc.double({ min: 0.3, max: 0.7, noNaN: true }),
  renewTo: fc.double({ min: 0.7, max: 0.9, noNaN: true }),
  minimumUsefulLifetime: fc.constantFrom(0, minute, 10 * minute),
  submitInterval: fc.constantFrom(second, 10 * second, minute),
  retrySoon: fc.constant(defaultPolicy.retrySoon),
  retryLater: fc.constant(defaultPolicy.retryLater),
  longestDelay: fc.constantFrom(minute, 10 * minute),
  probeInterval: fc.constantFrom(0, minute, 10 * minute),
})

test('keeps its promises, and gets its certificate once the ongoing are over', {
  deadline: sample(30_000, 600_000),
}, () => {
  let [runs, steps] = [0, 0]
  fc.assert(
    fc.property(policy, plan, (chosen, troubled) => {
      const { faults, steps: taken } = run(chosen, troubled)
      runs += 1
      steps += taken
      if (faults.length > 0) throw new Error(faults.slice(0, 3).join('\n'))
    }),
    {
      numRuns: sample(80, 2_000),
      seed,
      interruptAfterTimeLimit: sample(20_000, 500_000),
    },
  )
  note(`${runs} random worlds, ${steps} actions`)
})

test('gives all facts again when the events are played again', () => {
  fc.assert(
    fc.property(policy, plan, (chosen, troubled) => {
      const { events, states } = run(chosen, troubled)
      let facts: Facts = noFacts(O.some(template))
      const again = events.map((event: Event) => {
        if (event._tag === 'Loaded') facts = noFacts(facts.wanted)
        facts = evolve(chosen)(facts, event)
        return facts
      })
      assert.equal(again.at(-1), states.at(-1))
      assert.is(again.length, states.length)
    }),
    { numRuns: sample(20, 500), seed },
  )
})
