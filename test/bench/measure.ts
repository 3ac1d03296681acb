/** Runs contenders beside each other, in turns so short that what else the machine does is shared by all. */
import type { Pair } from '../adapters/connections/pki.js'
import type { Contender } from './sides.js'
import type { Target } from './target.js'

export interface Plan {
  readonly workers: number
  readonly changes: number
  /** How long a turn is, ms. The change comes in the middle of it. */
  readonly turn: number
}

export interface Outcome {
  readonly name: string
  readonly failed: number
  /** Requests a second: the median of the turns. */
  readonly rate: number
  /** What a request takes of the client's processors, µs: the median of the turns. */
  readonly cpu: number
  /** From a change to the last request with the certificate before, ms: the longest. Infinite where it stays. */
  readonly lateness: number
  /** Connections with an earlier certificate when all is over; null: not known. */
  readonly left: number | null
  /** Connections when all is over; null: not known. */
  readonly open: number | null
}

const sleep = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time))
const now = (): number => performance.timeOrigin + performance.now()

/** Each contender has a turn with each change. A first turn, without one, is not counted. */
export const measure = async (
  target: Target,
  contenders: ReadonlyArray<Contender>,
  { workers, changes, turn }: Plan,
): Promise<ReadonlyArray<Outcome>> => {
  const runners: Array<Runner> = []
  for (const contender of contenders) {
    const pairs: Array<Pair> = []
    for (let index = 0; index <= changes; index += 1) pairs.push(await target.pair())
    runners.push(run(target, contender, pairs, workers))
  }
  for (let change = 0; change <= changes; change += 1)
    for (const runner of runners) await runner.turn(change, turn)
  const outcomes: Array<Outcome> = []
  for (const runner of runners) outcomes.push(await runner.finish())
  return outcomes
}

interface Runner {
  readonly turn: (change: number, time: number) => Promise<void>
  readonly finish: () => Promise<Outcome>
}

const run = (
  target: Target,
  { name, stays, start }: Contender,
  [first, ...pairs]: ReadonlyArray<Pair>,
  workers: number,
): Runner => {
  if (first === undefined) throw new Error('there is no certificate to begin with')
  const side = start(target, first)
  const replacedAt = new Map<string, number>()
  let [current, failed, lateness] = [first, 0, stays ? Number.POSITIVE_INFINITY : 0]
  const rates: Array<number> = []
  const costs: Array<number> = []

  const late = (serial: string, at: number) => {
    lateness = Math.max(lateness, at - (replacedAt.get(serial) ?? at))
  }

  return {
    turn: async (change, time) => {
      let [working, requests] = [true, 0]
      const [began, cpu] = [now(), process.cpuUsage()]
      const all = Array.from({ length: workers }, async () => {
        while (working) {
          const at = now()
          await side.get().then(
            (answer) => late(answer, at),
            () => {
              failed += 1
            },
          )
          requests += 1
        }
      })
      await sleep(time / 2)
      const next = pairs[change - 1]
      if (next !== undefined) {
        side.change(next)
        replacedAt.set(current.serial, now())
        current = next
      }
      await sleep(time / 2)
      working = false
      await Promise.all(all)
      const { user, system } = process.cpuUsage(cpu)
      if (change === 0) return
      rates.push((requests * 1_000) / (now() - began))
      costs.push((user + system) / requests)
    },
    finish: async () => {
      await sleep(50)
      const old = [...replacedAt.keys()]
      const left = await target.openWith(new Set(old))
      const its = await target.openWith(new Set([...old, current.serial]))
      const before = await target.open()
      await side.close?.()
      await sleep(50)
      // Where nobody knows whose a connection is: its own are those that end with it.
      const open = its ?? (side.close === undefined ? null : before - (await target.open()))
      for (const [serial, at] of (await target.lastRequests?.()) ?? []) late(serial, at)
      return { name, failed, rate: median(rates), cpu: median(costs), lateness, left, open }
    },
  }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
