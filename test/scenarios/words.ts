/** The words of a command. */
import { day, hour, type Instant, instant, type Milliseconds, minute, second } from '../../src/index.js'

const units: Readonly<Record<string, Milliseconds>> = { d: day, h: hour, m: minute, s: second, ms: 1 }

/** `1h30m`, `20s`, `-5m`. */
export const duration = (text: string): Milliseconds => {
  const sign = text.startsWith('-') ? -1 : 1
  const parts = [...text.matchAll(/(\d+)(ms|[dhms])/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text.replace('-', ''))
    throw new Error(`${text} is no duration`)
  return sign * parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0), 0)
}

export const moment = (text: string): Instant => {
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) throw new Error(`${text} is no time`)
  return instant(milliseconds)
}

/** Words apart, what stands in double quotes as one. */
export const words = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** What stands behind a word: `option(['sign', 'lasting', '20s'], 'lasting')` is `20s`. */
export const option = (all: ReadonlyArray<string>, name: string): string | undefined => {
  const index = all.indexOf(name)
  return index < 0 ? undefined : all[index + 1]
}

export const onOff = (text: string): boolean => pick(text, { on: true, off: false })

/** The entry with this name. */
export const pick = <A>(name: string | undefined, table: Readonly<Record<string, A>>): A => {
  const found = Object.entries(table).find(([key]) => key === name)
  if (found === undefined) throw new Error(`${name} is none of ${Object.keys(table).join(', ')}`)
  return found[1]
}
