import type { Option } from 'fp-ts/lib/Option.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'

/**
 * Codecs for what Go programs write: an absent field, `null` and the empty value are one (`encoding/json`,
 * `omitempty`). Their messages never quote the value, which may be a secret.
 */

const lenient = <A>(name: string, empty: A, read: (input: unknown) => Option<A>, expected: string) =>
  new t.Type<A, A, unknown>(
    name,
    (u): u is A => O.isSome(read(u)),
    (u, context) => {
      if (u === null || u === undefined) return t.success(empty)
      const found = read(u)
      return O.isSome(found) ? t.success(found.value) : t.failure(u, context, `must be ${expected}`)
    },
    t.identity,
  )

/** Text; the empty one when absent. A number or a date has to be quoted in YAML. */
export const text = lenient(
  'text',
  '',
  (u) => (typeof u === 'string' ? O.some(u) : O.none),
  'text (put it in quotes)',
)

/** true or false; false when absent. */
export const flag = lenient(
  'flag',
  false,
  (u) => (typeof u === 'boolean' ? O.some(u) : O.none),
  'true or false',
)

/** Fields by their names; none when absent. */
export const mapping = lenient<Record<string, unknown>>(
  'mapping',
  {},
  (u) => (t.UnknownRecord.is(u) && !Array.isArray(u) ? O.some(u) : O.none),
  'a mapping of fields',
)

/** A list; the empty one when absent. */
export const list = <A>(item: t.Type<A, unknown>): t.Type<ReadonlyArray<A>, unknown> => {
  const items = t.readonlyArray(item)
  return new t.Type(
    'list',
    items.is,
    (u, context) =>
      u === null || u === undefined
        ? t.success([])
        : Array.isArray(u)
          ? items.validate(u, context)
          : t.failure(u, context, 'must be a list'),
    t.identity,
  )
}

/** Whether a Go program would take the value for an absent one. */
export const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0)
