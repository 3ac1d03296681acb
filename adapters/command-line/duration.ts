import * as E from 'fp-ts/lib/Either.js'
import { day, hour, type Milliseconds, minute, second } from '../../src/model/time.js'

const units: Readonly<Record<string, Milliseconds>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: second,
  m: minute,
  h: hour,
}

/** The same, and days as Prometheus has them: `7d`, `1d12h`. */
export const parseDurationWithDays = (text: string): E.Either<string, Milliseconds> => {
  const [, days, rest = ''] = /^(\d+)d(.*)$/.exec(text) ?? []
  if (days === undefined) return parseDuration(text)
  const begun = Number(days) * day
  return rest === '' ? E.right(begun) : E.map((more: Milliseconds) => begun + more)(parseDuration(rest))
}

/** What `parseDuration` reads. */
export const durationPattern = /^(0|((\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|ms|s|m|h))+)$/

/** Reads a duration as Go's `time.ParseDuration` does, without a sign: `90s`, `1h30m`, `8760h`, `0`. */
export const parseDuration = (text: string): E.Either<string, Milliseconds> => {
  if (text === '0') return E.right(0)
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|ms|s|m|h)/y
  let total = 0
  while (part.lastIndex < text.length) {
    const [, amount, unit] = part.exec(text) ?? []
    if (amount === undefined || unit === undefined)
      return E.left(`${JSON.stringify(text)} is no duration: write it like 90s, 10m or 1h30m`)
    total += Number(amount) * (units[unit] ?? 0)
  }
  return text === '' ? E.left('a duration is missing: write it like 90s, 10m or 1h30m') : E.right(total)
}
