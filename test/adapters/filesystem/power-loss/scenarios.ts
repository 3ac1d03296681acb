/** What is on the disk at first, and what is then done to it. */
import { dirname, join } from 'node:path'
import type { NewPair } from '../../../../adapters/filesystem/changes.js'
import { layoutOf, ownName } from '../../../../adapters/filesystem/layout.js'
import { requestFile } from '../../../../adapters/filesystem/request-file.js'
import { noon } from '../material.js'
import { type DirectoryNode, type LinkNode, type Node, newDirectory, newFile } from './disk.js'
import type { Identities, Name } from './identities.js'

/** What the store is asked, once it is open. */
export type Step = readonly ['save' | 'install', Name] | readonly ['discard']

export interface Scenario {
  /** What is in the directory; undefined when there is neither it nor its parent. */
  readonly entries: (who: Identities, directory: string) => Readonly<Record<string, Node>> | undefined
  /** What a start finds there. */
  readonly held?: Name
  readonly draft?: Name
  /** Whether the link to the pair in use, or a file in its place, is there at first. */
  readonly linked?: boolean
  readonly steps: ReadonlyArray<Step>
}

const layout = layoutOf('/', 'kubelet-client')
const local = (hour: number): string => `kubelet-client-2026-11-23-${hour}-00-00.pem`
const stored = ({ receivedAt }: NewPair): string => ownName(layout, receivedAt, 1)
const link = (target: string): LinkNode => ({ kind: 'link', target })
const file = (content: string, mode = 0o600) => newFile(mode, content, noon)

/** Pairs of ours, the last one in use. */
const ours = (who: Identities, names: ReadonlyArray<Name>, mode = 0o600): Readonly<Record<string, Node>> => {
  const files = names.map((name) => [stored(who[name].pair), file(who[name].text, mode)] as const)
  return { ...Object.fromEntries(files), [layout.current]: link(files.at(-1)?.[0] ?? '') }
}

const renewal: ReadonlyArray<Step> = [
  ['save', 'new'],
  ['install', 'new'],
]

export const scenarios = {
  'a bootstrap in an empty directory': { entries: () => ({}), steps: renewal },
  'a bootstrap in a directory that has to be made, its parent too': {
    entries: () => undefined,
    steps: renewal,
  },
  'a bootstrap that ended between storing and linking': {
    entries: (who) => ({
      [stored(who.old.pair)]: file(who.old.text),
      [layout.request]: file(requestFile(who.old.request)),
    }),
    held: 'old',
    steps: renewal,
  },
  'a renewal': { entries: (who) => ours(who, ['old']), held: 'old', linked: true, steps: renewal },
  'a renewal that removes older pairs': {
    entries: (who) => ours(who, ['oldest', 'older', 'old']),
    held: 'old',
    linked: true,
    steps: renewal,
  },
  'two renewals, one after the other': {
    entries: (who) => ours(who, ['older', 'old']),
    held: 'old',
    linked: true,
    steps: [['save', 'other'], ['install', 'other'], ...renewal],
  },
  'a request in the place of another': {
    entries: (who) => ({ ...ours(who, ['old']), [layout.request]: file(requestFile(who.other.request)) }),
    held: 'old',
    linked: true,
    draft: 'other',
    steps: renewal,
  },
  'a request that is forgotten': {
    entries: (who) => ({ ...ours(who, ['old']), [layout.request]: file(requestFile(who.other.request)) }),
    held: 'old',
    linked: true,
    draft: 'other',
    steps: [['discard'], ['save', 'new'], ['discard']],
  },
  'a request of a newer version': {
    entries: (who) => ({
      ...ours(who, ['old']),
      [layout.request]: file(newerRequest),
    }),
    held: 'old',
    linked: true,
    steps: renewal,
  },
  "a kubelet's directory": {
    entries: (who, directory) => ({
      [local(12)]: file(who.older.text),
      [local(13)]: file(who.old.text),
      [layout.current]: link(join(directory, local(13))),
    }),
    held: 'old',
    linked: true,
    steps: renewal,
  },
  'the directory of a kubelet that ended in the middle of its swap': {
    entries: (who, directory) => ({
      [local(13)]: file(who.old.text),
      [layout.updated]: link(join(directory, local(13))),
    }),
    held: 'old',
    steps: renewal,
  },
  'the directory of such a kubelet whose link leads nowhere': {
    entries: (who, directory) => ({
      [local(13)]: file(who.old.text),
      [layout.current]: link(local(12)),
      [layout.updated]: link(join(directory, local(13))),
    }),
    held: 'old',
    steps: renewal,
  },
  'a file in the place of the link': {
    entries: (who) => ({ [layout.current]: file(who.old.text) }),
    held: 'old',
    linked: true,
    steps: renewal,
  },
  'files that others may read': {
    entries: (who) => ({
      ...ours(who, ['old'], 0o644),
      [layout.request]: newFile(0o640, requestFile(who.other.request)),
    }),
    held: 'old',
    draft: 'other',
    linked: true,
    steps: [['install', 'other']],
  },
  'what a process left that ended in the middle': {
    entries: (who) => ({
      ...ours(who, ['old']),
      [layout.temporary()]: file(who.new.text.slice(0, 100)),
      [layout.temporary()]: link(stored(who.old.pair)),
    }),
    held: 'old',
    linked: true,
    steps: renewal,
  },
} as const satisfies Readonly<Record<string, Scenario>>

export const newerRequest = '{"formatVersion": 2}\n'

/** The disk as it is at first: nothing on it is unsynced. The directory's grandparent is there. */
export const diskOf = ({ entries }: Scenario, who: Identities, directory: string): DirectoryNode => {
  const inDirectory = entries(who, directory)
  const nested = (path: string, node: DirectoryNode): DirectoryNode =>
    path === '/'
      ? node
      : nested(dirname(path), newDirectory(0o700, new Map([[path.slice(path.lastIndexOf('/') + 1), node]])))
  return inDirectory === undefined
    ? nested(dirname(dirname(directory)), newDirectory())
    : nested(directory, newDirectory(0o700, new Map(Object.entries(inDirectory))))
}
