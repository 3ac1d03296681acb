/**
 * Documents that people write, in YAML: fields with a rule each, every problem told with its path, and a JSON schema
 * (draft 2020-12) of it all that accepts what is read here and nothing else.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { parseDocument } from 'yaml'
import { type Json, type Problem, problemOf } from '../../src/model/codec.js'
import { nearest } from './nearest.js'

export type Schema = { readonly [keyword: string]: Json }

/** A codec that knows its JSON schema. */
export interface Field<A> extends t.Type<A, unknown> {
  readonly schema: Schema
  /** It need not be given. */
  readonly isOptional: boolean
}

const field = <A>(
  name: string,
  schema: Schema,
  isOptional: boolean,
  validate: t.Validate<unknown, A>,
): Field<A> =>
  Object.assign(new t.Type<A, unknown>(name, (_): _ is A => false, validate, t.identity), {
    schema,
    isOptional,
  })

/** A value that is read by a rule, which accepts what the schema accepts; `what` says what it must be. */
export const read = <A>(what: string, schema: Schema, rule: (value: unknown) => A | undefined): Field<A> =>
  field('value', schema, false, (u, context) => {
    const found = rule(u)
    return found === undefined ? t.failure(u, context, what) : t.success(found)
  })

/** Text that matches, and what it is made into. */
export const matching = <A>(pattern: RegExp, what: string, make: (text: string) => A | undefined): Field<A> =>
  read(what, { type: 'string', pattern: pattern.source }, (value) =>
    typeof value === 'string' && pattern.test(value) ? make(value) : undefined,
  )

export const text: Field<string> = read('must be text', { type: 'string' }, (value) =>
  typeof value === 'string' ? value : undefined,
)

export const yesOrNo: Field<boolean> = read('must be true or false', { type: 'boolean' }, (value) =>
  typeof value === 'boolean' ? value : undefined,
)

export const whole = (least: number, most: number): Field<number> =>
  read(
    `must be a whole number from ${least} to ${most}`,
    { type: 'integer', minimum: least, maximum: most },
    (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
        ? value
        : undefined,
  )

/** One of these words; of one that is misspelt the nearest is told. */
export const oneOf = <const A extends string>(...names: ReadonlyArray<A>): Field<A> =>
  field('word', { enum: names }, false, (u, context) => {
    const found = names.find((name) => name === u)
    if (found !== undefined) return t.success(found)
    const near = typeof u === 'string' ? nearest(u, names) : undefined
    const what = `must be ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`
    return t.failure(
      u,
      context,
      near === undefined || names.length === 1 ? what : `${what}; did you mean ${near}?`,
    )
  })

/** What stands for a value that is not given. */
export const or = <A, const B>(codec: Field<A>, otherwise: B): Field<A | B> =>
  field<A | B>(codec.name, codec.schema, true, (u, context) =>
    u === undefined ? t.success(otherwise) : codec.validate(u, context),
  )

/** With words for who writes it. */
export const described = <A>(codec: Field<A>, description: string): Field<A> =>
  field(codec.name, { ...codec.schema, description }, codec.isOptional, codec.validate)

/** Any number of them, none where it is not given. */
export const list = <A>(item: Field<A>): Field<ReadonlyArray<A>> => or(some(item, 0), [])

/** A list with so many of them at least. */
export const some = <A>(item: Field<A>, least: number): Field<ReadonlyArray<A>> => {
  const items = t.readonlyArray(item)
  const schema = { type: 'array', items: item.schema, ...(least > 0 ? { minItems: least } : {}) }
  return field(items.name, schema, false, (u, context) =>
    Array.isArray(u) && u.length < least
      ? t.failure(u, context, 'must not be empty')
      : Array.isArray(u)
        ? items.validate(u, context)
        : t.failure(u, context, 'must be a list'),
  )
}

/** Text of a kind, or a list. */
export const textOr = <A, B>(word: Field<A>, items: Field<B>): Field<A | B> =>
  field<A | B>('value', { anyOf: [word.schema, items.schema] }, false, (u, context) =>
    typeof u === 'string' ? word.validate(u, context) : items.validate(u, context),
  )

/** Values by names that are free. */
export const byName = <A>(value: Field<A>): Field<Readonly<Record<string, A>>> => {
  const values = t.record(t.string, value)
  return field('mapping', { type: 'object', additionalProperties: value.schema }, false, (u, context) =>
    t.UnknownRecord.is(u) && !Array.isArray(u)
      ? values.validate(u, context)
      : t.failure(u, context, 'must be a mapping'),
  )
}

type Shape = Readonly<Record<string, t.Mixed & Pick<Field<unknown>, 'schema' | 'isOptional'>>>

/** A mapping with these fields and no others; one that is not given is an empty one. */
export const fields = <A extends Shape>(shape: A): Field<t.TypeOfProps<A>> => {
  const all = t.type(shape)
  const names = Object.keys(shape)
  const required = names.filter((name) => shape[name]?.isOptional === false)
  const schema = {
    type: required.length === 0 ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(Object.entries(shape).map(([name, codec]) => [name, codec.schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
  return field<t.TypeOfProps<A>>('fields', schema, required.length === 0, (u, context) => {
    const given = u === undefined || u === null ? {} : u
    if (!t.UnknownRecord.is(given) || Array.isArray(given))
      return t.failure(u, context, `must be a mapping with some of ${names.join(', ')}`)
    const known = all.validate(
      { ...Object.fromEntries(names.map((name) => [name, undefined])), ...given },
      context,
    )
    const strange = Object.keys(given)
      .filter((name) => !Object.hasOwn(shape, name))
      .map((key) => ({
        value: u,
        context: [...context, { key, type: t.unknown }],
        message: unknown(key, names),
      }))
    if (strange.length === 0) return known
    return E.left([...(E.isLeft(known) ? known.left : []), ...strange])
  })
}

/** A mapping that has exactly one of these fields. */
export const exactlyOneOf = <A>(codec: Field<A>, ...names: ReadonlyArray<string>): Field<A> =>
  field(
    codec.name,
    {
      ...codec.schema,
      type: 'object',
      oneOf: names.map((name) => ({ properties: { [name]: true }, required: [name] })),
    },
    false,
    (u, context) => {
      const known = codec.validate(u, context)
      const given = t.UnknownRecord.is(u) ? names.filter((name) => u[name] !== undefined) : []
      if (given.length === 1) return known
      const all = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
      const problem = { value: u, context, message: `must have one of ${all}` }
      return E.left([...(E.isLeft(known) ? known.left : []), problem])
    },
  )

const unknown = (name: string, known: ReadonlyArray<string>): string => {
  const near = nearest(name, known)
  return `is not known; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`
}

/** Reads a document. On the left every problem there is. */
export const readDocument = <A>(codec: Field<A>, yaml: string): E.Either<ReadonlyArray<Problem>, A> =>
  E.chain((value) => decodeAs(codec, value))(parseYaml(yaml))

/** What a value is; on the left every problem there is. */
export const decodeAs = <A>(codec: Field<A>, value: unknown): E.Either<ReadonlyArray<Problem>, A> =>
  E.mapLeft((errors: t.Errors) => errors.map((error) => problemOf([error])))(codec.decode(value))

/** The value of the one document in a text. */
export const parseYaml = (yaml: string): E.Either<ReadonlyArray<Problem>, unknown> => {
  // Not `silent`: a second document would be passed over.
  const parsed = parseDocument(yaml, { prettyErrors: false, logLevel: 'error' })
  if (parsed.errors.some(({ code }) => code === 'MULTIPLE_DOCS'))
    return E.left([
      { where: '', what: 'has a second document after ---, which nobody would read: leave it out' },
    ])
  if (parsed.errors.length > 0)
    return E.left(parsed.errors.map(({ message }) => ({ where: '', what: `is not YAML: ${message}` })))
  return E.tryCatch(
    (): unknown => parsed.toJS({ maxAliasCount: 100 }),
    () => [{ where: '', what: 'is too intricate YAML' }],
  )
}
