/**
 * A disk in memory, with what a power loss may leave of it: what processes see, and beside it what is known to have
 * reached the disk.
 *
 * Modelled, after fsync(2), fsync(3p) and rename(3p), the findings of ALICE (Pillai et al., "All File Systems Are Not
 * Created Equal", OSDI 2014) and the kernel's ext4 documentation (delayed allocation, `data=writeback`):
 *
 * - Names in a directory last only once that directory is synced. Until then each name by itself may still be what it
 *   was, or any of what it has been since: later changes may be on the disk without earlier ones, and those of several
 *   directories in any order. Syncing a file says nothing of its name, and syncing a directory nothing of its own name
 *   in its parent, nor of the contents of files in it.
 * - A file's content and mode last only once that file is synced. Until then it may have no content, the first part of
 *   it, zeros in the place of any part (its size reached the disk, the data did not), or all of it; the mode may be the
 *   one it was created with.
 * - A rename is atomic towards the name it replaces (the old file or the new one, as POSIX has it for processes and as
 *   all file systems that ALICE looked at have it after a crash), but may leave the file under both names.
 * - What a file was created with (its mode) and what a link points to come to the disk together with a name of it.
 *
 * Not modelled: disks that say "synced" and are not, bits that rot, blocks of other files' old data in a new file, and
 * file systems that lose what was synced. Reads, owners and times of modification do not change here.
 */
import { type Instant, instant } from '../../../../src/model/time.js'

export interface FileNode {
  readonly kind: 'file'
  readonly modifiedAt: Instant
  content: string
  mode: number
  /** As of the last fsync(2); as it was created when there was none. */
  synced: { readonly content: string; readonly mode: number }
}

export interface LinkNode {
  readonly kind: 'link'
  readonly target: string
}

export interface DirectoryNode {
  readonly kind: 'directory'
  readonly mode: number
  readonly entries: Map<string, Node>
  /** As of the last fsync(2). */
  synced: ReadonlyMap<string, Node>
  /** Since then, in their order. */
  changes: Array<Change>
}

/** A name was given to something, or taken away. */
export interface Change {
  readonly name: string
  readonly node: Node | undefined
  /** It was renamed to this: that is on the disk by then, or what came after it under that name. */
  readonly after?: { readonly name: string; readonly index: number }
}

export type Node = FileNode | LinkNode | DirectoryNode

/** All modes of creation are the caller's: umask takes nothing away. */
export const newFile = (mode: number, content = '', modifiedAt = instant(0)): FileNode => ({
  kind: 'file',
  modifiedAt,
  content,
  mode,
  synced: { content, mode },
})

export const newDirectory = (
  mode = 0o700,
  entries: ReadonlyMap<string, Node> = new Map(),
): DirectoryNode => ({
  kind: 'directory',
  mode,
  entries: new Map(entries),
  synced: new Map(entries),
  changes: [],
})

/** Gives a name to something, or takes it away; not on the disk yet. */
export const change = (
  directory: DirectoryNode,
  name: string,
  node: Node | undefined,
  after?: Change['after'],
): void => {
  if (node === undefined) directory.entries.delete(name)
  else directory.entries.set(name, node)
  directory.changes.push(after === undefined ? { name, node } : { name, node, after })
}

export const syncNames = (directory: DirectoryNode): void => {
  directory.synced = new Map(directory.entries)
  directory.changes = []
}

export const syncFile = (file: FileNode): void => {
  file.synced = { content: file.content, mode: file.mode }
}

/** Everything that has a name, or may turn out to have one, parents first. */
export const reachable = (root: DirectoryNode): ReadonlySet<Node> => {
  const nodes = new Set<Node>([root])
  for (const node of nodes) {
    if (node.kind !== 'directory') continue
    for (const entry of [...node.synced.values(), ...node.changes.map((made) => made.node)])
      if (entry !== undefined) nodes.add(entry)
  }
  return nodes
}

/** The files that processes see, with their paths. */
export const visibleFiles = (
  directory: DirectoryNode,
  path = '',
): ReadonlyArray<readonly [string, FileNode]> =>
  [...directory.entries].flatMap(([name, node]): ReadonlyArray<readonly [string, FileNode]> => {
    if (node.kind === 'directory') return visibleFiles(node, `${path}/${name}`)
    return node.kind === 'file' ? [[`${path}/${name}`, node]] : []
  })
