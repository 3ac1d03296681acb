/**
 * The calls of the operating system that the store's changes are made of, one function each, so that a test can record
 * them, refuse them, or end the process between any two. All reject with the system's error.
 */
import type { Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { type FileContent, readRegularFile } from '../platform/read-file.js'
import { createFile, syncDirectory } from '../platform/write-file.js'

/** A new file that is being written. */
export interface NewFile {
  readonly write: (text: string) => Promise<void>
  /** fsync(2). */
  readonly sync: () => Promise<void>
  readonly close: () => Promise<void>
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

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = {
  list: (directory) => fs.readdir(directory),
  lstat: (path) => fs.lstat(path),
  stat: (path) => fs.stat(path),
  readlink: (path) => fs.readlink(path),
  read: readRegularFile,
  makeDirectory: (path) => fs.mkdir(path, { mode: 0o700 }),
  create: async (path) => {
    const handle = await createFile(path)
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
  syncDirectory,
}
