/**
 * An API server as a queue, G/M/c/K in Kendall's notation: requests arrive as they do, each takes one of `seats` for an
 * exponentially distributed time with the mean that makes `requestsPerSecond` of them, waits in the order of arrival
 * while all are taken, and is refused (429) when `queue` others wait. When a request comes, its end is known: nothing
 * has to be simulated in between.
 */
import { type Milliseconds, second } from '../model/time.js'
import { at } from './numbers.js'
import { exponential } from './random.js'
import type { ServerLimits } from './scenario.js'

export interface RequestQueue {
  /**
   * A request that comes at a time (never before the last one): when it has been served, or -1 when it was refused.
   * `chance`, from 0 up to 1, is how long it takes; `background` the requests a second that are served beside it.
   */
  readonly arrive: (at: Milliseconds, chance: number, background: number) => Milliseconds
}

export const requestQueue = ({ requestsPerSecond, seats, queue }: ServerLimits): RequestQueue => {
  /** When each seat is free. */
  const free = new Float64Array(seats)
  /** When those that had to wait began to be served: in order, since the first that came is the first that is served. */
  const begun = new Float64Array(queue + 1)
  let [oldest, waiting] = [0, 0]
  return {
    arrive: (now, chance, background) => {
      let seat = 0
      for (let other = 0; other < seats; other += 1) {
        if (at(free, other) < at(free, seat)) seat = other
        if (at(free, seat) <= now) break
      }
      while (waiting > 0 && at(begun, oldest) <= now) {
        oldest = (oldest + 1) % begun.length
        waiting -= 1
      }
      const begins = Math.max(now, at(free, seat))
      if (begins > now) {
        if (waiting >= queue) return -1
        begun[(oldest + waiting) % begun.length] = begins
        waiting += 1
      }
      const left = Math.max(requestsPerSecond / 20, requestsPerSecond - background)
      const ends = begins + (exponential(chance) * seats * second) / left
      free[seat] = ends
      return ends
    },
  }
}

/** How far ahead a controller's work is planned, in seconds. */
const planned = 1 << 16

/** A controller that does so many things a second: when it is done with one that it can begin at a time. */
export const worker = (perSecond: number): ((from: Milliseconds) => Milliseconds) => {
  const each = second / perSecond
  /** What is planned for each second, in a ring. */
  const seconds = new Float64Array(planned).fill(-1)
  const counts = new Float64Array(planned)
  const planFor = (now: number): number => {
    const place = now & (planned - 1)
    if (at(seconds, place) !== now) {
      seconds[place] = now
      counts[place] = 0
    }
    return place
  }
  return (from) => {
    let now = Math.floor(from / second)
    while (at(counts, planFor(now)) >= perSecond) now += 1
    const place = planFor(now)
    const count = at(counts, place)
    counts[place] = count + 1
    return Math.max(from, now * second + count * each) + each
  }
}
