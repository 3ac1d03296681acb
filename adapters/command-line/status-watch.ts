/** `status --watch`: asks each second, and shows what has changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { type Instant, second } from '../../src/model/time.js'
import { wallClock } from '../platform/clock.js'
import { type Inquiry, inquire, prefixesIn } from './inquiry.js'
import { toTheSecond } from './output.js'
import { type ScreenOptions, screen, summaryLine, type Watched } from './watch-view.js'

const clear = '\u001b[H\u001b[2J'
const colours = { good: 32, bad: 31, due: 33 } as const

/** Whether colours are wanted (https://no-color.org) and a screen can be drawn. */
export const drawing = (
  isTerminal: boolean,
  { TERM, NO_COLOR }: Readonly<Record<string, string | undefined>>,
): { readonly screen: boolean; readonly colour: boolean } => {
  const isCapable = isTerminal && TERM !== 'dumb'
  return { screen: isCapable, colour: isCapable && (NO_COLOR ?? '') === '' }
}

/** Shows it until the signal is given. Without a terminal that can be drawn on: a line for each change. */
export const watchStatus = async (inquiry: Inquiry, signal: AbortSignal): Promise<number> => {
  const { stdout, env } = process
  const draws = drawing(stdout.isTTY === true, env)
  const paint: ScreenOptions['paint'] = draws.colour
    ? (colour, text) => `\u001b[${colours[colour]}m${text}\u001b[0m`
    : (_, text) => text
  const title = `certificates in ${inquiry.certDir}`
  const known = new Map<string, string>()
  while (!signal.aborted) {
    const watched = await look(inquiry)
    const now = wallClock.now()
    if (draws.screen) {
      const columns = stdout.columns > 0 ? stdout.columns : 80
      stdout.write(`${clear}${screen(watched, { title, now, columns, paint }).join('\n')}\n`)
    } else for (const line of changes(known, watched, now)) stdout.write(`${line}\n`)
    await sleep(second, undefined, { signal }).catch(() => {})
  }
  return 0
}

const look = async (inquiry: Inquiry): Promise<ReadonlyArray<Watched>> =>
  Promise.all(
    (inquiry.certPrefix === undefined ? await prefixesIn(inquiry.certDir) : [inquiry.certPrefix]).map(
      async (prefix): Promise<Watched> => {
        const situation = await inquire({ ...inquiry, certPrefix: prefix })
        return E.isRight(situation)
          ? { prefix, situation: situation.right }
          : { prefix, situation: undefined, problem: `${situation.left.message}; ${situation.left.remedy}` }
      },
    ),
  )

/** The lines that are not what they were; `known` is what was. */
export const changes = (
  known: Map<string, string>,
  watched: ReadonlyArray<Watched>,
  now: Instant,
): ReadonlyArray<string> =>
  watched.flatMap((one) => {
    const line = summaryLine(one)
    if (known.get(one.prefix) === line) return []
    known.set(one.prefix, line)
    return [`${toTheSecond(now)} ${line}`]
  })
