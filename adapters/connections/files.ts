import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { failure } from '../../src/model/failure.js'
import { pemBlocks } from '../../src/model/pem.js'
import { type Secret, secret } from '../../src/model/secret.js'
import type { Milliseconds } from '../../src/model/time.js'
import { readBoundedNow } from '../platform/read-file.js'
import { checkCredential, checkTrust, credentialOf } from './check.js'
import { refuseUnknown } from './options.js'
import { type Credential, type Problem, type Sources, variable, warnOf } from './source.js'

/** PEM files that somebody else writes: cert-manager, SPIRE, a kubelet. */
export interface Files {
  /** The chain, leaf first. May hold the key too, as a kubelet's `-current.pem` does. */
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

const knownFiles: Readonly<Record<keyof Files, true>> = { certificate: true, key: true, ca: true }
const knownOptions: Readonly<Record<keyof FilesOptions, true>> = { interval: true, onProblem: true }

/** Sources that follow files. */
export interface FileSources extends Required<Omit<Sources, 'reportRejected'>> {
  /** Looks now, for those who know of a change. */
  readonly look: IO<void>
  /** Looks no more. */
  readonly close: IO<void>
}

/**
 * Follows files by reading them every few seconds: what watches files misses those that are replaced through a link, as
 * Kubernetes does with secrets. The first look is over when this returns. What does not parse, match or verify is not
 * applied; a pair caught between the writing of its two files is looked at again. It keeps no process alive.
 */
export const fromFiles = (files: Files, options: FilesOptions = {}): FileSources => {
  refuseUnknown('fromFiles', files, knownFiles)
  refuseUnknown('fromFiles', options, knownOptions)
  const { interval = 10_000, onProblem = warnOf } = options
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
      const next = applicable('bundle', E.chain(checkTrust)(read(files.ca)))
      if (O.isSome(next) && next.value !== O.toUndefined(trust.current())) trust.set(next)
    }
  }
  look()
  const timer = setInterval(look, interval).unref()
  return {
    credentials,
    anonymous: files.certificate === undefined,
    problem: () => O.fromNullable(told.get('pair')),
    trust,
    look,
    close: () => clearInterval(timer),
  }
}

const readPair = (certificate: string, key: string): E.Either<Problem, Credential> => {
  const [chain, keyText] = [read(certificate), read(key)]
  if (E.isLeft(chain)) return chain
  if (E.isLeft(keyText)) return keyText
  const blocks = (text: string, wanted: RegExp) =>
    pemBlocks(text)
      .filter(({ label }) => wanted.test(label))
      .map(({ text }) => text)
      .join('')
  const pair = credentialOf(blocks(chain.right, /^CERTIFICATE$/), {
    _tag: 'Pem',
    pem: secret(blocks(keyText.right, /PRIVATE KEY$/)),
  })
  return E.chain((credential: Credential) => checkCredential(credential, Date.now()))(pair)
}

const same = (one: Credential, other: O.Option<Credential>): boolean =>
  O.isSome(other) && one.pem === other.value.pem

const read = (path: string): E.Either<Problem, string> =>
  E.bimap(
    (reason: string): Problem =>
      failure('Unreadable', 'soon', `the file ${path} ${reason}`, 'look at the file and its permissions'),
    (content: Secret) => content.reveal(),
  )(readBoundedNow(path))
