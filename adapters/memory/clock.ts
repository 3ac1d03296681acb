import type { Task } from 'fp-ts/lib/Task.js'
import { after, type Instant, type Milliseconds, rfc3339 } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { onSignal } from '../../src/signal.js'

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

interface Sleeper {
  readonly until: Instant
  readonly wake: () => void
}

/** A virtual clock that stands at the given time. */
export const virtualClock = (start: Instant): VirtualClock => {
  let now = start
  let sleepers: ReadonlyArray<Sleeper> = []
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
    for (
      let next = earliest(sleepers);
      next !== undefined && next.until <= until;
      next = earliest(sleepers)
    ) {
      now = next.until
      next.wake()
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
        const sleeper: Sleeper = {
          until,
          wake: () => {
            activity += 1
            sleepers = sleepers.filter((other) => other !== sleeper)
            forget()
            resolve()
          },
        }
        sleepers = [...sleepers, sleeper]
        forget = onSignal(signal, sleeper.wake)
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
      for (const sleeper of sleepers) if (back || sleeper.until <= now) sleeper.wake()
      await settle()
    },
    forgetSleepers: () => {
      sleepers = []
    },
  }
}

/** Who has slept longest among those who wake first. */
const earliest = (sleepers: ReadonlyArray<Sleeper>): Sleeper | undefined =>
  sleepers.reduce<Sleeper | undefined>(
    (first, sleeper) => (first === undefined || sleeper.until < first.until ? sleeper : first),
    undefined,
  )
