import { exponential, share } from '../../../src/simulator/random.js'
import type { ServerLimits } from '../../../src/simulator/scenario.js'
import { requestQueue, worker } from '../../../src/simulator/server.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('server of the simulator')
const limits: ServerLimits = {
  requestsPerSecond: 10,
  seats: 1,
  queue: 2,
  latency: 0,
  watches: 1,
  retryAfter: 1_000,
}
/** The chance that makes a service as long as its mean. */
const mean = 1 - 1 / Math.E

test('serves one after the other, and refuses one more than may wait', () => {
  const queue = requestQueue(limits)
  const ends = [0, 0, 0, 0, 150].map((at) => Math.round(queue.arrive(at, mean, 0)))
  assert.equal(ends, [100, 200, 300, -1, 400])
})

test('serves as many at one time as there are seats', () => {
  const queue = requestQueue({ ...limits, seats: 2 })
  assert.equal(
    [0, 0, 0].map((at) => Math.round(queue.arrive(at, mean, 0))),
    [200, 200, 400],
  )
})

test('is slower by what it serves beside, down to a twentieth', () => {
  assert.is(Math.round(requestQueue(limits).arrive(0, mean, 5)), 200)
  assert.is(Math.round(requestQueue(limits).arrive(0, mean, 1_000)), 2_000)
})

/** The chance that a request waits, by Erlang's formula for M/M/c. */
const erlang = (seats: number, load: number): number => {
  let term = 1
  let sum = 1
  for (let n = 1; n < seats; n += 1) {
    term *= load / n
    sum += term
  }
  const last = (term * load) / seats / (1 - load / seats)
  return last / (sum + last)
}

for (const [seats, rate] of [
  [1, 5],
  [4, 8],
  [10, 9],
] as const)
  test(`with ${seats} seats and ${rate} of 10 requests a second it makes them wait as Erlang's formula says`, () => {
    const queue = requestQueue({ ...limits, seats, queue: 100_000 })
    const count = 200_000
    let [now, waited] = [0, 0]
    for (let request = 0; request < count; request += 1) {
      now += (1_000 / rate) * exponential(share(1, request, 0))
      const chance = share(1, request, 1)
      waited += queue.arrive(now, chance, 0) - now - exponential(chance) * seats * 100
    }
    const expected = (erlang(seats, (rate / 10) * seats) * 1_000) / (10 - rate)
    assert.ok(Math.abs(waited / count / expected - 1) < 0.1, `${waited / count} and ${expected}`)
  })

test('a controller does so many things a second, and no more when many come at once', () => {
  const work = worker(2)
  assert.equal([0, 0, 0, 0, 0].map(work), [500, 1_000, 1_500, 2_000, 2_500])
  assert.is(work(10_000), 10_500)
  // What was put off does not keep what can be done before it waiting.
  assert.equal([60_000, 20_000].map(work), [60_500, 20_500])
})
