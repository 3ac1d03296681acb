/** What outlives a control plane: its authority and its bootstrap token; and the files that clients start from. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { secret } from '../../src/model/secret.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { Authority } from '../crypto/index.js'
import { codeOf } from '../platform/system-error.js'
import { replaceFile } from '../platform/write-file.js'
import { isBootstrapToken } from './credentials.js'
import { authorityUnusable, type ControlPlaneError, dataDirectoryUnusable, reasonOf } from './error.js'

const files = {
  authority: 'ca.crt',
  authorityKey: 'ca.key',
  bootstrapToken: 'bootstrap-token',
  adminKubeconfig: 'admin.kubeconfig',
  bootstrapKubeconfig: 'bootstrap.kubeconfig',
} as const

const unusable =
  (doing: string) =>
  (thrown: unknown): ControlPlaneError =>
    dataDirectoryUnusable(`${doing}: ${reasonOf(thrown)}`)

/** Makes the directory, for this user alone, unless it is there. */
const prepare = (directory: string): TE.TaskEither<ControlPlaneError, unknown> =>
  TE.tryCatch(
    () => mkdir(directory, { recursive: true, mode: 0o700 }),
    unusable(`the data directory ${directory} cannot be made`),
  )

/** Replaces a file in one step, readable by its owner alone from its first byte on. */
const write = (directory: string, name: string, text: string): TE.TaskEither<ControlPlaneError, void> => {
  const path = join(directory, name)
  return TE.tryCatch(() => replaceFile(path, text), unusable(`${path} cannot be written`))
}

/** A file's text; undefined when there is none. */
const read = (directory: string, name: string): TE.TaskEither<ControlPlaneError, string | undefined> => {
  const path = join(directory, name)
  return TE.tryCatch(
    async () => {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    unusable(`${path} cannot be read`),
  )
}

/**
 * The authority that an earlier control plane left there; undefined when there is none. A key alone is what a crash
 * left before anybody could trust it; a certificate alone is trusted by somebody, and is not replaced without a word.
 */
const readAuthority = (directory: string): TE.TaskEither<ControlPlaneError, Authority | undefined> =>
  steps(async function* () {
    const pem = yield* ok(read(directory, files.authority))
    const key = yield* ok(read(directory, files.authorityKey))
    if (pem === undefined) return undefined
    const authority = { pem, key: secret(key ?? '') }
    if (belongTogether(authority)) return authority
    return yield* fail(
      authorityUnusable(`${files.authority} and ${files.authorityKey} in ${directory} are no pair`),
    )
  })

const belongTogether = ({ pem, key }: Authority): boolean =>
  pipe(
    O.tryCatch(() => new X509Certificate(pem).checkPrivateKey(createPrivateKey(key.reveal()))),
    O.getOrElse(() => false),
  )

const readBootstrapToken = (directory: string): TE.TaskEither<ControlPlaneError, string | undefined> =>
  TE.map((text: string | undefined) => text?.trim())(read(directory, files.bootstrapToken))

export interface Kept {
  readonly authority: Authority | undefined
  readonly token: string | undefined
}

/** What an earlier control plane left in the data directory; nothing when there is no directory. */
export const restored = (dataDir: string | undefined): TE.TaskEither<ControlPlaneError, Kept> =>
  steps(async function* () {
    if (dataDir === undefined) return { authority: undefined, token: undefined }
    yield* ok(prepare(dataDir))
    const authority = yield* ok(readAuthority(dataDir))
    const token = yield* ok(readBootstrapToken(dataDir))
    if (token === undefined || isBootstrapToken(token)) return { authority, token }
    return yield* fail(dataDirectoryUnusable(`the bootstrap token in ${dataDir} is none`))
  })

/** Writes everything that a control plane keeps, and what its clients start from. */
export const saved = (
  dataDir: string,
  authority: Authority,
  token: string,
  admin: string,
  bootstrap: string,
): TE.TaskEither<ControlPlaneError, void> =>
  steps(async function* () {
    // The key first: what a crash leaves of a new authority is then a key that nobody trusts.
    yield* ok(write(dataDir, files.authorityKey, authority.key.reveal()))
    yield* ok(write(dataDir, files.authority, authority.pem))
    yield* ok(write(dataDir, files.bootstrapToken, `${token}\n`))
    yield* ok(write(dataDir, files.adminKubeconfig, admin))
    yield* ok(write(dataDir, files.bootstrapKubeconfig, bootstrap))
  })
