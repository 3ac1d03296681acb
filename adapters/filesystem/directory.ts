import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Json } from '../../src/model/codec.js'
import { type Failure, failure, type StoreError } from '../../src/model/failure.js'
import type { Secret } from '../../src/model/secret.js'
import type { Milliseconds } from '../../src/model/time.js'
import type { CertificateStore, StoreContents } from '../../src/ports.js'
import { ok, steps } from '../../src/steps.js'
import { storableKey } from '../../src/stored.js'
import { prefixPattern } from '../platform/prefix.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import { ensureDirectory } from './atomic.js'
import { installPair, removeRequest, writeRequest } from './changes.js'
import { type FallbackPair, list, readContents } from './contents.js'
import { isMomentary, storeError } from './error.js'
import { type FileSystem, nodeFileSystem } from './file-system.js'
import type { Answerer } from './holder-protocol.js'
import { type Layout, layoutOf, prefixesAmong } from './layout.js'
import { acquire, askHolder, holderOf, isIntact, type Lock, type LockHolder, release } from './lock.js'
import { holderInWords } from './lock-holder.js'
import { recover } from './recovery.js'

export interface CertificateDirectoryOptions {
  /** The kubelet's `--cert-dir`. Made with mode 0700 when it is not there. */
  readonly directory: string
  /** `kubelet-client` (the default), `kubelet-server`, or one of your own: letters, digits, `.`, `_`, `-`. */
  readonly prefix?: string
  /** What serves while the directory has no pair in use, best first. */
  readonly fallbacks?: ReadonlyArray<FallbackPair>
  /** Answers what other processes ask whoever has the directory. */
  readonly answerer?: Answerer
}

/** A certificate store in a directory that is locked for this process. */
export interface CertificateDirectory extends CertificateStore {
  /** Gives the directory free. What is asked of the store afterwards, other than `load`, fails. */
  readonly release: Task<void>
}

/**
 * Opens a certificate directory in the kubelet's layout for reading and writing, and tidies up what a crash left
 * behind. `StoreLocked` when another process has it, `StoreUnwritable` when it cannot be made or locked. On a disk
 * that is full, failing or mounted read-only, and where the process has run out of something, it opens all the same, so
 * that the pairs there can be used; each change then fails until that has passed.
 */
export const openCertificateDirectory = (
  options: CertificateDirectoryOptions,
): TE.TaskEither<StoreError, CertificateDirectory> => openWith(nodeFileSystem)(options)

/** Reads a certificate directory as it is, whoever has it open. `StoreUnreadable` when it cannot be listed. */
export const readCertificateDirectory = (
  options: CertificateDirectoryOptions,
): TE.TaskEither<StoreError, StoreContents> =>
  load(nodeFileSystem, layoutFor(options), options.fallbacks ?? [])

/**
 * Who has a certificate directory open for writing, where it says so; none: nobody. Asks the holder, and takes nothing.
 * A kubelet does not show: it locks nothing.
 */
export const holderOfCertificateDirectory = (
  options: CertificateDirectoryOptions,
): TE.TaskEither<StoreError, O.Option<LockHolder>> => {
  const { directory, prefix } = layoutFor(options)
  return TE.tryCatch(
    async () => O.fromNullable(await holderOf(directory, prefix)),
    storeError('StoreUnreadable', 'asking who has the certificate directory', directory),
  )
}

/**
 * Asks the process that has a certificate directory open for writing; none: nobody has. The answer is as it came, the
 * question's own business.
 */
export const askHolderOfCertificateDirectory = (
  options: CertificateDirectoryOptions,
  question: Readonly<Record<string, Json>> & { readonly ask: string },
  patience?: Milliseconds,
): TE.TaskEither<Failure<string>, O.Option<unknown>> => {
  const { directory, prefix } = layoutFor(options)
  return pipe(
    TE.tryCatch(
      (): Promise<E.Either<Failure<string>, unknown> | undefined> =>
        askHolder(directory, prefix, question, patience),
      storeError('StoreUnreadable', 'asking who has the certificate directory', directory),
    ),
    TE.chainW((answer) => (answer === undefined ? TE.right(O.none) : TE.fromEither(E.map(O.some)(answer)))),
  )
}

/** The prefixes of the certificates in a directory, sorted; none when there is no directory. */
export const prefixesInCertificateDirectory = (
  directory: string,
): TE.TaskEither<StoreError, ReadonlyArray<string>> =>
  pipe(
    TE.tryCatch(
      () => list(nodeFileSystem, layoutFor({ directory })),
      storeError('StoreUnreadable', 'reading the certificate directory', directory),
    ),
    TE.map(prefixesAmong),
  )

/** The same as `openCertificateDirectory`, over other system calls. */
export const openWith =
  (fs: FileSystem) =>
  (options: CertificateDirectoryOptions): TE.TaskEither<StoreError, CertificateDirectory> =>
    steps(async function* () {
      const layout = layoutFor(options)
      yield* ok(checkPrefix(layout))
      const { directory, prefix } = layout
      const taken: Taken = {
        fs,
        directory,
        prefix,
        answerer: options.answerer,
        lock: undefined,
        failedBy: undefined,
        recovered: [],
        isReleased: false,
      }
      const opened = await ensure(taken)
      if (E.isLeft(opened) && !(opened.left._tag === 'StoreUnwritable' && mayRecover(taken)))
        return yield* ok(opened)
      return storeIn(taken, options.fallbacks)
    })

/** There may be thousands: each has its functions, and what they need is made when they run. */
const storeIn = (taken: Taken, fallbacks: ReadonlyArray<FallbackPair> = []): CertificateDirectory => ({
  load: async () =>
    E.map(({ warnings, ...rest }: StoreContents) => ({
      ...rest,
      warnings: [...warningsOf(taken), ...warnings],
    }))(await loadPatiently(taken.fs, layoutIn(taken), fallbacks)()),
  saveRequest: (saved) =>
    keeping(
      saved.key,
      change(taken, 'saving the request in', (fs, layout) => writeRequest(fs, layout, saved)),
    ),
  discardRequest: () => change(taken, 'removing the saved request from', removeRequest)(),
  install: (pair) =>
    keeping(
      pair.key,
      change(taken, 'installing the certificate in', (fs, layout) => installPair(fs, layout, pair)),
    ),
  release: async () => {
    taken.isReleased = true
    await letGo(taken)
  },
})

const change = (
  taken: Taken,
  doing: string,
  run: (fs: FileSystem, layout: Layout) => Promise<void>,
): TE.TaskEither<StoreError, void> =>
  steps(async function* () {
    yield* ok(await ensure(taken))
    yield* ok(
      TE.tryCatch(
        () => run(taken.fs, layoutIn(taken)),
        storeError('StoreUnwritable', doing, taken.directory),
      ),
    )
  })

/** What would not be found again is refused before anything is asked for. */
const keeping = (key: Secret, keep: TE.TaskEither<StoreError, void>): TE.TaskEither<StoreError, void> =>
  pipe(
    TE.fromEither(storableKey(key)),
    TE.chain(() => keep),
  )

const layoutFor = ({ directory, prefix = 'kubelet-client' }: CertificateDirectoryOptions): Layout =>
  layoutOf(resolve(directory), prefix)

const checkPrefix = ({ prefix }: Layout): E.Either<StoreError, void> =>
  prefixPattern.test(prefix)
    ? E.right(undefined)
    : E.left(
        failure(
          'StoreUnwritable',
          'later',
          `opening a certificate directory: ${JSON.stringify(prefix)} cannot begin file names`,
          'give a prefix of at most 63 letters, digits, ".", "_" or "-"',
        ),
      )

const load = (
  fs: FileSystem,
  layout: Layout,
  fallbacks: ReadonlyArray<FallbackPair>,
): TE.TaskEither<StoreError, StoreContents> =>
  TE.tryCatch(
    () => readContents(fs, layout, fallbacks),
    storeError('StoreUnreadable', 'reading the certificate directory', layout.directory),
  )

/** How long it waits before it reads again, in ms. */
const pauses = [100, 400, 1500] as const

/**
 * The same for who goes by it from then on: an identity that could not be read for a moment counts as none, and then
 * only another one would help. So what fails as if it could pass is read again a few times.
 */
const loadPatiently =
  (
    fs: FileSystem,
    layout: Layout,
    fallbacks: ReadonlyArray<FallbackPair>,
  ): TE.TaskEither<StoreError, StoreContents> =>
  async () => {
    for (const pause of pauses) {
      let missed = false
      const note = (error: unknown): never => {
        missed ||= isMomentary(error)
        throw error
      }
      const noting: FileSystem = {
        ...fs,
        list: (path) => fs.list(path).catch(note),
        read: (path, limit, links) => fs.read(path, limit, links).catch(note),
      }
      const contents = await load(noting, layout, fallbacks)()
      if (!missed) return contents
      await sleep(pause)
    }
    return load(fs, layout, fallbacks)()
  }

/** A directory, and the right to write in it: it is there, and its lock is ours. */
interface Taken {
  readonly fs: FileSystem
  readonly directory: string
  readonly prefix: string
  readonly answerer: Answerer | undefined
  lock: Lock | undefined
  /** What it was refused for. */
  failedBy: unknown
  /** What was found when it was obtained. */
  recovered: ReadonlyArray<string>
  isReleased: boolean
}

/** The directory can be read while these last, and those of a moment, and written when they have passed. */
const passing = ['ENOSPC', 'EDQUOT', 'EROFS']

const layoutIn = ({ directory, prefix }: Taken): Layout => layoutOf(directory, prefix)

/** Obtains the right to write, or sees that it still is. */
const ensure = async (taken: Taken): Promise<E.Either<StoreError, void>> => {
  const { lock, isReleased, directory } = taken
  if (isReleased) return E.left(alreadyReleased(directory))
  if (lock !== undefined && (await isIntact(lock))) return E.right(undefined)
  try {
    await letGo(taken)
    taken.failedBy = undefined
    return await obtain(taken)()
  } catch (error) {
    await letGo(taken)
    taken.failedBy = error
    return E.left(storeError('StoreUnwritable', 'taking the certificate directory', directory)(error))
  }
}

const obtain = (taken: Taken): TE.TaskEither<StoreError, void> =>
  steps(async function* () {
    const { fs, directory, prefix, answerer } = taken
    const layout = layoutIn(taken)
    await ensureDirectory(fs, directory)
    taken.lock = yield* ok(TE.mapLeft(locked(layout))(acquire(directory, prefix, answerer)))
    taken.recovered = await recover(fs, layout)
  })

const letGo = async (taken: Taken): Promise<void> => {
  if (taken.lock !== undefined) await release(taken.lock)
  taken.lock = undefined
}

/** Whether it was refused for something that passes. */
const mayRecover = ({ failedBy }: Taken): boolean =>
  isMomentary(failedBy) || passing.includes(codeOf(failedBy) ?? '')

const warningsOf = ({ directory, failedBy, recovered }: Taken): ReadonlyArray<string> =>
  failedBy === undefined
    ? recovered
    : [...recovered, `${directory}: it can only be read: ${reasonOf(failedBy)}`]

const locked =
  ({ directory, prefix }: Layout) =>
  ({ holder }: LockHolder): StoreError =>
    failure(
      'StoreLocked',
      'soon',
      `taking the certificate directory ${directory} for ${prefix}: it is in use by ${holderInWords(holder)}`,
      'stop that process, or give this one another directory',
    )

const alreadyReleased = (directory: string): StoreError =>
  failure(
    'StoreUnwritable',
    'later',
    `changing the certificate directory ${directory}: it was released before`,
    'open it again',
  )
