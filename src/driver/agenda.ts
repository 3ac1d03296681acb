/** What is due when, for any number of rotations: a heap of instants and one timer. */
import type { IO } from 'fp-ts/lib/IO.js'
import { endOfTime, type Instant } from '../model/time.js'
import type { Clock } from '../ports.js'
import { type Interruption, interruption } from '../signal.js'

/** One place on the agenda. */
export interface Appointment {
  /** Calls `look` at the instant, once, in place of an instant that was set before; the end of time: never. */
  readonly set: (at: Instant) => void
}

export interface Agenda {
  /** A place that nothing is due at yet. `look` must not throw; it is also called when the clock was set back. */
  readonly add: (look: IO<void>) => Appointment
}

interface Entry {
  readonly look: IO<void>
  at: Instant
  /** Its index in the heap; -1: not in it. */
  place: number
}

/** An agenda that goes by the clock. While nothing is due at any time there is no timer. */
export const agenda = (clock: Clock): Agenda => {
  const heap: Array<Entry> = []
  let sleeping: { readonly until: Instant; readonly end: Interruption } | undefined

  const put = (entry: Entry, place: number) => {
    heap[place] = entry
    entry.place = place
  }
  const rise = (entry: Entry) => {
    let place = entry.place
    for (;;) {
      const above = (place - 1) >> 1
      const parent = heap[above]
      if (place === 0 || parent === undefined || parent.at <= entry.at) break
      put(parent, place)
      place = above
    }
    put(entry, place)
  }
  const sink = (entry: Entry) => {
    let place = entry.place
    for (;;) {
      const left = heap[2 * place + 1]
      const right = heap[2 * place + 2]
      const child = left !== undefined && right !== undefined && right.at < left.at ? right : left
      if (child === undefined || child.at >= entry.at) break
      const below = child.place
      put(child, place)
      place = below
    }
    put(entry, place)
  }
  const remove = (entry: Entry) => {
    const { place } = entry
    const last = heap.pop()
    entry.place = -1
    if (last === undefined || last === entry) return
    put(last, place)
    rise(last)
    sink(last)
  }

  /** Sleeps until the first entry is due. */
  const arm = () => {
    const [first] = heap
    // A timer that is early does no harm; it is set anew then.
    if (first !== undefined && sleeping !== undefined && sleeping.until <= first.at) return
    sleeping?.end.interrupt()
    sleeping = undefined
    if (first === undefined) return
    const mine = { until: first.at, end: interruption() }
    sleeping = mine
    const wake = () => {
      if (sleeping !== mine) return
      sleeping = undefined
      lookAtWhatIsDue(mine.until)
      arm()
    }
    void clock.sleepUntil(mine.until, mine.end.signal)().then(wake)
  }

  /** Everything is looked at when the clock was set back: a delay that began later than now is over. */
  const lookAtWhatIsDue = (expected: Instant) => {
    const now = clock.now()
    const due = now < expected ? [...heap] : []
    for (let [first] = heap; now >= expected && first !== undefined && first.at <= now; [first] = heap) {
      remove(first)
      due.push(first)
    }
    for (const { look } of due) look()
  }

  return {
    add: (look) => {
      const entry: Entry = { look, at: endOfTime, place: -1 }
      return {
        set: (at) => {
          if (entry.place >= 0) remove(entry)
          entry.at = at
          if (at !== endOfTime) {
            put(entry, heap.length)
            rise(entry)
          }
          arm()
        },
      }
    },
  }
}
