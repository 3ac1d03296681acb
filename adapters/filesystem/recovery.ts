import { remove, replaceLink } from './atomic.js'
import { linkInUse, list } from './contents.js'
import type { FileSystem } from './file-system.js'
import { isTemporary, type Layout, ownPairs } from './layout.js'
import { octal } from './pair-file.js'

/**
 * What a process that ended in the middle left behind: temporary files of ours go, and the link with which a kubelet
 * was about to replace the current one becomes that, where there is none, and so does our newest pair. Keys of ours
 * become readable by us alone. Answers sentences for people.
 */
export const recover = async (fs: FileSystem, layout: Layout): Promise<ReadonlyArray<string>> => {
  const { path } = layout
  // What is found lasts before anything is built on it: the process that put it there may have ended before it did so.
  await fs.syncDirectory(layout.directory)
  const names = await list(fs, layout)
  const warnings: Array<string> = []
  for (const name of names) if (isTemporary(layout, name)) await remove(fs, layout, name)
  const [newest] = ownPairs(layout, names)
  const link = await linkInUse(fs, layout, names)
  if (link === undefined && newest !== undefined) {
    // The first pair was stored, and the process ended before it became the current one.
    await replaceLink(fs, layout, newest.name)
    warnings.push(`${path(layout.current)}: it was missing; it points to ${newest.name} now`)
  }
  if (link === layout.updated && (await fs.lstat(path(layout.updated))).isSymbolicLink()) {
    await fs.rename(path(layout.updated), path(layout.current))
    await fs.syncDirectory(layout.directory)
    const problem = names.includes(layout.current) ? 'it led nowhere' : 'it was missing'
    warnings.push(`${path(layout.current)}: ${problem}; ${layout.updated} took its place`)
  }
  for (const name of [layout.request, ...ownPairs(layout, names).map((pair) => pair.name)]) {
    const stats = await fs.lstat(path(name)).catch(() => undefined)
    if (stats?.isFile() !== true || (stats.mode & 0o077) === 0) continue
    await fs.chmod(path(name), 0o600)
    warnings.push(
      `${path(name)}: its mode was ${octal(stats)}, which let others read its private key; it is 0600 now`,
    )
  }
  return warnings
}
