import type { Stats } from 'node:fs'
import * as O from 'fp-ts/lib/Option.js'
import { type Instant, instant, wholeSecond } from '../../src/model/time.js'
import type { StoredPair } from '../../src/ports.js'
import { chainIn, keyIn } from '../../src/stored.js'
import type { FileContent } from '../platform/read-file.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import type { FileSystem } from './file-system.js'

/** A certificate chain and its key, in one file or two. */
export interface PairFiles {
  readonly certificate: string
  readonly key: string
  /** What the name says; the modification time where it says nothing. */
  readonly receivedAt: Instant | undefined
}

/** What came of reading one. */
export interface PairRead {
  readonly pair: StoredPair | undefined
  /** The files themselves, whatever they were called. */
  readonly identity: string
  readonly warnings: ReadonlyArray<string>
}

/** A megabyte has room for more than any reader of chains and keys will take. */
export const maximumSize = 1024 * 1024

/** Reads a pair. Files that are not there are no pair and no trouble. */
export const readPair = async (fs: FileSystem, files: PairFiles): Promise<PairRead> => {
  const certificate = await readFile(fs, files.certificate)
  const key = files.key === files.certificate ? certificate : await readFile(fs, files.key)
  if (typeof certificate === 'string') return nothing(certificate)
  if (typeof key === 'string') return nothing(key)
  if (certificate === undefined || key === undefined) return nothing()
  const identity = [certificate, key].map(({ stats }) => `${stats.dev}:${stats.ino}`).join(' ')
  const warnings = [...ownerWarnings(files.key, key.stats), ...modeWarnings(files.key, key.stats)]
  const [pem, stored] = [chainIn(certificate.text), keyIn(key.text)]
  if (O.isNone(pem))
    return {
      pair: undefined,
      identity,
      warnings: [...warnings, `${files.certificate}: ${lacking('certificate')}`],
    }
  if (O.isNone(stored))
    return { pair: undefined, identity, warnings: [...warnings, `${files.key}: ${lacking('private key')}`] }
  const receivedAt = files.receivedAt ?? wholeSecond(instant(certificate.stats.mtimeMs))
  return {
    pair: { location: files.certificate, pem: pem.value, key: stored.value, receivedAt },
    identity,
    warnings,
  }
}

const nothing = (...warnings: ReadonlyArray<string>): PairRead => ({
  pair: undefined,
  identity: '',
  warnings,
})

const lacking = (what: string): string => `not used: there is no ${what} in it`

/** The content; a warning when it cannot be had; undefined when there is no file. */
const readFile = async (fs: FileSystem, path: string): Promise<FileContent | string | undefined> => {
  try {
    return await fs.read(path, maximumSize, 'follow')
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : `${path}: not used: ${reasonOf(error)}`
  }
}

/** A file of another user than ours and root. */
export const ownerWarnings = (path: string, { uid }: Stats): ReadonlyArray<string> => {
  const self = process.geteuid?.()
  return self === undefined || uid === self || uid === 0
    ? []
    : [`${path}: it belongs to user ${uid}, and this process is user ${self}`]
}

/** A file with a key in it that more than its owner may read. */
export const modeWarnings = (path: string, stats: Stats): ReadonlyArray<string> =>
  (stats.mode & 0o077) === 0
    ? []
    : [`${path}: its mode ${octal(stats)} lets others read the private key in it; make it 0600`]

export const octal = ({ mode }: Stats): string => (mode & 0o7777).toString(8).padStart(4, '0')
