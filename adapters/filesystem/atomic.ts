/**
 * The steps that changes to a certificate directory are made of. Each is whole or has not happened, at every instant
 * and after a crash at any point: a file is written under a temporary name, synced, renamed, and the directory synced;
 * a link is replaced by renaming a new link over it.
 */
import { dirname } from 'node:path'
import { codeOf } from '../platform/system-error.js'
import type { FileSystem } from './file-system.js'
import type { Layout } from './layout.js'

/**
 * Makes a directory and its parents, where they are not there, and makes that last: each one's name before anything is
 * made in it. That is done again for the one that was there, which a process may have made that ended before it did so.
 */
export const ensureDirectory = async (fs: FileSystem, path: string): Promise<void> => {
  const parent = dirname(path)
  if (await isThere(fs, path)) {
    // Of one that was there for long nothing has to be said, and its parent may be out of reach.
    await fs.syncDirectory(parent).catch(() => {})
    return
  }
  await ensureDirectory(fs, parent)
  await fs.makeDirectory(path).catch((error: unknown) => {
    // Another process was quicker.
    if (codeOf(error) !== 'EEXIST') throw error
  })
  await fs.syncDirectory(parent)
}

/** Whether something has this name; links are followed. */
export const isThere = async (fs: FileSystem, path: string): Promise<boolean> => {
  try {
    await fs.stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Creates or replaces a file, for its owner alone, and makes that last. */
export const writeFile = async (
  fs: FileSystem,
  layout: Layout,
  name: string,
  text: string,
): Promise<void> => {
  await replacing(fs, layout, name, async (temporary) => {
    const file = await fs.create(temporary)
    try {
      await file.write(text)
      await file.sync()
    } finally {
      await file.close()
    }
  })
  await fs.syncDirectory(layout.directory)
}

/**
 * Makes the current link point to a file of the directory, and makes that last. The link's target is the bare name, so
 * that it leads there also where the directory is mounted elsewhere, or was moved. A kubelet writes absolute targets,
 * but reads through the link and does not look at its target.
 */
export const replaceLink = async (fs: FileSystem, layout: Layout, target: string): Promise<void> => {
  await replacing(fs, layout, layout.current, (temporary) => fs.symlink(target, temporary))
  await fs.syncDirectory(layout.directory)
}

/** Makes something under a temporary name and renames it; nothing of it stays behind when that fails. */
export const replacing = async (
  fs: FileSystem,
  layout: Layout,
  name: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> => {
  const temporary = layout.path(layout.temporary())
  try {
    await make(temporary)
    await fs.rename(temporary, layout.path(name))
  } catch (error) {
    await fs.unlink(temporary).catch(() => {})
    throw error
  }
}

/** Removes a file, if it is there. */
export const remove = async (fs: FileSystem, { path }: Layout, name: string): Promise<void> => {
  try {
    await fs.unlink(path(name))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
