import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { failure, type StoreError } from '../../src/model/failure.js'

/** The code of an error of the operating system (`ENOENT`, …), also of one that libuv has no name for (`EDQUOT`). */
export const codeOf = (thrown: unknown): string | undefined => {
  if (!(thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string')) return undefined
  if (!/^unknown/i.test(thrown.code) || !('errno' in thrown)) return thrown.code
  const { errno } = thrown
  const named = Object.entries(constants.errno).find(([, number]) => -number === errno)
  return named?.[0] ?? thrown.code
}

/** What libuv has no words for. */
const otherWords: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
}

/** Such an error in words, without what libuv adds about paths. */
export const inWords = (thrown: unknown): string => {
  const errno = thrown instanceof Error && 'errno' in thrown ? thrown.errno : undefined
  const [code = codeOf(thrown), words = otherWords[code ?? ''] ?? 'an error of the operating system'] =
    (typeof errno === 'number' ? getSystemErrorMap().get(errno) : undefined) ?? []
  if (code !== undefined) return `${words} (${code})`
  return thrown instanceof Error && remedyOf(thrown) !== undefined ? thrown.message : 'an unexpected error'
}

/** What is thrown inside this adapter where the operating system would not object. */
export const trouble = (message: string, remedy: string): Error =>
  Object.assign(new Error(message), { remedy })

const remedyOf = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'remedy' in thrown && typeof thrown.remedy === 'string'
    ? thrown.remedy
    : undefined

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
      `${doing} ${path}: ${inWords(thrown)}`,
      remedy ?? remedies[code] ?? 'check the directory and its file system',
    )
  }
