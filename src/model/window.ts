import * as O from 'fp-ts/lib/Option.js'
import { type Instant, instant } from './time.js'

/** A time in which a certificate is to be renewed, as ACME's renewal information suggests one (RFC 9773, section 4.2). */
export interface RenewalWindow {
  readonly start: Instant
  readonly end: Instant
  /** Why, for people. */
  readonly reason: string
  /** Who suggests it, for people: a path, the name of a ConfigMap. */
  readonly source: string
}

/** Whether it can be one: it ends after it starts, and both are instants. RFC 9773: anything else counts as no answer. */
export const isWindow = ({ start, end }: RenewalWindow): boolean =>
  start < end && instant(start) === start && instant(end) === end

/** Whether two answers are the same one. */
export const isSameWindow = (one: O.Option<RenewalWindow>, other: O.Option<RenewalWindow>): boolean =>
  O.isSome(one) && O.isSome(other)
    ? one.value.start === other.value.start &&
      one.value.end === other.value.end &&
      one.value.reason === other.value.reason &&
      one.value.source === other.value.source
    : one._tag === other._tag
