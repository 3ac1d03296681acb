import { after, second } from '../../src/model/time.js'
import type { Clock } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import { type Check, ensure } from './check.js'

/** What every clock does. `pass` lets at least so many ms pass on it. */
export const clockContract = (
  clock: Clock,
  pass: (duration: number) => Promise<void>,
): ReadonlyArray<Check> => [
  {
    name: 'a sleep ends at its instant, and not before',
    run: async () => {
      const until = after(clock.now(), 50)
      let woken: number | undefined
      const sleeping = clock
        .sleepUntil(until, interruption().signal)()
        .then(() => {
          woken = clock.now()
        })
      await pass(100)
      await sleeping
      ensure(woken !== undefined && woken >= until, `it ended at ${woken}, and should have at ${until}`)
    },
  },
  {
    name: 'a sleep until now or earlier is over at once',
    run: () => clock.sleepUntil(after(clock.now(), -second), interruption().signal)(),
  },
  {
    name: 'a sleep ends when its signal is given, also if that was before',
    run: async () => {
      const { signal, interrupt } = interruption()
      const sleeping = clock.sleepUntil(after(clock.now(), 3_600 * second), signal)()
      interrupt()
      await sleeping
      await clock.sleepUntil(after(clock.now(), 3_600 * second), signal)()
    },
  },
]
