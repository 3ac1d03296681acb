/** Runs the store on a disk in memory, and collects what a power loss at any point of that may leave. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type CertificateDirectory, openWith } from '../../../../adapters/filesystem/directory.js'
import type { FileSystem } from '../../../../adapters/filesystem/file-system.js'
import type { Dice } from '../../../faults/dice.js'
import { current } from '../material.js'
import type { DirectoryNode } from './disk.js'
import { fileSystemOn } from './file-system.js'
import { type Identities, type Name, names } from './identities.js'
import type { Scenario, Step } from './scenarios.js'
import { crashStates } from './states.js'

/** What a start may find: the pair in use, and the request that is taken up. */
export interface Possible {
  readonly held: Name | undefined
  readonly draft: Name | undefined
}

/** What has to be true of what a power loss leaves at some point. */
export interface Expected {
  readonly possible: ReadonlyArray<Possible>
  /** The link to the pair in use is there. */
  readonly linked: boolean
}

/** What a power loss left. */
export interface Crash extends Expected {
  readonly disk: DirectoryNode
  /** After which call. */
  readonly where: string
}

export interface Played {
  /** The changing calls, in their order. */
  readonly calls: ReadonlyArray<string>
  /** How often the power was cut: before the first call, after each, and once more where a step was acknowledged. */
  readonly points: number
  readonly crashes: ReadonlyMap<string, Crash>
  /** How many points had more states than were looked at. */
  readonly sampled: number
}

export interface PlayOptions {
  readonly directory: string
  readonly who: Identities
  readonly dice: Dice
  /** How many combinations at a point are looked at. */
  readonly most: number
  /** Calls that the disk answers and does not do. */
  readonly leftOut?: (call: string, index: number, previous: string) => boolean
}

/** The steps of a process, from its start on. `expected` is what held before. */
export interface Process {
  readonly expected: Expected
  /** The number of the call before which it is killed. */
  readonly killedAt?: number
  readonly steps: (store: CertificateDirectory) => Promise<ReadonlyArray<Step>>
}

const killed = new Error('killed')

export const expectedOf = ({ held, draft, linked = false }: Scenario): Expected => ({
  possible: [{ held, draft }],
  linked,
})

export const play = async (
  disk: DirectoryNode,
  { expected: before, killedAt = Number.POSITIVE_INFINITY, steps }: Process,
  { directory, who, dice, most, leftOut = () => false }: PlayOptions,
): Promise<Played & { readonly expected: Expected }> => {
  const calls: Array<string> = []
  const crashes = new Map<string, Crash>()
  let [points, sampled, expected] = [0, 0, before]
  const cutPower = (where: string): void => {
    points += 1
    const { states, exhaustive } = crashStates(disk, most, dice)
    if (!exhaustive) sampled += 1
    const key = JSON.stringify([expected.linked, expected.possible])
    for (const [fingerprint, state] of states)
      crashes.set(`${fingerprint} ${key}`, { ...expected, disk: state, where })
  }
  const fs = fileSystemOn(disk, (call, perform) => {
    if (calls.length >= killedAt) throw killed
    const index = calls.push(call) - 1
    if (!leftOut(call, index, calls[index - 1] ?? '')) perform()
    cutPower(`after call ${index}, ${call}`)
  })
  cutPower('before all calls')
  const store = await openWith(fs)({ directory })()
  if (E.isLeft(store)) {
    if (killedAt === Number.POSITIVE_INFINITY) throw new Error(store.left.message)
    return { calls, points, crashes, sampled, expected }
  }
  // What a start found is what it goes on with, and what it put in its place is there: that has to last.
  expected = await found(fs, store.right, expected, { directory, who })
  cutPower('after the start')
  for (const step of await steps(store.right)) {
    expected = begun(expected, step)
    const done = await take(store.right, step, who)
    if (E.isLeft(done)) {
      if (killedAt === Number.POSITIVE_INFINITY) throw new Error(done.left.message)
      break
    }
    expected = acknowledged(expected, step)
    cutPower(`after ${step.join(' ')}`)
  }
  await store.right.release()
  return { calls, points, crashes, sampled, expected }
}

const found = async (
  fs: FileSystem,
  store: CertificateDirectory,
  { linked }: Expected,
  { directory, who }: Pick<PlayOptions, 'directory' | 'who'>,
): Promise<Expected> => {
  const contents = E.getOrElseW(() => undefined)(await store.load())
  const request = contents === undefined ? undefined : O.toUndefined(contents.request)
  const [held] = names.filter((name) => who[name].pair.pem === contents?.pairs[0]?.pem)
  const [draft] = names.filter((name) => who[name].request.draft.name === request?.draft.name)
  const link = await fs.lstat(current(directory)).catch(() => undefined)
  return { possible: [{ held, draft }], linked: linked || link !== undefined }
}

export const take = (store: CertificateDirectory, [what, name]: Step, who: Identities) => {
  if (what === 'discard') return store.discardRequest()
  return what === 'save' ? store.saveRequest(who[name].request)() : store.install(who[name].pair)()
}

/** What a step may bring about: what was, or what it leads to. A request with the key of the pair in use is done with. */
const begun = ({ possible, linked }: Expected, step: Step): Expected => ({
  possible: distinct([
    ...possible,
    ...possible.flatMap((was) => {
      const is = leadsTo(was, step)
      return step[0] === 'install' && was.draft !== step[1] ? [is, { ...is, draft: was.draft }] : [is]
    }),
  ]),
  linked,
})

/** What a step has brought about. */
const acknowledged = ({ possible, linked }: Expected, step: Step): Expected => ({
  possible: distinct(possible.map((was) => leadsTo(was, step))),
  linked: linked || step[0] === 'install',
})

const leadsTo = ({ held }: Possible, [what, name]: Step): Possible => {
  if (what === 'discard') return { held, draft: undefined }
  return what === 'save' ? { held, draft: name } : { held: name, draft: undefined }
}

const distinct = (all: ReadonlyArray<Possible>): ReadonlyArray<Possible> => [
  ...new Map(all.map((one) => [`${one.held} ${one.draft}`, one])).values(),
]

/** As the loop goes on after a restart: with the saved request where there is one. */
export const goingOn =
  (name: Name, who: Identities) =>
  async (store: CertificateDirectory): Promise<ReadonlyArray<Step>> => {
    const contents = await store.load()
    if (E.isLeft(contents)) throw new Error(contents.left.message)
    const [inUse] = contents.right.pairs
    if (inUse?.pem === who[name].pair.pem) return []
    const saved = O.toUndefined(contents.right.request)?.draft.name === who[name].request.draft.name
    return saved
      ? [['install', name]]
      : [
          ['save', name],
          ['install', name],
        ]
  }
