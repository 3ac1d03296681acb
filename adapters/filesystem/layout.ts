/**
 * The names in a certificate directory: the kubelet's (client-go, `util/certificate/certificate_store.go`), and ours,
 * which it passes over.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Instant, instant, rfc3339, wholeSecond } from '../../src/model/time.js'

export interface Layout {
  readonly directory: string
  readonly prefix: string
  /** The link to the pair in use. */
  readonly current: string
  /** The link that a kubelet makes before it removes the current one; without a current one, it is that. */
  readonly updated: string
  /** A certificate and its key that somebody put here. */
  readonly certificate: string
  readonly key: string
  /** The saved request, and one that we could not read and had to make way. */
  readonly request: string
  readonly unreadableRequest: string
  readonly path: (name: string) => string
  /** A name for a file or link that is about to be renamed. */
  readonly temporary: () => string
}

export const layoutOf = (directory: string, prefix: string): Layout => ({
  directory,
  prefix,
  current: `${prefix}-current.pem`,
  updated: `${prefix}-updated.pem`,
  certificate: `${prefix}.crt`,
  key: `${prefix}.key`,
  request: `${prefix}-request.json`,
  unreadableRequest: `${prefix}-request.unreadable.json`,
  path: (name) => join(directory, name),
  temporary: () => `${prefix}-${randomBytes(8).toString('hex')}.tmp`,
})

/** What a name says of a pair of ours. */
export interface OwnPair {
  readonly name: string
  readonly receivedAt: Instant
  /** 1, or more for another pair received in the same second. */
  readonly sequence: number
}

/** `2026-11-23T17-20-02Z`: a kubelet writes neither the T nor the Z. */
const stamp = (at: Instant): string => rfc3339(wholeSecond(at)).replaceAll(':', '-')

/** The name of a pair received then. */
export const ownName = ({ prefix }: Layout, receivedAt: Instant, sequence: number): string =>
  `${prefix}-${stamp(receivedAt)}${sequence === 1 ? '' : `-${sequence}`}.pem`

/** Reads a name of ours; undefined for anybody else's. */
export const ownPair = ({ prefix }: Layout, name: string): OwnPair | undefined => {
  if (!name.startsWith(`${prefix}-`)) return undefined
  const parts = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\dZ)(?:-([1-9]\d{0,5}))?\.pem$/.exec(
    name.slice(prefix.length + 1),
  )
  if (parts === null) return undefined
  const [, date, hour, minute, second, sequence = '1'] = parts
  const milliseconds = Date.parse(`${date}${hour}:${minute}:${second}`)
  return Number.isNaN(milliseconds)
    ? undefined
    : { name, receivedAt: instant(milliseconds), sequence: Number(sequence) }
}

/** Whether a pair of somebody else's has this name: a kubelet's, or one that was kept when a link took its place. */
export const isForeignPair = (layout: Layout, name: string): boolean =>
  name.startsWith(`${layout.prefix}-`) &&
  /^(kept-.*|\d{4}(-\d\d){5})\.pem$/.test(name.slice(layout.prefix.length + 1)) &&
  ownPair(layout, name) === undefined

/** The name under which a file in the place of the link is kept; `n` distinguishes several. */
export const keptName = ({ prefix }: Layout, modifiedAt: Instant, n: number): string =>
  `${prefix}-kept-${stamp(modifiedAt)}${n === 1 ? '' : `-${n}`}.pem`

/** Whether a file or link of this name was about to be renamed by a process of ours. */
export const isTemporary = ({ prefix }: Layout, name: string): boolean =>
  name.startsWith(`${prefix}-`) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(prefix.length + 1))

const newestFirst = (a: OwnPair, b: OwnPair): number => b.receivedAt - a.receivedAt || b.sequence - a.sequence

/** The pairs of ours among the names, the newest first. */
export const ownPairs = (layout: Layout, names: ReadonlyArray<string>): ReadonlyArray<OwnPair> =>
  names.flatMap((name) => ownPair(layout, name) ?? []).sort(newestFirst)

/** The prefixes of the certificates that there are among the names, sorted. */
export const prefixesAmong = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found = names.flatMap((name) => {
    const [, prefix] = /^(.+?)-(?:current|\d{4}-\d\d-\d\d[T-].*)\.pem$/.exec(name) ?? []
    if (prefix !== undefined) return [prefix]
    return name.endsWith('.crt') && names.includes(name.replace(/crt$/, 'key')) ? [name.slice(0, -4)] : []
  })
  return [...new Set(found)].sort()
}
