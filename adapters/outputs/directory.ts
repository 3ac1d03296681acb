/**
 * A directory with `tls.crt`, `tls.key` and `ca.crt`, the names of a Kubernetes TLS secret, swapped as a whole as by the
 * kubelet's atomic writer (`pkg/volume/util/atomic_writer.go`): the files lie in a directory of their own, `..data` is a
 * link to it that is renamed into place, and each name is a link through `..data`. So who reads through one `..data`
 * never has a key and a certificate that do not belong together, also after a crash at any point.
 */
import { constants } from 'node:fs'
import { lstat, mkdir, mkdtemp, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import type { Output, OutputContent } from '../../src/ports.js'
import { readRegularFile } from '../platform/read-file.js'
import { codeOf, objection } from '../platform/system-error.js'
import { type Attributes, syncDirectory, writeNewFile } from '../platform/write-file.js'
import { demandOutput, pemKeyOf, writing } from './error.js'

/** What the directories of ours begin with: nothing else is ever removed. */
const prefix = '..kube-cert-rotation-'
const data = '..data'
const names = ['tls.crt', 'tls.key', 'ca.crt']
const maxFileSize = 1024 * 1024

type Files = ReadonlyMap<string, string>

/**
 * Keeps `tls.crt` (the chain), `tls.key` and `ca.crt` (the cluster's CAs, where they are known) in a directory. Throws for
 * rights of others: the key is in there.
 */
export const outputDirectory = (path: string, attributes: Attributes = {}): Output => {
  demandOutput('outputDirectory', path, attributes)
  const directory = resolve(path)
  const name = `the output ${directory}`
  return {
    name,
    write: (content) =>
      writing(name, () => bringInLine(directory, filesOf(content), { mode: 0o600, ...attributes })),
  }
}

const filesOf = ({ credential, cluster }: OutputContent): Files => {
  const authority = O.toUndefined(cluster)?.certificateAuthority ?? O.none
  return new Map([
    ['tls.crt', credential.pem],
    ['tls.key', pemKeyOf(credential).reveal()],
    ...(O.isSome(authority) ? [['ca.crt', authority.value] as const] : []),
  ])
}

const bringInLine = async (directory: string, files: Files, attributes: Attributes): Promise<void> => {
  await ensure(directory, attributes)
  const present = await readdir(directory)
  await refuseForeign(directory, present)
  // They lead nowhere until there is a `..data`: so all appear at once.
  for (const name of files.keys())
    if (!present.includes(name)) await symlink(join(data, name), join(directory, name))
  const current = present.includes(data) ? await readlink(join(directory, data)) : undefined
  if (current === undefined || !(await isInLine(join(directory, current), files, attributes)))
    await swap(directory, files, attributes)
  for (const name of names) if (!files.has(name)) await rm(join(directory, name), { force: true })
  await removeEarlier(directory)
  await syncDirectory(directory)
}

/**
 * Readable for whom the files are, so that they can be reached. The directories stay with who runs this, and an owner of
 * the files only passes through: who owned them could put a link in the place of a directory that is being written.
 */
const directoryMode = ({ mode = 0o600, owner }: Attributes): number =>
  mode | ((mode & 0o444) >> 2) | (owner === undefined ? 0o700 : 0o711)

const ensure = async (directory: string, attributes: Attributes): Promise<void> => {
  const made = await mkdir(directory, { recursive: true, mode: directoryMode(attributes) })
  if (made === undefined) return
  // mkdir(2) goes by the umask.
  await chmodDirectory(directory, directoryMode(attributes))
  await syncDirectory(dirname(made))
}

/** chmod(2), never through a link. */
const chmodDirectory = async (path: string, mode: number): Promise<void> => {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    await directory.chmod(mode)
  } finally {
    await directory.close()
  }
}

/** What has one of our names and is not ours stays as it is, and nothing is written. */
const refuseForeign = async (directory: string, present: ReadonlyArray<string>): Promise<void> => {
  for (const name of [data, ...names].filter((one) => present.includes(one))) {
    const path = join(directory, name)
    const target = (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined
    const isOurs = name === data ? target?.startsWith(prefix) : target === join(data, name)
    if (isOurs !== true)
      throw objection(`${name} is there already, and is not ours`, 'name another directory, or move it away')
  }
}

const isInLine = async (generation: string, files: Files, attributes: Attributes): Promise<boolean> => {
  try {
    if ((await readdir(generation)).length !== files.size) return false
    for (const [name, text] of files) {
      const found = await readRegularFile(join(generation, name), maxFileSize, 'refuse')
      if (found.text !== text || !hasAttributes(found.stats, attributes)) return false
    }
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false
    throw thrown
  }
}

/** Whether a file is for whom it is to be for. */
export const hasAttributes = (
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
  wanted: Attributes,
): boolean =>
  (mode & 0o7777) === (wanted.mode ?? 0o600) &&
  (wanted.owner === undefined || (wanted.owner.uid === uid && wanted.owner.gid === gid))

const swap = async (directory: string, files: Files, attributes: Attributes): Promise<void> => {
  const generation = await mkdtemp(join(directory, prefix))
  try {
    for (const [name, text] of files) await writeNewFile(join(generation, name), text, attributes)
    await syncDirectory(generation)
    await chmodDirectory(generation, directoryMode(attributes))
    await syncDirectory(directory)
    const next = join(directory, `${prefix}next`)
    await rm(next, { force: true })
    await symlink(basename(generation), next)
    await rename(next, join(directory, data))
    await syncDirectory(directory)
  } catch (thrown) {
    await rm(generation, { recursive: true, force: true })
    throw thrown
  }
}

/** The directories before, and what a crash left. */
const removeEarlier = async (directory: string): Promise<void> => {
  const current = await readlink(join(directory, data))
  for (const name of await readdir(directory))
    if (name.startsWith(prefix) && name !== current)
      await rm(join(directory, name), { recursive: true, force: true })
}
