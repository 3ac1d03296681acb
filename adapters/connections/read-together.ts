/** Files that belong together, read as they were at one moment. */
import { realpathSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { failure } from '../../src/model/failure.js'
import { pemBlocks } from '../../src/model/pem.js'
import { readBoundedNow } from '../platform/read-file.js'
import { codeOf } from '../platform/system-error.js'
import type { Problem } from './source.js'

/** Swaps are minutes apart; who meets several has met somebody who writes without end. */
const attempts = 5

/**
 * The texts of PEM files, none of which changed while they were read. Links are resolved first, and the files behind them
 * read: the kubelet puts a volume's next files into a directory of their own and renames `..data` over, so what is
 * behind the links never changes, but goes. A file that ends within a block of PEM is still being written.
 */
export const readTogether = (paths: ReadonlyArray<string>): E.Either<Problem, ReadonlyArray<string>> => {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = paths.map(stateOf)
    const texts = E.traverseArray(read)(before)
    const isSettled = before.every(({ path, state }) => stateOf(path).state === state)
    if (isSettled) return texts
  }
  return E.left(
    unreadable(`${paths.join(' and ')} changed while being read`, 'nothing: it is looked at again'),
  )
}

interface Found {
  readonly path: string
  /** Without links. */
  readonly real: string
  /** Something else after each change. */
  readonly state: string
}

const stateOf = (path: string): Found => {
  try {
    const real = realpathSync(path)
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(real, { bigint: true })
    return { path, real, state: [real, dev, ino, size, mtimeNs, ctimeNs].join(' ') }
  } catch (error) {
    return { path, real: path, state: codeOf(error) ?? '' }
  }
}

const read = ({ path, real }: Found): E.Either<Problem, string> =>
  pipe(
    readBoundedNow(real),
    E.bimap(
      (reason) => unreadable(`the file ${path} ${reason}`, 'look at the file and its permissions'),
      (content) => content.reveal(),
    ),
    E.filterOrElse(
      (text) => (text.match(/^-----BEGIN /gm) ?? []).length <= pemBlocks(text).length,
      () => unreadable(`the file ${path} ends within a block of PEM`, 'have it written to its end'),
    ),
  )

const unreadable = (what: string, cure: string): Problem => failure('Unreadable', 'soon', what, cure)
