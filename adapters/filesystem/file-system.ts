/**
 * The calls of the operating system that the store's changes are made of, one function each, so that a test can record
 * them, refuse them, or end the process between any two. All reject with the system's error.
 */
import { constants, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { codeOf, trouble } from './error.js'

/** A new file that is being written. */
export interface NewFile {
  readonly write: (text: string) => Promise<void>
  /** fsync(2). */
  readonly sync: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A file's content, and what fstat(2) said of it. */
export interface FileContent {
  readonly text: string
  readonly stats: Stats
}

export interface FileSystem {
  readonly list: (directory: string) => Promise<ReadonlyArray<string>>
  readonly lstat: (path: string) => Promise<Stats>
  readonly stat: (path: string) => Promise<Stats>
  readonly readlink: (path: string) => Promise<string>
  /** Reads a regular file of at most `limit` bytes, without waiting for anybody (a FIFO has no content to give). */
  readonly read: (path: string, limit: number, links: 'follow' | 'refuse') => Promise<FileContent>
  /** Creates a directory that was not there, in one that is, mode 0700. */
  readonly makeDirectory: (path: string) => Promise<void>
  /** Creates a file that was not there, mode 0600 from the start, never through a link. */
  readonly create: (path: string) => Promise<NewFile>
  readonly symlink: (target: string, path: string) => Promise<void>
  readonly link: (existing: string, path: string) => Promise<void>
  readonly rename: (from: string, to: string) => Promise<void>
  readonly unlink: (path: string) => Promise<void>
  readonly chmod: (path: string, mode: number) => Promise<void>
  /** fsync(2) of a directory: what was renamed in it stays so after a power cut. */
  readonly syncDirectory: (path: string) => Promise<void>
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants

/** What is there instead of a file, in words. */
export const kindOf = (stats: Stats): string =>
  stats.isDirectory() ? 'a directory' : stats.isSymbolicLink() ? 'a link' : 'no regular file'

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = {
  list: (directory) => fs.readdir(directory),
  lstat: (path) => fs.lstat(path),
  stat: (path) => fs.stat(path),
  readlink: (path) => fs.readlink(path),
  read: async (path, limit, links) => {
    const handle = await fs.open(path, O_RDONLY | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0))
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw trouble(`it is ${kindOf(stats)}`, 'move it away')
      if (stats.size > limit) throw trouble(`its ${stats.size} bytes are too many`, 'move it away')
      const buffer = Buffer.alloc(limit)
      // One read may give less than there is, for instance on a file system of a user process.
      let length = 0
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, limit - length, length)
        length += bytesRead
        if (bytesRead === 0 || length === limit) break
      }
      return { text: buffer.toString('utf8', 0, length), stats }
    } finally {
      // What was read has been read.
      await handle.close().catch(() => {})
    }
  },
  makeDirectory: (path) => fs.mkdir(path, { mode: 0o700 }),
  create: async (path) => {
    const handle = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    return {
      write: (text) => handle.writeFile(text),
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  symlink: (target, path) => fs.symlink(target, path),
  link: (existing, path) => fs.link(existing, path),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  chmod: (path, mode) => fs.chmod(path, mode),
  syncDirectory: async (path) => {
    const handle = await fs.open(path, O_RDONLY | O_DIRECTORY)
    try {
      await handle.sync()
    } catch (error) {
      // Some file systems have nothing to sync of a directory.
      if (codeOf(error) !== 'EINVAL') throw error
    } finally {
      await handle.close()
    }
  },
}
