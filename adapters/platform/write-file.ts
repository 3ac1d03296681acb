/** Writing files so that a reader, also after a crash at any point, finds the old content or the new one. */
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './system-error.js'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants

/** Creates a file that was not there, mode 0600 from the start, never through a link. */
export const createFile = (path: string): Promise<FileHandle> =>
  open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)

/** Who may do what with a file. What is left out is as the process makes files, and for its owner alone. */
export interface Attributes {
  /** Permission bits, as of chmod(2): in octal. */
  readonly mode?: number
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** Creates a file with its content; it is on the disk when this ends, its name when the directory is synced. */
export const writeNewFile = async (
  path: string,
  content: string | Buffer,
  { mode, owner }: Attributes = {},
): Promise<void> => {
  const file = await createFile(path)
  try {
    if (owner !== undefined) await file.chown(owner.uid, owner.gid)
    if (mode !== undefined) await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** fsync(2) of a directory: what was renamed in it stays so after a loss of power. */
export const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, O_RDONLY | O_DIRECTORY)
  try {
    await directory.sync()
  } catch (error) {
    // Some file systems have nothing to sync of a directory.
    if (codeOf(error) !== 'EINVAL') throw error
  } finally {
    await directory.close()
  }
}

/** What a file is called before it is in place: always the same, so that what a crash left there does not stay, and ours. */
export const temporaryOf = (path: string): string => `${path}.kube-cert-rotation.tmp`

/** Creates or replaces a file, and makes that last. */
export const replaceFile = async (
  path: string,
  content: string | Buffer,
  attributes: Attributes = {},
): Promise<void> => {
  const temporary = temporaryOf(path)
  await rm(temporary, { force: true })
  try {
    await writeNewFile(temporary, content, attributes)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}
