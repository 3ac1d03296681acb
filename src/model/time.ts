/**
 * Instants and durations. The wall clock is the only clock that certificates know (RFC 5280, 4.1.2.5), so it is
 * the only one here; reading it is an adapter's business.
 */

declare const instantBrand: unique symbol

/** A moment: milliseconds since the Unix epoch, UTC, whole, within what a JavaScript `Date` can hold. */
export type Instant = number & { readonly [instantBrand]: 'Instant' }

/** A length of time in milliseconds. */
export type Milliseconds = number

export const second: Milliseconds = 1_000
export const minute: Milliseconds = 60 * second
export const hour: Milliseconds = 60 * minute
export const day: Milliseconds = 24 * hour

const farthest = 8_640_000_000_000_000

/** The instant so many milliseconds after the epoch; beyond a `Date`'s range the nearest one, for `NaN` the epoch. */
export function instant(milliseconds: number): Instant
export function instant(milliseconds: number): number {
  return Number.isNaN(milliseconds) ? 0 : Math.trunc(Math.min(Math.max(milliseconds, -farthest), farthest))
}

/** The last instant there is: "not before something happens". */
export const endOfTime: Instant = instant(farthest)

/** `duration` milliseconds after `from`. */
export const after = (from: Instant, duration: Milliseconds): Instant => instant(from + duration)

/** The earliest of some instants; the end of time for none. */
export const earliest = (...instants: ReadonlyArray<Instant>): Instant =>
  instant(Math.min(farthest, ...instants))

/** The instant without its fraction of a second: what a file name can carry. */
export const wholeSecond = (at: Instant): Instant => instant(Math.floor(at / second) * second)

/** RFC 3339 in UTC, with milliseconds only where there are any: `2026-11-23T17:20:02Z`. */
export const rfc3339 = (at: Instant): string => new Date(at).toISOString().replace('.000Z', 'Z')

/** A duration for people, in its two largest units: `90d 4h`, `5m`, `1.5s`, `0s`. */
export const inWords = (duration: Milliseconds): string => {
  if (duration < 0) return `-${inWords(-duration)}`
  if (duration < 10 * second) return `${Math.round(duration / 100) / 10}s`
  const seconds = Math.round(duration / second)
  const parts: ReadonlyArray<readonly [number, string]> = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ')
}
