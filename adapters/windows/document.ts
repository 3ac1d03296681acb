/** Documents that suggest renewal windows: one of them, or a list, in YAML or JSON. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { instantIn } from '../../src/machine/due.js'
import type { Certificate } from '../../src/model/certificate.js'
import { list, problemOf, text } from '../../src/model/codec.js'
import { type Instant, instant } from '../../src/model/time.js'
import { isWindow, type RenewalWindow } from '../../src/model/window.js'
import { yamlValue } from '../kubeconfig/yaml.js'

/** A window, and for whom it is meant. */
export interface Entry {
  readonly window: RenewalWindow
  /** Names of nodes, `*` for any characters; none: all of them. */
  readonly names: ReadonlyArray<string>
  /** Every one of them has to be the machine's. */
  readonly labels: Readonly<Record<string, string>>
}

/** Who asks. */
export interface Asker {
  readonly held: { readonly certificate: Certificate; readonly receivedAt: Instant }
  readonly labels: Readonly<Record<string, string>>
}

const pattern = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** RFC 3339, also with an offset. */
const Moment = new t.Type<Instant, Instant, unknown>(
  'instant',
  (u): u is Instant => typeof u === 'number',
  (u, context) => {
    const at = typeof u === 'string' && pattern.test(u) ? Date.parse(u) : Number.NaN
    return Number.isNaN(at)
      ? t.failure(u, context, 'must be an instant such as 2026-11-23T17:20:02Z')
      : t.success(instant(at))
  },
  t.identity,
)

const Document = t.exact(
  t.intersection([
    t.type({ start: Moment, end: Moment, reason: text }),
    t.partial({
      selector: t.exact(t.partial({ names: list(t.string), labels: t.record(t.string, t.string) })),
    }),
  ]),
)

const fields = ['start', 'end', 'reason', 'selector']
const selectorFields = ['names', 'labels']

/** A misspelt field would be passed over: without its selector a window is meant for all. */
const unknownIn = (value: unknown, known: ReadonlyArray<string>, at: string) => {
  const field = t.UnknownRecord.is(value) ? Object.keys(value).find((key) => !known.includes(key)) : undefined
  return field === undefined ? undefined : { field: at + field, known }
}

const selectorIn = (value: unknown): unknown => (t.UnknownRecord.is(value) ? value['selector'] : undefined)

/** The entries of a document; or what is wrong with it, a clause with the path. One mistake, and none of it counts. */
export const entriesOf = (source: string, document: string): E.Either<string, ReadonlyArray<Entry>> =>
  pipe(
    yamlValue(document),
    E.mapLeft((what) => `it ${what}`),
    E.chain((value) => {
      if (value === null || value === undefined) return E.right([])
      return Array.isArray(value)
        ? E.traverseArray((item: { readonly value: unknown; readonly at: string }) =>
            entryOf(source, item.value, item.at),
          )(value.map((item: unknown, index) => ({ value: item, at: `[${index}]` })))
        : E.map((entry: Entry) => [entry])(entryOf(source, value, ''))
    }),
  )

const entryOf = (source: string, value: unknown, at: string): E.Either<string, Entry> => {
  const where = (path: string) => (at !== '' && path !== '' ? `${at}.${path}` : at + path) || 'it'
  const unknown = unknownIn(value, fields, '') ?? unknownIn(selectorIn(value), selectorFields, 'selector.')
  if (unknown !== undefined)
    return E.left(`${where(unknown.field)} is no field; there are ${unknown.known.join(', ')}`)
  return pipe(
    Document.decode(value),
    E.mapLeft((errors) => {
      const problem = problemOf(errors)
      return `${where(problem.where)} ${problem.what}`
    }),
    E.map(({ start, end, reason, selector }) => ({
      window: { start, end, reason, source },
      names: selector?.names ?? [],
      labels: selector?.labels ?? {},
    })),
    E.filterOrElse(
      ({ window }) => isWindow(window),
      () => `${where('end')} must be after ${where('start')}`,
    ),
  )
}

/** The window that has the certificate renewed first, of those that are meant for it; none: there is none. */
export const windowFor = (
  entries: ReadonlyArray<Entry>,
  asker: Asker,
  now: Instant,
): O.Option<RenewalWindow> => {
  let first: { readonly at: Instant; readonly window: RenewalWindow } | undefined
  for (const entry of entries) {
    const at = isMeant(entry, asker) ? instantIn(entry.window, asker.held, now) : undefined
    if (at !== undefined && (first === undefined || at < first.at)) first = { at, window: entry.window }
  }
  return O.fromNullable(first?.window)
}

const isMeant = ({ names, labels }: Entry, { held, labels: own }: Asker): boolean => {
  const name = held.certificate.commonName.replace(/^system:node:/, '')
  return (
    (names.length === 0 || names.some((wanted) => matches(wanted, name))) &&
    Object.entries(labels).every(([key, value]) => Object.hasOwn(own, key) && own[key] === value)
  )
}

/** Whether the parts between the asterisks stand in the text in their order. */
const matches = (wanted: string, name: string): boolean => {
  const [first = '', ...rest] = wanted.split('*')
  const last = rest.pop()
  if (last === undefined) return wanted === name
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false
  let from = first.length
  for (const part of rest) {
    const found = name.slice(0, name.length - last.length).indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return true
}
