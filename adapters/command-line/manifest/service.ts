/** What `run` with the given flags needs of the machine: its command line, and the files that it reads and writes. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { RotationOptions } from '../../node/index.js'
import { reasonOf } from '../../platform/system-error.js'
import { configFrom } from '../config-file.js'
import { type Flag, type Flags, type Given, type UsageError, usageError, valuesOf } from '../flags.js'
import { runFlags } from '../run-flags.js'
import { readRun, readRunOrConfig } from '../run-request.js'

export interface Service {
  /** The flags of `run`, with absolute paths, without those that were not given. */
  readonly flags: Readonly<Record<string, string>>
  /** Of its certificate; empty where a file names several. */
  readonly options: RotationOptions
  /** An output belongs to somebody else. */
  readonly changesOwner: boolean
  /** A hook sends a signal. */
  readonly sendsSignals: boolean
  /** Whether a kubelet's serving certificate is kept too. */
  readonly isServing: boolean
  /** Files that are read, again and again: they may be replaced. */
  readonly reads: ReadonlyArray<string>
  /** Directories in which files are written, none of them inside another. */
  readonly writes: ReadonlyArray<string>
}

/** Reads the flags of `run` among those given. */
export const serviceFrom = (given: Given<string>): E.Either<UsageError, Service> => {
  const all: Flags<string> = runFlags
  const flags: Record<string, string> = {}
  const reads: Array<string> = []
  const writes: Array<string> = []
  for (const [name, flag] of Object.entries(all)) {
    const value = given[name]
    if (value === undefined) continue
    flags[name] = flag.path === undefined ? value : resolve(value)
  }
  if (flags['once'] !== undefined)
    return E.left(usageError('--once is for a program that ends', 'leave it out: a service goes on'))
  const { config } = flags
  if (config !== undefined) return serviceOf(config, flags)
  if (flags['kubeconfig'] === undefined && flags['bootstrap-kubeconfig'] === undefined)
    return E.left(
      usageError(
        'it is not known where the API is',
        'name a kubeconfig with --bootstrap-kubeconfig, --kubeconfig or both',
      ),
    )
  const request = readRun(argumentsOf(flags))
  if (E.isLeft(request)) return request
  const { options, serving } = request.right
  const paths: Readonly<Record<string, string | undefined>> = { ...flags, 'cert-dir': options.certDir }
  for (const [name, flag] of Object.entries(all)) {
    const path = paths[name]
    if (path === undefined) continue
    const use = useOf(name, flag, options)
    if (use === 'file read') reads.push(path)
    if (use === 'file written') writes.push(dirname(path))
    if (use === 'directory written') writes.push(path)
  }
  const { hooks } = request.right
  reads.push(...hooks.flatMap((hook) => ('pidFile' in hook ? [hook.pidFile] : [])))
  return E.right({
    flags,
    options,
    isServing: serving !== undefined,
    changesOwner: flags['output-owner'] !== undefined,
    sendsSignals: hooks.some((hook) => 'pidFile' in hook),
    reads,
    writes: outermost(writes),
  })
}

/** The same for the certificates of a file. */
const serviceOf = (config: string, flags: Service['flags']): E.Either<UsageError, Service> => {
  const wrong = (what: string) => E.left(usageError(`--config=${config}: ${what}`, 'correct the file'))
  const asked = readRunOrConfig(argumentsOf(flags))
  if (E.isLeft(asked)) return asked
  const text = E.tryCatch(() => readFileSync(config, 'utf8'), reasonOf)
  if (E.isLeft(text)) return wrong(text.left)
  const read = configFrom(config, text.right)
  if (E.isLeft(read)) return wrong(read.left.join('; '))
  const reads: Array<string | undefined> = [config]
  const writes: Array<string | undefined> = []
  for (const { request } of read.right.certificates) {
    const { certDir, kubeconfig, bootstrapKubeconfig, clientCertificateAuthority, renewalWindows, policy } =
      request.options
    const isRead = policy?.authenticateWith === 'external'
    reads.push(bootstrapKubeconfig, clientCertificateAuthority, renewalWindows?.file)
    if (isRead) reads.push(kubeconfig)
    else writes.push(folderOf(kubeconfig))
    writes.push(certDir, folderOf(request.eventLog))
    reads.push(...request.hooks.flatMap((hook) => ('pidFile' in hook ? [hook.pidFile] : [])))
    for (const { kind, path } of request.outputs) writes.push(kind === 'dir' ? path : dirname(path))
  }
  const given = (path: string | undefined) => path !== undefined
  return E.right({
    flags,
    options: {},
    reads: [...new Set(reads.filter(given))],
    writes: outermost(writes.filter(given)),
    changesOwner: read.right.certificates.some(({ request: { outputs } }) =>
      outputs.some(({ attributes }) => attributes.owner !== undefined),
    ),
    sendsSignals: read.right.certificates.some(({ request: { hooks } }) =>
      hooks.some((hook) => 'pidFile' in hook),
    ),
    isServing: read.right.certificates.some(({ addresses }) => addresses !== undefined),
  })
}

const folderOf = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : dirname(path)

/** A kubeconfig that another credential is taken from is only read. */
const useOf = (name: string, { path }: Flag, { policy }: RotationOptions): Flag['path'] =>
  name === 'kubeconfig' && policy?.authenticateWith === 'external' ? 'file read' : path

/** Flags as words of a command line. */
export const argumentsOf = (flags: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(flags).flatMap(([name, value]) => valuesOf(value).map((one) => `--${name}=${one}`))

/** Each directory once, without those inside another. */
export const outermost = (directories: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(directories)].filter(
    (one) => !directories.some((other) => other !== one && isInside(one, other)),
  )

export const isInside = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
