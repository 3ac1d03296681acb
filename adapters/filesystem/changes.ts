/** The changes to a certificate directory, as the store's port has them. Each can be cut off anywhere and tried again. */
import type { Stats } from 'node:fs'
import type { Certificate } from '../../src/model/certificate.js'
import type { Secret } from '../../src/model/secret.js'
import { type Instant, instant } from '../../src/model/time.js'
import type { SavedRequest } from '../../src/ports.js'
import { encodePair } from '../../src/stored.js'
import { kindOf } from '../platform/read-file.js'
import { objection } from '../platform/system-error.js'
import { isThere, remove, replaceLink, replacing, writeFile } from './atomic.js'
import { designated, linkInUse, list, type RequestRead, savedRequest } from './contents.js'
import type { FileSystem } from './file-system.js'
import { keptName, type Layout, ownName, ownPairs } from './layout.js'
import { maximumSize } from './pair-file.js'
import { requestFile } from './request-file.js'

/** What is installed. */
export interface NewPair {
  readonly certificate: Certificate
  readonly pem: string
  readonly key: Secret
  readonly receivedAt: Instant
}

/** Saves the request, after showing that a link can be made, and the current one replaced. */
export const writeRequest = async (fs: FileSystem, layout: Layout, saved: SavedRequest): Promise<void> => {
  await rehearse(fs, layout)
  await setAsideUnreadable(fs, layout, await savedRequest(fs, layout))
  await writeFile(fs, layout, layout.request, requestFile(saved))
}

/**
 * Removes the saved request; one that is not understood is kept aside. It is made to last also where it was not there: a
 * process may have removed it that ended before that.
 */
export const removeRequest = async (fs: FileSystem, layout: Layout): Promise<void> => {
  const found = await savedRequest(fs, layout)
  // One that a failing disk hides for a moment is ours: what is not understood was set aside when ours was saved.
  if (!found.missed) await setAsideUnreadable(fs, layout, found)
  await remove(fs, layout, layout.request)
  await fs.syncDirectory(layout.directory)
}

/**
 * Stores the pair, makes the link point to it, forgets the request, and removes pairs of ours that are older than the
 * one before. Begins where an earlier attempt for the same pair ended.
 */
export const installPair = async (fs: FileSystem, layout: Layout, pair: NewPair): Promise<void> => {
  const text = encodePair(pair).reveal()
  const names = await list(fs, layout)
  const link = await linkInUse(fs, layout, names)
  const before = link === undefined ? undefined : await designated(fs, layout, link)
  const same = await ownWithContent(fs, layout, names, text)
  const name = same ?? freeName(layout, names, pair.receivedAt)
  if (same === undefined) await writeFile(fs, layout, name, text)
  else await fs.syncDirectory(layout.directory)
  if (!(await leadsTo(fs, layout, name))) {
    await keepFile(fs, layout, names)
    await replaceLink(fs, layout, name)
  }
  await removeRequest(fs, layout)
  await prune(fs, layout, name, before)
}

const leadsTo = async (fs: FileSystem, { path, current }: Layout, name: string): Promise<boolean> =>
  (await fs.readlink(path(current)).catch(() => undefined)) === name

/** The pair of ours that has this content: an earlier attempt wrote it, and perhaps did not get further. */
const ownWithContent = async (
  fs: FileSystem,
  layout: Layout,
  names: ReadonlyArray<string>,
  text: string,
): Promise<string | undefined> => {
  for (const { name } of ownPairs(layout, names)) {
    const content = await fs.read(layout.path(name), maximumSize, 'refuse').catch(() => undefined)
    if (content?.text === text) return name
  }
  return undefined
}

const freeName = (layout: Layout, names: ReadonlyArray<string>, receivedAt: Instant): string => {
  for (let sequence = 1; ; sequence += 1) {
    const name = ownName(layout, receivedAt, sequence)
    if (!names.includes(name)) return name
  }
}

/** A file where the link should be, which somebody copied there, gets another name before the link takes its place. */
const keepFile = async (fs: FileSystem, layout: Layout, names: ReadonlyArray<string>): Promise<void> => {
  const { current, path } = layout
  const stats = await fs.lstat(path(current)).catch(() => undefined)
  if (stats === undefined || stats.isSymbolicLink()) return
  refuseOther(stats)
  const kept = (n: number) => keptName(layout, instant(stats.mtimeMs), n)
  for (let n = 1; ; n += 1) {
    if (!names.includes(kept(n))) {
      await fs.link(path(current), path(kept(n)))
      await fs.syncDirectory(layout.directory)
      return
    }
    const there = await fs.lstat(path(kept(n)))
    if (there.ino === stats.ino && there.dev === stats.dev) return
  }
}

/** A directory cannot give way to a link. */
const refuseOther = (stats: Stats): void => {
  if (!stats.isFile())
    throw objection(`in the place of the link to the pair in use is ${kindOf(stats)}`, 'move it away')
}

/** Does to the link what an install will do, and changes nothing by it. */
const rehearse = async (fs: FileSystem, layout: Layout): Promise<void> => {
  const { current, path } = layout
  const stats = await fs.lstat(path(current)).catch(() => undefined)
  if (stats?.isSymbolicLink() === true) {
    const target = await fs.readlink(path(current))
    await replacing(fs, layout, current, (temporary) => fs.symlink(target, temporary))
    return
  }
  if (stats !== undefined) refuseOther(stats)
  const temporary = path(layout.temporary())
  await fs.symlink(current, temporary)
  await fs.unlink(temporary)
}

/**
 * A request that we cannot read may be of a newer version of this program, which may want it back. Its new name lasts
 * before the old one is given to another, also where a process that ended gave it.
 */
const setAsideUnreadable = async (
  fs: FileSystem,
  layout: Layout,
  { saved, warnings }: RequestRead,
): Promise<void> => {
  const aside = layout.path(layout.unreadableRequest)
  if (saved._tag === 'None' && warnings.length > 0) await fs.rename(layout.path(layout.request), aside)
  if (await isThere(fs, aside)) await fs.syncDirectory(layout.directory)
}

/** Keeps the pair in use and the one before it. What cannot be removed now is removed by the next install. */
const prune = async (
  fs: FileSystem,
  layout: Layout,
  inUse: string,
  before: string | undefined,
): Promise<void> => {
  const names = await list(fs, layout)
  const others = ownPairs(layout, names).filter(({ name }) => name !== inUse)
  const known = before !== undefined && before !== inUse && names.includes(before)
  const previous = known ? before : others[0]?.name
  for (const { name } of others) if (name !== previous) await remove(fs, layout, name).catch(() => {})
}
