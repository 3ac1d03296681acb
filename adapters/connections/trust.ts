import * as O from 'fp-ts/lib/Option.js'
import type { Milliseconds } from '../../src/model/time.js'

/** Bundles that are no longer the current one, each with the time until which it is still trusted, ms since the epoch. */
export type Outgoing = ReadonlyArray<{ readonly pem: string; readonly until: number }>

/** The outgoing bundles once `before` has been followed by `next`. Node's own CAs do not overlap with anything. */
export const outgoing = (
  earlier: Outgoing,
  before: O.Option<string>,
  next: O.Option<string>,
  now: number,
  overlap: Milliseconds,
): Outgoing => {
  if (O.isNone(next)) return []
  const all =
    O.isSome(before) && before.value !== next.value
      ? [...earlier, { pem: before.value, until: now + overlap }]
      : earlier
  return all.filter(({ pem, until }) => until > now && pem !== next.value && pem !== '')
}

/** Everything that is trusted: the current bundle first. */
export const joined = (current: O.Option<string>, earlier: Outgoing): O.Option<string> =>
  O.map((pem: string) =>
    [pem, ...earlier.map((bundle) => bundle.pem)].filter((text) => text !== '').join('\n'),
  )(current)
