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
  let heap = new Float64Array(capacity)
  let places = new Float64Array(capacity).fill(-1)
  /** By place, so that those of children are read together. */
  let times = new Float64Array(capacity)
  let ranks = new Float64Array(capacity)
  let size = 0

  const entryAt = (place: number): number => at(heap, place)

  const grow = () => {
    const larger = Math.max(16, 2 * places.length)
    const copy = <A extends Float64Array>(from: A, to: A): A => {
      to.set(from)
      return to
    }
    heap = copy(heap, new Float64Array(larger))
    places = copy(places, new Float64Array(larger).fill(-1))
    times = copy(times, new Float64Array(larger))
    ranks = copy(ranks, new Float64Array(larger))
  }
  const put = (entry: number, due: number, place: number) => {
    heap[place] = entry
    times[place] = due
    places[entry] = place
  }
  /** Whether an entry that is due at a time is before the one at a place. */
  const isBefore = (entry: number, due: number, place: number): boolean => {
    const other = at(times, place)
    return due < other || (due === other && at(ranks, entry) < at(ranks, entryAt(place)))
  }
  /** Moves an entry from a place to where it belongs. */
  const settle = (entry: number, due: number, from: number) => {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 2
      if (!isBefore(entry, due, above)) break
      put(entryAt(above), at(times, above), place)
      place = above
    }
    for (;;) {
      const left = children * place + 1
      const end = Math.min(left + children, size)
      if (left >= end) break
      let best = left
      for (let child = left + 1; child < end; child += 1)
        if (isBefore(entryAt(child), at(times, child), best)) best = child
      if (isBefore(entry, due, best)) break
      put(entryAt(best), at(times, best), place)
      place = best
    }
    put(entry, due, place)
  }
  const remove = (entry: number, place: number) => {
    places[entry] = -1
    size -= 1
    const last = entryAt(size)
    if (last !== entry) settle(last, at(times, size), place)
  }

  return {
    set: (entry, due, rank = entry) => {
      while (entry >= places.length) grow()
      const place = at(places, entry)
      if (due === endOfTime) {
        if (place >= 0) remove(entry, place)
        return
      }
      ranks[entry] = rank
      if (place >= 0) settle(entry, due, place)
      else {
        size += 1
        settle(entry, due, size - 1)
      }
    },
    next: () => (size === 0 ? endOfTime : at(times, 0)),
    first: () => (size === 0 ? -1 : entryAt(0)),
  }
}
