/** `status --watch`: asks each second, and shows what has changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { type Instant, second } from '../../src/model/time.js'
import { wallClock } from '../platform/clock.js'
import { type Chosen, placesOf } from './config-places.js'
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
export const watchStatus = async (
  { chosen, ...inquiry }: Inquiry & { readonly chosen?: Chosen },
  signal: AbortSignal,
): Promise<number> => {
  const { stdout, env } = process
  const draws = drawing(stdout.isTTY === true, env)
  const paint: ScreenOptions['paint'] = draws.colour
    ? (colour, text) => `\u001b[${colours[colour]}m${text}\u001b[0m`
    : (_, text) => text
  const title = `certificates ${chosen === undefined ? 'in' : 'of'} ${chosen?.config ?? inquiry.certDir}`
  const find = chosen === undefined ? inDirectory(inquiry) : inFile(chosen)
  const known = new Map<string, string>()
  while (!signal.aborted) {
    const watched = await look(await find())
    const now = wallClock.now()
    if (draws.screen) {
      const columns = stdout.columns > 0 ? stdout.columns : 80
      stdout.write(`${clear}${screen(watched, { title, now, columns, paint }).join('\n')}\n`)
    } else for (const line of changes(known, watched, now)) stdout.write(`${line}\n`)
    await sleep(second, undefined, { signal }).catch(() => {})
  }
  return 0
}

/** What is looked at, and what it is called. */
interface Looked {
  readonly name: string
  readonly inquiry: E.Either<string, Inquiry>
}

const inDirectory = (inquiry: Inquiry) => async (): Promise<ReadonlyArray<Looked>> => {
  const { certDir, certPrefix } = inquiry
  const prefixes = certPrefix === undefined ? await prefixesIn(certDir) : [certPrefix]
  return prefixes.map((prefix) => ({ name: prefix, inquiry: E.right({ ...inquiry, certPrefix: prefix }) }))
}

/** The file may change while it is watched. */
const inFile = (chosen: Chosen) => async (): Promise<ReadonlyArray<Looked>> => {
  const places = await placesOf(chosen)
  return E.isRight(places)
    ? places.right.map((place) => ({ name: place.name, inquiry: E.right(place) }))
    : [{ name: chosen.config, inquiry: E.left(places.left.join('; ')) }]
}

const look = (looked: ReadonlyArray<Looked>): Promise<ReadonlyArray<Watched>> =>
  Promise.all(
    looked.map(async ({ name, inquiry }): Promise<Watched> => {
      if (E.isLeft(inquiry)) return { prefix: name, situation: undefined, problem: inquiry.left }
      const situation = await inquire(inquiry.right)
      return E.isRight(situation)
        ? { prefix: name, situation: situation.right }
        : {
            prefix: name,
            situation: undefined,
            problem: `${situation.left.message}; ${situation.left.remedy}`,
          }
    }),
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
