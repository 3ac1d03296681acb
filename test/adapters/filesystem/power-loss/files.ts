/** Disks in memory as real files, and locks as a dead process leaves them. */
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { DirectoryNode, FileNode, Node } from './disk.js'

/** Makes a directory of the disk, with all that is in it, the real one; what was there before is gone. */
export const writeOut = (disk: DirectoryNode, path: string): void => {
  rmSync(path, { recursive: true, force: true })
  const written = new Map<FileNode, string>()
  const write = (node: Node, to: string): void => {
    if (node.kind === 'link') symlinkSync(node.target, to)
    else if (node.kind === 'directory') {
      mkdirSync(to, { mode: node.mode })
      for (const [name, entry] of node.entries) write(entry, join(to, name))
    } else {
      const known = written.get(node)
      written.set(node, to)
      if (known !== undefined) linkSync(known, to)
      else {
        writeFileSync(to, node.content)
        chmodSync(to, node.mode)
        utimesSync(to, node.modifiedAt / 1000, node.modifiedAt / 1000)
      }
    }
  }
  const node = path
    .split('/')
    .slice(1)
    .reduce<Node | undefined>(
      (at, name) => (at?.kind === 'directory' ? at.entries.get(name) : undefined),
      disk,
    )
  if (node !== undefined) write(node, path)
}

/** A socket at which nobody listens any more. */
export const deadSocket = async (path: string): Promise<void> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(`${path}.alive`, resolve))
  // Under this name it is not removed when it closes.
  renameSync(`${path}.alive`, path)
  await new Promise((resolve) => server.close(resolve))
}

/** Puts it into the directory as a lock that was held, and as one that was about to be. */
export const leaveLocks = (socket: string, directory: string): void => {
  linkSync(socket, join(directory, 'kubelet-client.lock-0123456789abcdef'))
  linkSync(socket, join(directory, 'kubelet-client.lock-fedcba9876543210.tmp'))
}
