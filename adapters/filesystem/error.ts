import { failure, type StoreError } from '../../src/model/failure.js'
import { codeOf, reasonOf, remedyOf } from '../platform/system-error.js'

const noSockets = 'this file system holds no sockets or links: give a directory on a local one'

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space on the file system',
  EDQUOT: 'free some space or raise the quota',
  EROFS: 'mount the file system writable, or give another directory',
  EACCES: 'give this process’s user the rights, or run it as the directory’s owner',
  EPERM:
    'give this process’s user the rights, and check for immutable files and for a file system without sockets',
  ENOTDIR: 'a part of the path is a file: move it away or give another directory',
  EOPNOTSUPP: noSockets,
  ENOSYS: noSockets,
  EIO: 'check the disk',
  EMFILE: 'raise the limit of open files of this process',
}

/** What may be over in a moment: faults of a disk, and what the process or the machine has run out of. */
export const isMomentary = (thrown: unknown): boolean =>
  ['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EINTR', 'EAGAIN', 'ESTALE', 'ETIMEDOUT'].includes(
    codeOf(thrown) ?? '',
  )

/** The failure of an operation on a path. Looking again costs nobody anything, also where a person has to act first. */
export const storeError =
  (tag: 'StoreUnreadable' | 'StoreUnwritable', doing: string, path: string) =>
  (thrown: unknown): StoreError => {
    const code = codeOf(thrown) ?? ''
    const remedy = remedyOf(thrown)
    return failure(
      tag,
      'soon',
      `${doing} ${path}: ${reasonOf(thrown)}`,
      remedy ?? remedies[code] ?? 'check the directory and its file system',
    )
  }
