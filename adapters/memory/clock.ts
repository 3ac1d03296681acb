import type { Task } from 'fp-ts/lib/Task.js'
import { after, endOfTime, type Instant, instant, type Milliseconds, rfc3339 } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { onSignal } from '../../src/signal.js'
import { virtualAgenda } from '../../src/simulator/agenda.js'

/** A wall clock that moves when it is told to. Nothing waits for real time. */
export interface VirtualClock extends Clock {
  /** Takes real time and no virtual one, as cryptography does: to settle is to wait for its end. */
  readonly during: <A>(work: Task<A>) => Task<A>
  /** Resolves when everybody has done what there was to do, and sleeps or waits for something from outside. */
  readonly settle: () => Promise<void>
  /** Lets time pass until the instant: who is due on the way wakes at its time, one after the other, and settles. */
  readonly advanceTo: (until: Instant) => Promise<void>
  readonly advanceBy: (duration: Milliseconds) => Promise<void>
  /** Sets the clock, forwards (a machine that was suspended) or back: nobody sees a moment in between. */
  readonly set: (to: Instant) => Promise<void>
  /** Everybody who sleeps now never wakes, as when the process is killed. */
  readonly forgetSleepers: () => void
}

/** A virtual clock that stands at the given time. */
export const virtualClock = (start: Instant): VirtualClock => {
  let now = start
  const agenda = virtualAgenda(0)
  /** How each sleeper wakes, by its entry of the agenda; in the order in which they went to sleep. */
  const sleepers = new Map<number, () => void>()
  /** Entries that nobody has any more. */
  const free: Array<number> = []
  let slept = 0
  /** Counts what is done with the clock: while it grows, somebody is still busy. */
  let activity = 0
  let working = 0

  /** A turn of the event loop ends when no promise is left to be followed up. */
  const settle = async () => {
    for (let seen = -1; seen !== activity || working > 0; ) {
      seen = activity
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  const advanceTo = async (until: Instant) => {
    if (until < now)
      throw new Error(`time does not pass from ${rfc3339(now)} to ${rfc3339(until)}: set the clock`)
    await settle()
    for (let next = agenda.next(); sleepers.size > 0 && next <= until; next = agenda.next()) {
      now = instant(next)
      sleepers.get(agenda.first())?.()
      await settle()
    }
    now = until
    await settle()
  }

  return {
    now: () => {
      activity += 1
      return now
    },
    sleepUntil: (until, signal) => async () => {
      activity += 1
      if (until <= now) return
      await new Promise<void>((resolve) => {
        let forget = () => {}
        const entry = free.pop() ?? sleepers.size
        const wake = () => {
          activity += 1
          if (sleepers.get(entry) === wake) {
            sleepers.delete(entry)
            free.push(entry)
            agenda.set(entry, endOfTime)
          }
          forget()
          resolve()
        }
        slept += 1
        sleepers.set(entry, wake)
        agenda.set(entry, until, slept)
        forget = onSignal(signal, wake)
      })
    },
    during: (work) => async () => {
      working += 1
      try {
        return await work()
      } finally {
        working -= 1
        activity += 1
      }
    },
    settle,
    advanceTo,
    advanceBy: (duration) => advanceTo(after(now, duration)),
    set: async (to) => {
      await settle()
      const back = to < now
      now = to
      while (!back && agenda.next() <= to && sleepers.size > 0) sleepers.get(agenda.first())?.()
      if (back) for (const wake of [...sleepers.values()]) wake()
      await settle()
    },
    forgetSleepers: () => {
      for (const entry of sleepers.keys()) {
        agenda.set(entry, endOfTime)
        free.push(entry)
      }
      sleepers.clear()
    },
  }
}
