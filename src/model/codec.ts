/**
 * What the codecs of everything that is written down have in common: null is absent (and so is a field that is not
 * there), an instant is RFC 3339 in UTC with milliseconds, and an error says where in the document it lies.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { type Instant, instant, type Milliseconds } from './time.js'

/** A value as JSON has it (RFC 8259). */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

/** A value that may be absent: null, or what the codec makes of it. */
export const nullable = <A, Output>(codec: t.Type<A, Output>): t.Type<O.Option<A>, Output | null> =>
  new t.Type(
    `${codec.name} or null`,
    (u): u is O.Option<A> =>
      t.UnknownRecord.is(u) && (u['_tag'] === 'None' || (u['_tag'] === 'Some' && codec.is(u['value']))),
    (u, context) =>
      u === null || u === undefined
        ? t.success(O.none)
        : E.map((value: A) => O.some(value))(codec.validate(u, lookedAtAs(codec, context))),
    (value) => (O.isSome(value) ? codec.encode(value.value) : null),
  )

/** A number that documents of earlier versions do not have: it was 0 then. */
export const orZero: t.Type<number, number> = new t.Type(
  'number',
  t.number.is,
  (u, context) => t.number.validate(u ?? 0, context),
  (number) => number,
)

/** A list that documents of earlier versions do not have: it was empty then. */
export const orEmpty = <A, Output>(
  list: t.Type<ReadonlyArray<A>, Output>,
): t.Type<ReadonlyArray<A>, Output> =>
  new t.Type(
    list.name,
    list.is,
    (u, context) => (u === undefined ? t.success([]) : list.validate(u, lookedAtAs(list, context))),
    list.encode,
  )

/** The same place in the document, as another codec reads it: it is the one that its errors speak of. */
const lookedAtAs = (type: t.ContextEntry['type'], context: t.Context): t.Context =>
  context.map((entry, index) => (index === context.length - 1 ? { ...entry, type } : entry))

/** An instant as text; beyond the year 9999 in the form of ISO 8601 with a sign and six digits. */
export const InstantText = new t.Type<Instant, string, unknown>(
  'instant',
  (u): u is Instant => typeof u === 'number',
  (u, context) => {
    const at = instant(typeof u === 'string' ? Date.parse(u) : 0)
    return textOf(at) === u
      ? t.success(at)
      : t.failure(u, context, 'must be an instant such as 2026-11-23T17:20:02.000Z')
  },
  (at) => textOf(at),
)

const textOf = (at: Instant): string => new Date(at).toISOString()

const otherNumbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A duration in ms; what JSON has no number for (an infinite delay, one that is not a number) by its name. */
export const Duration = new t.Type<Milliseconds, number | string, unknown>(
  'number of milliseconds',
  (u): u is Milliseconds => typeof u === 'number',
  (u, context) => {
    const found = typeof u === 'string' && Object.hasOwn(otherNumbers, u) ? otherNumbers[u] : u
    return typeof found === 'number' ? t.success(found) : t.failure(u, context)
  },
  (duration) => (Number.isFinite(duration) ? duration : String(duration)),
)

/**
 * Codecs for what Go programs write: an absent field, `null` and the empty value are one (`encoding/json`,
 * `omitempty`). Their messages never quote the value, which may be a secret.
 */

const lenient = <A>(name: string, empty: A, read: (input: unknown) => O.Option<A>, expected: string) =>
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

/** Where in a document something lies, and what is wrong there. */
export interface Problem {
  /** As in `users[0].user.token`; empty for the document itself. */
  readonly where: string
  readonly what: string
}

/** The path to a field: `clusters[0].cluster`. */
export const pathOf = (keys: ReadonlyArray<string>): string =>
  keys
    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '')

/** A decoder's errors in words: the one that lies deepest, as those of a union's other members lie higher. */
export const problemOf = (errors: t.Errors): Problem => {
  const [error] = [...errors].sort((a, b) => b.context.length - a.context.length)
  const last = error?.context.at(-1)
  if (error === undefined || last === undefined) return { where: '', what: 'cannot be read' }
  const { context, message } = error
  // The members of an intersection or a union stand in the context by their number, which is no part of the path.
  const keys = context
    .filter(({ key }, index) => {
      const around = shapeOf(context[index - 1])
      return key !== '' && !(around instanceof t.IntersectionType || around instanceof t.UnionType)
    })
    .map(({ key }) => key)
  // A union that is told apart by a tag is at fault itself only when it has no such tag.
  if (message === undefined && shapeOf(last) instanceof t.UnionType && hasTag(last.actual))
    return { where: pathOf([...keys, '_tag']), what: 'is none that this version knows' }
  const { name } = last.type
  // The name of what consists of others is all of them, in TypeScript.
  const composite = name.startsWith('ReadonlyArray<') ? 'a list' : 'a mapping of fields'
  const named = /^[\w ]+$/.test(name) ? `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}` : composite
  return { where: pathOf(keys), what: message ?? `must be ${named}` }
}

const shapeOf = (entry: t.ContextEntry | undefined) =>
  entry?.type instanceof t.ExactType ? entry.type.type : entry?.type

const hasTag = (value: unknown): boolean => t.UnknownRecord.is(value) && typeof value['_tag'] === 'string'
