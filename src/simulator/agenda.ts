/**
 * What is due when, in virtual time: a heap of numbered entries in typed arrays, each with one instant at most. Of two
 * that are due at once the one with the lower rank is first, so the order does not depend on how they got there.
 */
import { endOfTime } from '../model/time.js'
import { at } from './numbers.js'

export interface VirtualAgenda {
  /** Puts an entry at a time, in place of where it was; the end of time: nowhere. `rank`: its number unless given. */
  readonly set: (entry: number, at: number, rank?: number) => void
  /** When the first entry is due; the end of time: there is none. */
  readonly next: () => number
  /** The first entry, which stays where it is until it is set anew; -1: there is none. */
  readonly first: () => number
}

/** The heap has four children a place: half as deep as with two, and they lie side by side. */
const children = 4

/** An agenda for entries 0 to `capacity`, which grows when there are more. */
export const virtualAgenda = (capacity: number): VirtualAgenda => {
  let heap = new Int32Array(capacity)
  let places = new Int32Array(capacity).fill(-1)
  let times = new Float64Array(capacity)
  let ranks = new Float64Array(capacity)
  let size = 0

  const grow = () => {
    const larger = Math.max(16, 2 * places.length)
    const copy = <A extends Int32Array | Float64Array>(from: A, to: A): A => {
      to.set(from)
      return to
    }
    heap = copy(heap, new Int32Array(larger))
    places = copy(places, new Int32Array(larger).fill(-1))
    times = copy(times, new Float64Array(larger))
    ranks = copy(ranks, new Float64Array(larger))
  }
  const isBefore = (one: number, other: number): boolean => {
    const a = at(times, one)
    const b = at(times, other)
    return a < b || (a === b && at(ranks, one) < at(ranks, other))
  }
  const put = (entry: number, place: number) => {
    heap[place] = entry
    places[entry] = place
  }
  /** Moves an entry from a place to where it belongs. */
  const settle = (entry: number, from: number) => {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 2
      const parent = at(heap, above)
      if (!isBefore(entry, parent)) break
      put(parent, place)
      place = above
    }
    for (;;) {
      const left = children * place + 1
      const end = Math.min(left + children, size)
      let best = entry
      for (let child = left; child < end; child += 1) {
        const candidate = at(heap, child)
        if (isBefore(candidate, best)) best = candidate
      }
      if (best === entry) break
      const below = at(places, best)
      put(best, place)
      place = below
    }
    put(entry, place)
  }
  const remove = (entry: number, place: number) => {
    places[entry] = -1
    size -= 1
    const last = at(heap, size)
    if (last !== entry) settle(last, place)
  }

  return {
    set: (entry, due, rank = entry) => {
      while (entry >= places.length) grow()
      const place = at(places, entry)
      if (due === endOfTime) {
        if (place >= 0) remove(entry, place)
        return
      }
      times[entry] = due
      ranks[entry] = rank
      if (place >= 0) settle(entry, place)
      else {
        size += 1
        settle(entry, size - 1)
      }
    },
    next: () => (size === 0 ? endOfTime : at(times, at(heap, 0))),
    first: () => (size === 0 ? -1 : at(heap, 0)),
  }
}
