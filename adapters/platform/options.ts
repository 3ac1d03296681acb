/**
 * What the options of the library have to be: TypeScript says it to those who use it, and these checks to all others,
 * with the name of the option and the cure. What is of the wrong type is told before anything is opened or written.
 */
import { type Failure, failure } from '../../src/model/failure.js'
import { didYouMean, unknownField } from './nearest.js'
import { errorOf } from './promise.js'

export type InvalidOptions = Failure<'InvalidOptions'>

export const invalid = (what: string, cure: string): InvalidOptions =>
  failure('InvalidOptions', 'later', what, cure)

/** What is wrong with the value of that name; undefined: nothing. */
export type Check = (value: unknown, name: string) => InvalidOptions | undefined

/** One check for each field of a type: TypeScript misses none. */
export type Checks<A> = { readonly [Name in keyof Required<A>]: Check }

/** The check that a value is `what`, in words. */
export const being =
  (what: string, is: (value: unknown) => boolean, cure = `give ${what}`): Check =>
  (value, name) =>
    is(value)
      ? undefined
      : invalid(
          `${name} must be ${what}, and is ${kindOf(value)}`,
          value instanceof Promise ? 'await it' : cure,
        )

const kindOf = (value: unknown): string => {
  if (value === undefined) return 'missing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Promise) return 'a promise'
  // Text is not shown: it may be a secret in the wrong place.
  if (typeof value === 'string') return value.trim() === '' ? 'empty' : 'text'
  return Array.isArray(value) ? 'a list' : typeof value === 'function' ? 'a function' : 'another object'
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise)

export const text = being('text', (value) => typeof value === 'string')
export const filled = being(
  'text that is not empty',
  (value) => typeof value === 'string' && value.trim() !== '',
)
export const path = being('a path', (value) => typeof value === 'string' && value.trim() !== '')
export const yesOrNo = being('true or false', (value) => typeof value === 'boolean')
export const aFunction = being('a function', (value) => typeof value === 'function')
export const number = being('a number', (value) => typeof value === 'number' && !Number.isNaN(value))
export const duration = being('a number of milliseconds', (value) => typeof value === 'number' && value >= 0)
export const interval = being(
  'a number of milliseconds above 0',
  (value) => typeof value === 'number' && value > 0,
)
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  being(
    `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  )

/** One of these words; of one that is misspelt the nearest is told. */
export const oneOf =
  (...words: ReadonlyArray<string>): Check =>
  (value, name) =>
    typeof value !== 'string' || words.includes(value)
      ? being(`one of ${words.join(', ')}`, (word) => typeof word === 'string')(value, name)
      : invalid(`${name} ${JSON.stringify(value)} is not known`, didYouMean(value, words))

/** Something with a name and this function, however much more it has. */
export const named = (what: string, method: string): Check =>
  being(
    what,
    (value) =>
      isObject(value) && typeof Reflect.get(value, 'name') === 'string' && hasFunctions(value, method),
  )

/** Whether it has these functions, however much more it has. */
export const hasFunctions = (value: unknown, ...functions: ReadonlyArray<string>): boolean =>
  isObject(value) && functions.every((name) => typeof Reflect.get(value, name) === 'function')

/** Something with these functions. */
export const having = (what: string, ...functions: ReadonlyArray<string>): Check =>
  being(
    what,
    (value) => hasFunctions(value, ...functions),
    `give ${what}, which has the functions ${functions.join(', ')}`,
  )

/** Any number of them, and at least so many. */
export const listOf =
  (item: Check, least = 0): Check =>
  (value, name) =>
    being('a list', Array.isArray)(value, name) ??
    (Array.isArray(value) && value.length >= least
      ? first(value, (one, index) => item(one, `${name}[${index}]`))
      : invalid(`${name} must not be empty`, `give ${least} at least`))

/** Values by names that are free. */
export const byName =
  (item: Check): Check =>
  (value, name) =>
    isObject(value)
      ? first(Object.entries(value), ([key, one]) => item(one, `${name}.${key}`))
      : being('an object', isObject)(value, name)

/** An object with fields of these names: what is not given is not checked, unless it is `required`. */
export const record =
  (fields: Readonly<Record<string, Check>>, required: ReadonlyArray<string> = []): Check =>
  (value, name) => {
    if (!isObject(value)) return being('an object', isObject)(value, name === '' ? 'the options' : name)
    const names = Object.keys(fields)
    const within = (field: string) => (name === '' ? field : `${name}.${field}`)
    const unknown = unknownField(value, names)
    if (unknown !== undefined)
      return invalid(`there is no option ${within(unknown)}`, didYouMean(unknown, names, within))
    return first(Object.entries(fields), ([field, check]) => {
      const given: unknown = Reflect.get(value, field)
      return given === undefined && !required.includes(field) ? undefined : check(given, within(field))
    })
  }

const first = <A>(
  values: ReadonlyArray<A>,
  find: (value: A, index: number) => InvalidOptions | undefined,
): InvalidOptions | undefined => {
  for (const [index, value] of values.entries()) {
    const found = find(value, index)
    if (found !== undefined) return found
  }
  return undefined
}

/** Throws what is wrong with what a function was given: an `Error` with the `code` `InvalidOptions`. */
export const demand = (caller: string, check: Check, value: unknown, name = ''): void => {
  const problem = check(value, name)
  if (problem !== undefined) throw misuse(`${caller}: ${problem.message}`, problem.remedy)
}

/** A mistake of whoever calls, to be thrown: it has the `code` `InvalidOptions`. */
export const misuse = (message: string, cure: string): Error => errorOf(invalid(message, cure))
