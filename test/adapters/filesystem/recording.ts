import { basename } from 'node:path'
import { type FileSystem, nodeFileSystem } from '../../../adapters/filesystem/file-system.js'

/** A call that changes something, as one would say it: `rename kubelet-client-1.tmp kubelet-client-current.pem`. */
export type Call = string

export interface Recording {
  readonly fs: FileSystem
  readonly calls: ReadonlyArray<Call>
}

/**
 * The file system with every changing call written down. `before` is asked with the number of each call, from 0, and
 * may throw instead of it. A write that is refused has written the first half.
 */
export const recording = (before: (index: number, call: Call) => void = () => {}): Recording => {
  const calls: Array<Call> = []
  const temporaries = new Map<string, number>()
  const shown = (path: string): string => {
    const name = basename(path)
    if (!name.endsWith('.tmp')) return name
    if (!temporaries.has(name)) temporaries.set(name, temporaries.size + 1)
    return `temporary-${temporaries.get(name)}`
  }
  const note = (operation: string, ...paths: ReadonlyArray<string>): void => {
    const call = [operation, ...paths.map(shown)].join(' ')
    calls.push(call)
    before(calls.length - 1, call)
  }
  const fs: FileSystem = {
    ...nodeFileSystem,
    makeDirectory: async (path) => {
      note('makeDirectory', path)
      await nodeFileSystem.makeDirectory(path)
    },
    create: async (path) => {
      note('create', path)
      const file = await nodeFileSystem.create(path)
      return {
        write: async (text) => {
          try {
            note('write', path)
          } catch (error) {
            await file.write(text.slice(0, text.length / 2))
            throw error
          }
          await file.write(text)
        },
        sync: async () => {
          note('sync', path)
          await file.sync()
        },
        // A process that ends closes its files; the test has to.
        close: async () => {
          await file.close()
          note('close', path)
        },
      }
    },
    symlink: async (target, path) => {
      note('symlink', target, path)
      await nodeFileSystem.symlink(target, path)
    },
    link: async (existing, path) => {
      note('link', existing, path)
      await nodeFileSystem.link(existing, path)
    },
    rename: async (from, to) => {
      note('rename', from, to)
      await nodeFileSystem.rename(from, to)
    },
    unlink: async (path) => {
      note('unlink', path)
      await nodeFileSystem.unlink(path)
    },
    chmod: async (path, mode) => {
      note('chmod', path)
      await nodeFileSystem.chmod(path, mode)
    },
    syncDirectory: async (path) => {
      note('syncDirectory')
      await nodeFileSystem.syncDirectory(path)
    },
  }
  return { fs, calls }
}

/** An error as the operating system gives it. */
export const systemError = (code: string, errno: number): Error =>
  Object.assign(new Error(code), { code, errno })
