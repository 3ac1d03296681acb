/** Reading a certificate directory: what could serve, best first, and what looks wrong. Changes nothing. */
import { basename } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Secret } from '../../src/model/secret.js'
import type { Instant } from '../../src/model/time.js'
import type { SavedRequest, StoreContents, StoredPair } from '../../src/ports.js'
import { decodeRequest } from '../../src/stored.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import { isThere } from './atomic.js'
import { isMomentary } from './error.js'
import type { FileSystem } from './file-system.js'
import { isForeignPair, type Layout, ownPair, ownPairs } from './layout.js'
import { maximumSize, modeWarnings, octal, ownerWarnings, type PairFiles, readPair } from './pair-file.js'

/** A pair from elsewhere, which serves where the directory's own link does not. */
export type FallbackPair =
  /** Two files, such as those of `--tls-cert-file` and `--tls-private-key-file`; they may be one and the same. */
  | { readonly _tag: 'Files'; readonly certificate: string; readonly key: string }
  /** A pair that was embedded in a file. */
  | {
      readonly _tag: 'Data'
      /** Where it was, for people. */
      readonly location: string
      readonly pem: string
      readonly key: Secret
      readonly receivedAt: Instant
    }

/** How many older pairs, of ours and of others each, are looked at for one that works. */
const maximumDatedPairs = 10

/** Reads the directory. Rejects when it cannot be listed, unless there is none. */
export const readContents = async (
  fs: FileSystem,
  layout: Layout,
  fallbacks: ReadonlyArray<FallbackPair>,
): Promise<StoreContents> => {
  const warnings: Array<string> = []
  const pairs: Array<StoredPair> = []
  const seen = new Set<string>()
  /** Whether the files hold a pair; the same files by another name add nothing. */
  const add = async (files: PairFiles): Promise<boolean> => {
    const { pair, identity, warnings: more } = await readPair(fs, files)
    if (identity !== '' && seen.has(identity)) return pair !== undefined
    seen.add(identity)
    warnings.push(...more)
    if (pair !== undefined) pairs.push(pair)
    return pair !== undefined
  }
  const oneFile = (name: string, receivedAt = ownPair(layout, name)?.receivedAt): PairFiles => ({
    certificate: layout.path(name),
    key: layout.path(name),
    receivedAt,
  })

  const names = await list(fs, layout)
  warnings.push(...(await directoryWarnings(fs, layout)))
  const link = await linkInUse(fs, layout, names)
  if (link !== undefined) {
    const meant = await designated(fs, layout, link)
    const receivedAt = meant === undefined ? undefined : ownPair(layout, meant)?.receivedAt
    const found = await add(oneFile(link, receivedAt))
    // A directory that was moved, or is mounted elsewhere, has absolute links that lead nowhere.
    if (!found && meant !== undefined)
      warnings.push(
        (await add(oneFile(meant)))
          ? `${layout.path(link)}: it leads nowhere; ${meant} beside it is taken`
          : `${layout.path(link)}: it points to nothing that can be used`,
      )
  }
  const [inUse] = pairs
  for (const fallback of fallbacks) {
    if (fallback._tag === 'Files') await add({ ...fallback, receivedAt: undefined })
    else pairs.push(fallback)
  }
  await add({
    certificate: layout.path(layout.certificate),
    key: layout.path(layout.key),
    receivedAt: undefined,
  })
  const own = ownPairs(layout, names)
  for (const { name } of own.slice(0, maximumDatedPairs)) await add(oneFile(name))
  const foreign = names
    .filter((name) => isForeignPair(layout, name))
    .sort()
    .reverse()
  for (const name of foreign.slice(0, maximumDatedPairs)) await add(oneFile(name))
  if (foreign.length > 1)
    warnings.push(
      `${layout.directory}: ${foreign.length} pairs (${foreign[0]}, …) are not ours and are never removed; remove those that nobody uses`,
    )
  const request = names.includes(layout.request) ? await savedRequest(fs, layout) : nothingSaved
  // An install that was cut off after its link was swapped has happened: the request is forgotten.
  const open = O.filter(({ key }: SavedRequest) => inUse === undefined || !sameKey(key, inUse.key))
  return { pairs, request: open(request.saved), warnings: [...warnings, ...request.warnings] }
}

const sameKey = (a: Secret, b: Secret): boolean => a.reveal().trim() === b.reveal().trim()

/**
 * The link that counts: the current one, or the one with which a kubelet was about to replace it, where the current one
 * is missing or leads nowhere (`recover` in client-go's `certificate_store.go`).
 */
export const linkInUse = async (
  fs: FileSystem,
  { current, updated, path }: Layout,
  names: ReadonlyArray<string>,
): Promise<string | undefined> => {
  const there = [current, updated].filter((name) => names.includes(name))
  for (const name of there) if (await leadsSomewhere(fs, path(name))) return name
  return there[0]
}

/** One that cannot be looked at does, as far as is known. */
const leadsSomewhere = (fs: FileSystem, path: string): Promise<boolean> => isThere(fs, path).catch(() => true)

/** The name in this directory that a link means, the last part of its target; undefined when it is no link. */
export const designated = async (
  fs: FileSystem,
  { path }: Layout,
  link: string,
): Promise<string | undefined> => {
  try {
    return basename(await fs.readlink(path(link)))
  } catch {
    return undefined
  }
}

/** The names in the directory; none when there is no directory. */
export const list = async (fs: FileSystem, { directory }: Layout): Promise<ReadonlyArray<string>> => {
  try {
    return await fs.list(directory)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

const directoryWarnings = async (fs: FileSystem, { directory }: Layout): Promise<ReadonlyArray<string>> => {
  const stats = await fs.stat(directory).catch(() => undefined)
  if (stats === undefined) return [`${directory}: there is no such directory`]
  const writable =
    (stats.mode & 0o022) === 0
      ? []
      : [`${directory}: its mode ${octal(stats)} lets others replace what is in it; make it 0700`]
  return [...ownerWarnings(directory, stats), ...writable]
}

/** What came of reading the saved request. */
export interface RequestRead {
  readonly saved: O.Option<SavedRequest>
  readonly warnings: ReadonlyArray<string>
  /** Whether it could not be read just now, whatever is in it. */
  readonly missed: boolean
}

const nothingSaved: RequestRead = { saved: O.none, warnings: [], missed: false }

/**
 * The saved request. It is ours alone: one that somebody else put there could make us ask for a certificate for a key
 * that is theirs.
 */
export const savedRequest = async (fs: FileSystem, { path, request }: Layout): Promise<RequestRead> => {
  const ignored = (why: string, missed = false): RequestRead => ({
    saved: O.none,
    warnings: [`${path(request)}: the saved request is ignored: ${why}`],
    missed,
  })
  try {
    const { text, stats } = await fs.read(path(request), maximumSize, 'refuse')
    if (ownerWarnings('', stats).length > 0) return ignored(`it belongs to user ${stats.uid}`)
    const decoded = decodeRequest(text)
    return E.isLeft(decoded)
      ? ignored(decoded.left)
      : { saved: O.some(decoded.right), warnings: modeWarnings(path(request), stats), missed: false }
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? nothingSaved : ignored(reasonOf(error), isMomentary(error))
  }
}
