/** What a power loss at this moment may leave of a disk: the rules are those in disk.ts. */
import type { Dice } from '../../../faults/dice.js'
import { type DirectoryNode, type FileNode, type Node, newDirectory, newFile, reachable } from './disk.js'

export interface CrashStates {
  /** Each a disk of its own on which nothing is unsynced, no two alike, by their fingerprints. */
  readonly states: ReadonlyMap<string, DirectoryNode>
  /** Whether these are all there are; otherwise a sample. */
  readonly exhaustive: boolean
}

/** Something that may be on the disk in several ways: a name in a directory; of a file its content and mode. */
interface Uncertain {
  readonly node: FileNode | DirectoryNode
  readonly name: string
  /** Of a name: the number of the last change to it that is on the disk, or -1. Of a file: any numbers. */
  readonly ways: ReadonlyArray<number>
}

/** Which way it went, for each. */
type Outcome = ReadonlyMap<Node, ReadonlyMap<string, number>>

/** All states when there are at most so many combinations, else so many of them and the two extremes. */
export const crashStates = (root: DirectoryNode, most: number, dice: Dice): CrashStates => {
  const uncertain = [...reachable(root)].flatMap(uncertainIn)
  const all = uncertain.reduce((product, { ways }) => product * ways.length, 1)
  const exhaustive = all <= most
  const states = new Map<string, DirectoryNode>()
  const consider = (decide: (ways: number) => number): void => {
    const outcome = new Map<Node, Map<string, number>>()
    for (const { node, name, ways } of uncertain) {
      const names = outcome.get(node) ?? new Map<string, number>()
      outcome.set(node, names.set(name, ways[decide(ways.length)] ?? -1))
    }
    const state = outcomeOf(root, outcome)
    if (state !== undefined) states.set(fingerprint(state), state)
  }
  if (exhaustive) for (let number = 0; number < all; number += 1) consider(digitsOf(number))
  else {
    consider(() => 0)
    consider((ways) => ways - 1)
    for (let n = 0; n < most; n += 1) consider(dice.below)
  }
  return { states, exhaustive }
}

/** A disk of its own that has what is known to be on this one. */
export const copyOf = (root: DirectoryNode): DirectoryNode => outcomeOf(root, new Map()) ?? newDirectory()

/** The digits of a number, the base of each as it is asked for. */
const digitsOf = (number: number) => {
  let rest = number
  return (base: number): number => {
    const digit = rest % base
    rest = (rest - digit) / base
    return digit
  }
}

const uncertainIn = (node: Node): ReadonlyArray<Uncertain> => {
  if (node.kind === 'link') return []
  if (node.kind === 'file') {
    const ways = contentsOf(node).length * modesOf(node).length
    return ways === 1 ? [] : [{ node, name: '', ways: [...Array(ways).keys()] }]
  }
  const names = new Map<string, Array<number>>()
  for (const [index, { name }] of node.changes.entries())
    names.set(name, [...(names.get(name) ?? [-1]), index])
  return [...names].map(([name, ways]) => ({ node, name, ways }))
}

const modesOf = ({ synced, mode }: FileNode): ReadonlyArray<number> => [...new Set([synced.mode, mode])]

const page = 4096

/** What of a file's content may be found: it was created empty and written once. */
const contentsOf = ({ synced, content }: FileNode): ReadonlyArray<string> => {
  if (synced.content === content) return [content]
  const known = torn.get(content) ?? partsOf(content)
  torn.set(content, known)
  return known
}

const torn = new Map<string, ReadonlyArray<string>>()

const partsOf = (content: string): ReadonlyArray<string> => {
  const { length } = content
  const half = Math.floor(length / 2)
  const zeros = (count: number): string => '\0'.repeat(count)
  const firsts = [...content.matchAll(/-----BEGIN|-----$/gm)].map(({ index }) => content.slice(0, index))
  const holes = Array.from({ length: Math.ceil(length / page) }, (_, n) => {
    const [from, to] = [n * page, Math.min((n + 1) * page, length)]
    return content.slice(0, from) + zeros(to - from) + content.slice(to)
  })
  const halves = [content.slice(0, half), content.slice(0, half) + zeros(length - half)]
  return [...new Set(['', zeros(half), zeros(length), ...halves, ...firsts, ...holes, content])]
}

/** The disk after that outcome; undefined when it cannot be: a name that a rename took away, and no new one. */
const outcomeOf = (root: DirectoryNode, outcome: Outcome): DirectoryNode | undefined => {
  const made = new Map<Node, Node>()
  const remade = (node: Node): Node | undefined => {
    const known = made.get(node)
    if (known !== undefined) return known
    const after = node.kind === 'file' ? fileOf(node) : node.kind === 'link' ? node : directoryOf(node)
    if (after !== undefined) made.set(node, after)
    return after
  }
  const fileOf = (file: FileNode): FileNode => {
    const modes = modesOf(file)
    const chosen = outcome.get(file)?.get('') ?? 0
    const content = contentsOf(file)[Math.floor(chosen / modes.length)] ?? file.content
    return newFile(modes[chosen % modes.length] ?? file.mode, content, file.modifiedAt)
  }
  const directoryOf = (directory: DirectoryNode): DirectoryNode | undefined => {
    const entries = new Map(directory.synced)
    const last = outcome.get(directory) ?? new Map<string, number>()
    for (const [name, index] of last) {
      const change = directory.changes[index]
      if (change === undefined) continue
      if (change.after !== undefined && (last.get(change.after.name) ?? -1) < change.after.index)
        return undefined
      if (change.node === undefined) entries.delete(name)
      else entries.set(name, change.node)
    }
    const found = new Map<string, Node>()
    for (const [name, node] of entries) {
      const entry = remade(node)
      if (entry === undefined) return undefined
      found.set(name, entry)
    }
    return newDirectory(directory.mode, found)
  }
  return directoryOf(root)
}

/** The same for disks that no program can tell apart: random names of temporary files count for nothing. */
export const fingerprint = (root: DirectoryNode): string => {
  const numbers = new Map<Node, number>()
  const described = (node: Node): string => {
    if (node.kind === 'link') return `-> ${node.target}`
    if (node.kind === 'directory') return `${node.mode} {${entriesOf(node).join(', ')}}`
    // The same file by several names.
    numbers.set(node, numbers.get(node) ?? numbers.size)
    return `#${numbers.get(node)} ${node.mode} ${node.modifiedAt} ${numberOf(node.content)}`
  }
  const entriesOf = ({ entries }: DirectoryNode): ReadonlyArray<string> =>
    [...entries]
      .map(([name, node]) => [name.replace(/[0-9a-f]{16}\.tmp$/, '*.tmp'), node] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([name, node]) => `${name} ${described(node)}`)
  return described(root)
}

const contents = new Map<string, number>()

/** A short name for a long text. */
const numberOf = (content: string): number => {
  const number = contents.get(content) ?? contents.size
  contents.set(content, number)
  return number
}
