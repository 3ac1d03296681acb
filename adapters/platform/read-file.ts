/**
 * Reading files that somebody else may have put there: never more than a limit, whatever the file says its size is, and
 * without waiting for anybody (the opening of a FIFO that nobody writes to would never end).
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Secret, secret } from '../../src/model/secret.js'
import { objection, reasonOf } from './system-error.js'

/** A file's content, and what fstat(2) said of it. */
export interface FileContent {
  readonly text: string
  readonly stats: Stats
}

/** In bytes; a kubeconfig, a token, a key and a bundle of CAs are far smaller. */
const enough = 1024 * 1024
const chunk = 64 * 1024

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/** What is there instead of a file, in words. */
export const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  return stats.isSymbolicLink() ? 'a link' : 'no regular file'
}

const check = (stats: Stats): void => {
  if (!stats.isFile()) throw objection(`it is ${kindOf(stats)}`, 'move it away')
}

/** One read may give less than there is, for instance on a file system of a user process. */
const checkLength = (length: number, limit: number): void => {
  if (length > limit) throw objection(`it is larger than ${limit} bytes`, 'move it away')
}

/** Reads a regular file of at most `limit` bytes. Rejects with the system's error, or an objection. */
export const readRegularFile = async (
  path: string,
  limit: number,
  links: 'follow' | 'refuse',
): Promise<FileContent> => {
  const file = await open(path, O_RDONLY | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0))
  try {
    const stats = await file.stat()
    check(stats)
    const chunks: Array<Buffer> = []
    for (let length = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunk), 0, chunk, length)
      if (bytesRead === 0) return { text: Buffer.concat(chunks).toString(), stats }
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      checkLength(length, limit)
    }
  } finally {
    // What was read has been read.
    await file.close().catch(() => {})
  }
}

/** The text of a file, or why it cannot be had: the end of the sentence "the file …". */
export const readBounded = (path: string, limit = enough): TE.TaskEither<string, Secret> =>
  TE.tryCatch(
    async () => secret((await readRegularFile(path, limit, 'follow')).text),
    (thrown) => `cannot be read: ${reasonOf(thrown)}`,
  )

/** The same at once, for those whose first look has to be over when they answer. */
export const readBoundedNow = (path: string, limit = enough): E.Either<string, Secret> =>
  E.tryCatch(
    () => secret(readNow(path, limit)),
    (thrown) => `cannot be read: ${reasonOf(thrown)}`,
  )

const readNow = (path: string, limit: number): string => {
  const file = openSync(path, O_RDONLY | O_NONBLOCK)
  try {
    check(fstatSync(file))
    const chunks: Array<Buffer> = []
    for (let length = 0; ; ) {
      const buffer = Buffer.allocUnsafe(chunk)
      const bytesRead = readSync(file, buffer, 0, chunk, length)
      if (bytesRead === 0) return Buffer.concat(chunks).toString()
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      checkLength(length, limit)
    }
  } finally {
    closeSync(file)
  }
}
