import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { pemBlocks } from '../../src/model/pem.js'
import { secret } from '../../src/model/secret.js'
import type { Milliseconds } from '../../src/model/time.js'
import { aFunction, type Checks, demand, interval, misuse, path, record } from '../platform/options.js'
import { checkCredential, checkTrust, credentialOf } from './check.js'
import { readTogether } from './read-together.js'
import { type Credential, type Problem, type Sources, variable, warnOf } from './source.js'

/** PEM files that somebody else writes: cert-manager, SPIRE, a kubelet; also in projected volumes and mounted secrets. */
export interface Files {
  /**
   * The chain, leaf first. May hold the key too, before or after it: a kubelet's `-current.pem`, or the credential bundle
   * of a `podCertificate` volume.
   */
  readonly certificate?: string
  /** The private key; where the certificate is if not given. */
  readonly key?: string
  /** The bundle of trusted CAs. */
  readonly ca?: string
}

export interface FilesOptions {
  /** How often to look, ms; 10 000 if not given. */
  readonly interval?: Milliseconds
  /** Told once of each thing that is wrong; the last good pair or bundle serves on. A warning of the process if not given. */
  readonly onProblem?: (problem: Problem) => void
}

const filesFields: Checks<Files> = { certificate: path, key: path, ca: path }
const optionsFields: Checks<FilesOptions> = { interval, onProblem: aFunction }

/** Sources that follow files. */
export interface FileSources extends Required<Omit<Sources, 'route' | 'reportRejected' | 'followed'>> {
  /** Looks now, for those who know of a change. */
  readonly look: IO<void>
  /** Looks no more. */
  readonly close: IO<void>
}

/**
 * Follows files by reading them every few seconds: what watches files misses those that are replaced through a link, as
 * Kubernetes does with secrets. The first look is over when this returns. What is half-written, or does not parse, match or
 * verify, is not applied; a pair caught between the writing of its two files is looked at again. It keeps no process alive.
 */
export const fromFiles = (files: Files, options: FilesOptions = {}): FileSources => {
  demand('fromFiles', record(filesFields), files)
  demand('fromFiles', record(optionsFields), options)
  if (files.certificate === undefined && (files.key !== undefined || files.ca === undefined))
    throw misuse(
      'fromFiles: certificate is missing',
      'name the file with the chain: certificate; or ca alone, to connect without a certificate',
    )
  const { interval: pause = 10_000, onProblem = warnOf } = options
  const credentials = variable<O.Option<Credential>>(O.none)
  // Until there is a good bundle nobody is trusted: an empty one, not Node's own.
  const trust = variable<O.Option<string>>(files.ca === undefined ? O.none : O.some(''))
  const told = new Map<string, Problem>()

  /** What there is to apply: something new and good. Tells of a problem when it is not the one told last. */
  const applicable = <A>(what: string, found: E.Either<Problem, A>): O.Option<A> => {
    const before = told.get(what)
    if (E.isRight(found)) told.delete(what)
    else {
      told.set(what, found.left)
      if (before?.message !== found.left.message) onProblem(found.left)
    }
    return O.fromEither(found)
  }

  const look = () => {
    if (files.certificate !== undefined) {
      const next = applicable('pair', readPair(files.certificate, files.key ?? files.certificate))
      if (O.isSome(next) && !same(next.value, credentials.current())) credentials.set(next)
    }
    if (files.ca !== undefined) {
      const next = applicable('bundle', readBundle(files.ca))
      if (O.isSome(next) && next.value !== O.toUndefined(trust.current())) trust.set(next)
    }
  }
  look()
  const timer = setInterval(look, pause).unref()
  return {
    credentials,
    anonymous: files.certificate === undefined,
    problem: () => O.fromNullable(told.get('pair')),
    trustProblem: () => O.fromNullable(told.get('bundle')),
    trust,
    look,
    close: () => clearInterval(timer),
  }
}

const readPair = (certificate: string, key: string): E.Either<Problem, Credential> =>
  pipe(
    readTogether([certificate, key]),
    E.chain(([chain = '', keyText = '']) =>
      credentialOf(blocksOf(chain, /^CERTIFICATE$/), {
        _tag: 'Pem',
        pem: secret(blocksOf(keyText, /PRIVATE KEY$/)),
      }),
    ),
    E.chain((credential) => checkCredential(credential, Date.now())),
    E.mapLeft(naming(certificate === key ? certificate : `${certificate} and ${key}`)),
  )

/** The problem with the files that it is about, if it does not name them itself. */
const naming =
  (files: string) =>
  (problem: Problem): Problem =>
    problem._tag === 'Unreadable' ? problem : { ...problem, message: `${files}: ${problem.message}` }

const readBundle = (path: string): E.Either<Problem, string> =>
  pipe(
    readTogether([path]),
    E.chain(([bundle = '']) => checkTrust(bundle)),
    E.mapLeft(naming(path)),
  )

const blocksOf = (text: string, wanted: RegExp): string =>
  pemBlocks(text)
    .filter(({ label }) => wanted.test(label))
    .map((block) => block.text)
    .join('')

const same = (one: Credential, other: O.Option<Credential>): boolean =>
  O.isSome(other) && one.pem === other.value.pem
