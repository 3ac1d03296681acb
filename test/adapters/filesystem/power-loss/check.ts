/** Starts anew on what a power loss left, and finds what is wrong with that. */
import { readdirSync } from 'node:fs'
import * as O from 'fp-ts/lib/Option.js'
import { type CertificateDirectory, openWith } from '../../../../adapters/filesystem/directory.js'
import type { FileSystem } from '../../../../adapters/filesystem/file-system.js'
import { isTemporary, layoutOf, ownPairs } from '../../../../adapters/filesystem/layout.js'
import { keyring } from '../../../../src/driver/keyring.js'
import { type Found, load } from '../../../../src/driver/load.js'
import { after, minute } from '../../../../src/model/time.js'
import type { CryptoBackend } from '../../../../src/ports.js'
import { assert } from '../../../helper/index.js'
import { right } from '../../outcome.js'
import { current, noon } from '../material.js'
import { type DirectoryNode, visibleFiles } from './disk.js'
import { fileSystemOn } from './file-system.js'
import type { Identities, Name } from './identities.js'
import type { Crash, Possible } from './play.js'

export interface Start {
  readonly directory: string
  readonly who: Identities
  readonly crypto: CryptoBackend
  /** The disk before all: what was on it and is not ours stays. */
  readonly beginning: DirectoryNode
  /** Whether a rotation from what a start made of this is known to work. */
  readonly rotates: (crash: Crash) => boolean
}

/** What a start may say after a crash, in these scenarios: where it put things right, and what it found at first. */
const expectedWarnings = [
  /kubelet-client-current\.pem: it was missing; it points to \S+Z\.pem now$/,
  /kubelet-client-current\.pem: it (was missing|led nowhere); kubelet-client-updated\.pem took its place$/,
  /its mode was 06(44|40), which let others read its private key; it is 0600 now$/,
  /2 pairs .* are not ours and are never removed/,
  /the saved request is ignored: its format version is 2/,
]

/** Throws when anything is wrong. `fs` holds what `crash` has. */
export const check = async (fs: FileSystem, crash: Crash, start: Start): Promise<void> => {
  const left = shown(crash.disk)
  try {
    await keysAreOurs(fs, crash, start)
    nothingElseIsLost(crash.disk, start)
    await readersFindAPair(fs, crash, start)
    const store = await right(openWith(fs)({ directory: start.directory }))
    try {
      await startIsAsItMustBe(fs, store, crash, start)
      if (!start.rotates(crash)) await nextRotationWorks(fs, store, start)
    } finally {
      await store.release()
    }
    assert.equal(locks(start), [])
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    throw new Error(`${crash.where}, left ${left}: ${message}`, { cause: error })
  }
}

const layout = layoutOf('/', 'kubelet-client')

/** No key of ours was ever readable by others; those that were at first, are not for longer. */
const keysAreOurs = async (fs: FileSystem, { disk }: Crash, { beginning }: Start): Promise<void> => {
  const wide = visibleFiles(beginning).flatMap(([, { mode, content }]) => (mode === 0o600 ? [] : [content]))
  for (const [path, file] of visibleFiles(disk)) {
    if (wide.includes(file.content)) continue
    assert.is((await fs.lstat(path)).mode & 0o7777, 0o600, path)
  }
}

/** Files that are not ours, under whatever name. */
const nothingElseIsLost = (disk: DirectoryNode, { beginning }: Start): void => {
  const contents = visibleFiles(disk).map(([, { content }]) => content)
  const isOurs = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    return ownPairs(layout, [name]).length > 0 || isTemporary(layout, name)
  }
  for (const [path, { content }] of visibleFiles(beginning))
    if (!isOurs(path) && !isRequestOfOurs(content)) assert.ok(contents.includes(content), `${path} is lost`)
}

const isRequestOfOurs = (content: string): boolean => content.includes('"formatVersion": 1')

/** Others read the link at any time, before a start too. */
const readersFindAPair = async (
  fs: FileSystem,
  { possible, linked }: Crash,
  { directory, who, beginning }: Start,
): Promise<void> => {
  const link = current(directory)
  if (!linked && (await whereTo(fs, link)) === (await whereTo(fileSystemOn(beginning), link))) return
  const { text } = await fs.read(link, 100_000, 'follow')
  const found = possible.some(({ held }) => held !== undefined && sameBlocks(text, who[held].text))
  assert.ok(found, `the link points to ${nameOfText(text, who) ?? 'something else'}`)
}

/** A link's target; undefined when there is none. */
const whereTo = (fs: FileSystem, link: string): Promise<string | undefined> =>
  fs.readlink(link).catch(() => undefined)

const sameBlocks = (a: string, b: string): boolean => a.replaceAll('\n', '') === b.replaceAll('\n', '')

const nameOfText = (text: string, who: Identities): string | undefined =>
  Object.entries(who).find(([, identity]) => sameBlocks(text, identity.text))?.[0]

const loaded = (store: CertificateDirectory, { crypto }: Start): Promise<Found> =>
  right(load({ store, crypto, clock: { now: () => after(noon, minute) } }, keyring()))

const nameOf = (held: Found['held']): string | undefined =>
  O.toUndefined(held)?.certificate.commonName.replace('system:node:', '')

const startIsAsItMustBe = async (
  fs: FileSystem,
  store: CertificateDirectory,
  { possible }: Crash,
  start: Start,
): Promise<void> => {
  const { held, draft, warnings } = await loaded(store, start)
  const found = {
    held: nameOf(held),
    draft: O.toUndefined(draft)?.name.replace('csr-', ''),
  }
  const allowed = possible.some((one) => one.held === found.held && one.draft === found.draft)
  assert.ok(allowed, `a start finds ${spoken(found)}, and not ${possible.map(spoken).join(' or ')}`)
  const unexpected = warnings.filter((warning) => !expectedWarnings.some((known) => known.test(warning)))
  assert.equal(unexpected, [])
  const names = await fs.list(start.directory)
  assert.not.ok(
    names.some((name) => isTemporary(layout, name)),
    `left over: ${names.join(', ')}`,
  )
  assert.is(locks(start).length, 1)
}

const spoken = ({ held, draft }: Partial<Record<keyof Possible, string | undefined>>): string =>
  `${held ?? 'no pair'} with ${draft === undefined ? 'no request' : `a request for ${draft}`}`

const next: Name = 'next'

const nextRotationWorks = async (
  fs: FileSystem,
  store: CertificateDirectory,
  start: Start,
): Promise<void> => {
  const { directory, who } = start
  await right(store.saveRequest(who[next].request))
  await right(store.install(who[next].pair))
  const { held, draft } = await loaded(store, start)
  assert.is(nameOf(held), next)
  assert.ok(O.isNone(draft))
  const names = await fs.list(directory)
  assert.not.ok(
    names.some((name) => isTemporary(layout, name) || name === layout.request),
    names.join(', '),
  )
  assert.ok(ownPairs(layout, names).length <= 2, names.join(', '))
  assert.ok(sameBlocks((await fs.read(current(directory), 100_000, 'follow')).text, who[next].text))
}

/** Sockets are always real. */
const locks = ({ directory }: Start): ReadonlyArray<string> =>
  readdirSync(directory).filter((name) => name.includes('.lock-'))

const shown = (disk: DirectoryNode): string =>
  visibleFiles(disk)
    .map(([path, { content }]) => `${path.slice(path.lastIndexOf('/') + 1)} (${content.length})`)
    .concat(linksIn(disk))
    .join(', ') || 'nothing'

const linksIn = (directory: DirectoryNode): ReadonlyArray<string> =>
  [...directory.entries].flatMap(([name, node]) => {
    if (node.kind === 'directory') return linksIn(node)
    return node.kind === 'link' ? [`${name} -> ${node.target}`] : []
  })
