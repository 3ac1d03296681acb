/** The adapter's system calls, on a disk in memory. */
import { lstatSync, type Stats } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { FileSystem } from '../../../../adapters/filesystem/file-system.js'
import { objection } from '../../../../adapters/platform/system-error.js'
import { instant } from '../../../../src/model/time.js'
import { systemError } from '../recording.js'
import { change, type DirectoryNode, type Node, newDirectory, newFile, syncFile, syncNames } from './disk.js'

/** Is told each call that changes something, and lets it happen, or not. May throw instead. */
export type Observer = (call: string, perform: () => void) => void

const noSuchFile = () => systemError('ENOENT', -2)
const exists = () => systemError('EEXIST', -17)
const notADirectory = () => systemError('ENOTDIR', -20)
const tooManyLinks = () => systemError('ELOOP', -40)

export const fileSystemOn = (
  root: DirectoryNode,
  observe: Observer = (_, perform) => perform(),
): FileSystem => {
  const directoryAt = (path: string): DirectoryNode => {
    const node = path === '/' ? root : found(path, true)
    if (node.kind !== 'directory') throw notADirectory()
    return node
  }
  const parent = (path: string): DirectoryNode => directoryAt(dirname(path))
  const found = (path: string, follow: boolean): Node => {
    const node = path === '/' ? root : parent(path).entries.get(basename(path))
    if (node === undefined) throw noSuchFile()
    return follow && node.kind === 'link' ? found(resolve(dirname(path), node.target), true) : node
  }
  const vacant = (path: string): void => {
    if (parent(path).entries.has(basename(path))) throw exists()
  }
  const add = (path: string, node: Node): void => change(parent(path), basename(path), node)
  return {
    list: async (path) => [...directoryAt(path).entries.keys()],
    lstat: async (path) => statsOf(found(path, false)),
    stat: async (path) => statsOf(found(path, true)),
    readlink: async (path) => {
      const node = found(path, false)
      if (node.kind !== 'link') throw systemError('EINVAL', -22)
      return node.target
    },
    read: async (path, _, links) => {
      const node = found(path, links === 'follow')
      if (node.kind === 'link') throw tooManyLinks()
      if (node.kind === 'directory') throw objection('it is a directory', 'move it away')
      return { text: node.content, stats: statsOf(node) }
    },
    makeDirectory: async (path) => {
      vacant(path)
      observe(`makeDirectory ${basename(path)}`, () => add(path, newDirectory()))
    },
    create: async (path) => {
      vacant(path)
      const file = newFile(0o600)
      observe(`create ${basename(path)}`, () => add(path, file))
      return {
        write: async (text) => {
          observe(`write ${basename(path)}`, () => {
            file.content += text
          })
        },
        sync: async () => observe(`sync ${basename(path)}`, () => syncFile(file)),
        close: async () => {},
      }
    },
    symlink: async (target, path) => {
      vacant(path)
      observe(`symlink ${target} ${basename(path)}`, () => add(path, { kind: 'link', target }))
    },
    link: async (existing, path) => {
      vacant(path)
      const node = found(existing, false)
      observe(`link ${basename(existing)} ${basename(path)}`, () => add(path, node))
    },
    rename: async (from, to) => {
      const [source, target] = [parent(from), parent(to)]
      if (source !== target) throw new Error('the adapter renames within one directory')
      const node = found(from, false)
      observe(`rename ${basename(from)} ${basename(to)}`, () => {
        change(target, basename(to), node)
        change(source, basename(from), undefined, { name: basename(to), index: target.changes.length - 1 })
      })
    },
    unlink: async (path) => {
      found(path, false)
      observe(`unlink ${basename(path)}`, () => change(parent(path), basename(path), undefined))
    },
    chmod: async (path, mode) => {
      const node = found(path, true)
      if (node.kind !== 'file') throw new Error('the adapter changes the modes of files')
      observe(`chmod ${basename(path)}`, () => {
        node.mode = mode
      })
    },
    syncDirectory: async (path) => {
      const directory = directoryAt(path)
      observe(`syncDirectory ${basename(path)}`, () => syncNames(directory))
    },
  }
}

const numbers = new WeakMap<Node, number>()
let numbered = 0
const numberOf = (node: Node): number => {
  const known = numbers.get(node)
  if (known !== undefined) return known
  numbered += 1
  numbers.set(node, numbered)
  return numbered
}

const types = { file: 0o100000, link: 0o120000, directory: 0o040000 } as const

/** As lstat(2) would have it; what the adapter does not look at is another file's. */
const statsOf = (node: Node): Stats =>
  Object.assign(lstatSync('/'), {
    dev: 1,
    ino: numberOf(node),
    uid: process.geteuid?.() ?? 0,
    mode: types[node.kind] | (node.kind === 'link' ? 0o777 : node.mode),
    size: node.kind === 'file' ? node.content.length : 0,
    mtimeMs: node.kind === 'file' ? node.modifiedAt : instant(0),
  })
