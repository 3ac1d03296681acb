/** The API that a rotation asks, and the credentials that it asks with, as its options name them. */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import type { CertificateSigningRequests, Clock, TrustAnchors } from '../../src/ports.js'
import { type Source, type Variable, variable } from '../connections/source.js'
import {
  type AccessSource,
  accessFromKubeconfig,
  type Cluster,
  certificateSigningRequests,
  clusterFromKubeconfig,
  type KubeconfigError,
  nothingSeen,
  onDemand,
} from '../kubernetes/index.js'
import { defaultAccess } from './default-access.js'
import { type Accesses, bootstrapFrom, type Following, following } from './kubeconfigs.js'
import { type Asker, type InvalidOptions, invalid, prefixOf, type RotationOptions } from './options.js'
import { type Access, isSameCluster, type SharedRequests } from './shared-requests.js'
import { fromCluster } from './trust.js'
import { watch } from './watch.js'

/** What a rotation asks, opened. */
export interface OpenedRequests {
  readonly requests: CertificateSigningRequests
  /** The API server, as the kubeconfig said when it was last read. */
  readonly cluster: Source<O.Option<Cluster>>
  /** The same, read again every ten seconds while somebody follows. */
  readonly watched: Source<O.Option<Cluster>>
  /** Reads it anew; absent: nobody says where the API is. */
  readonly read?: TaskEither<KubeconfigError, Cluster>
  /** The CA that its client certificates probably chain to. */
  readonly expected?: TrustAnchors
  /** The kubeconfig that follows the certificate, where there is one. */
  readonly follows?: Following
  /** Takes the cluster of the bootstrap kubeconfig into it. */
  readonly adopt?: TaskEither<KubeconfigError, void>
  readonly close: () => void
}

/** Opens the requests of an embedder, or those to the API that the options name. */
export const openRequests = (
  options: RotationOptions,
  policy: RotationPolicy,
  clock: Clock,
  warn: (message: string) => void,
  shared?: SharedRequests,
): TaskEither<InvalidOptions | KubeconfigError, OpenedRequests> =>
  options.ports?.requests !== undefined
    ? TE.right(withoutCluster(options.ports.requests))
    : pipe(
        wayTo(options, policy, clock, warn),
        TE.map((way) => open(way, options, warn, shared)),
      )

/** With `ports.requests` nobody says where the API is. */
const withoutCluster = (requests: CertificateSigningRequests): OpenedRequests => {
  const cluster = variable<O.Option<Cluster>>(O.none)
  return { requests, cluster, watched: cluster, close: () => {} }
}

/** How a rotation gets to its API. */
interface Way {
  readonly access: Access
  /** The same for all rotations that ask with the same credential besides their certificates; absent: none does. */
  readonly sharedAs?: string
  /** Where the CA is named that client certificates probably chain to; absent: they are for something else. */
  readonly expecting?: string
  readonly follows?: Following
}

const wayTo = (
  options: RotationOptions,
  policy: RotationPolicy,
  clock: Clock,
  warn: (message: string) => void,
): TaskEither<InvalidOptions | KubeconfigError, Way> => {
  const { kubeconfig, bootstrapKubeconfig, certDir, authenticateWith: asker } = options
  if (asker !== undefined)
    return TE.right({ access: { cluster: asker.cluster, external: () => asker.access } })
  const isExternal = policy.authenticateWith === 'external'
  const named = bootstrapKubeconfig ?? kubeconfig
  if (named === undefined) {
    const found = defaultAccess(warn)
    if (O.isNone(found))
      return TE.left(
        invalid(
          'it is not known where the API is',
          'name a bootstrapKubeconfig or a kubeconfig, or set KUBECONFIG',
        ),
      )
    const { cluster, access, name } = found.value
    return TE.right(
      isExternal
        ? { access: { cluster, external: access }, sharedAs: `external ${name}` }
        : { access: { cluster, bootstrap: access }, sharedAs: `bootstrap ${name}`, expecting: name },
    )
  }
  if (isExternal) {
    const path = kubeconfig ?? named
    const external = accessFromKubeconfig(path, { warn })
    return TE.right({
      access: { cluster: clusterFromKubeconfig(path), external },
      sharedAs: `external ${resolve(path)}`,
    })
  }
  const sharedAs =
    bootstrapKubeconfig === undefined ? {} : { sharedAs: `bootstrap ${resolve(bootstrapKubeconfig)}` }
  if (kubeconfig === undefined || certDir === undefined) {
    const bootstrap = bootstrapFrom(bootstrapKubeconfig, warn)
    return TE.right({
      access: { cluster: clusterFromKubeconfig(named), bootstrap },
      expecting: `kubeconfig ${named}`,
      ...sharedAs,
    })
  }
  if (bootstrapKubeconfig !== undefined && isSamePlace(kubeconfig, bootstrapKubeconfig))
    return TE.left(
      invalid(
        `kubeconfig and bootstrapKubeconfig are both ${kubeconfig}, whose token would be overwritten`,
        'give them different files: the first one is written, the second one is only read',
      ),
    )
  const pairPath = join(certDir, `${prefixOf(options)}-current.pem`)
  return pipe(
    following({ kubeconfig, bootstrapKubeconfig, pairPath, onWarning: warn }, clock),
    TE.map((follows) => ({
      access: { cluster: follows.cluster, bootstrap: follows.bootstrap },
      expecting: `kubeconfig ${kubeconfig}`,
      follows,
      ...sharedAs,
    })),
  )
}

const open = (
  way: Way,
  options: RotationOptions,
  warn: (message: string) => void,
  shared?: SharedRequests,
): OpenedRequests => {
  const { credentials, authenticateWith: asker } = options
  const cluster = variable<O.Option<Cluster>>(O.none)
  const read = noting(way.access.cluster, cluster, shared)
  const watched = watch(cluster, read, warn)
  const access = { ...way.access, ...accessWith(credentials, read), cluster: read }
  const seen = nothingSeen()
  const openOwn = () => certificateSigningRequests({ ...access, warn, seen })
  // Credentials of an embedder are this rotation's alone.
  const common =
    way.sharedAs === undefined || credentials !== undefined ? undefined : shared?.of(way.sharedAs, access)
  const requests = shared === undefined ? openOwn() : onDemand(openOwn, common?.requests)
  const { expecting, follows } = way
  return {
    requests: asker === undefined ? requests : reporting(requests, asker),
    cluster,
    watched: watched.source,
    read,
    ...(expecting === undefined ? {} : { expected: fromCluster(expecting, way.access.cluster) }),
    ...(follows === undefined ? {} : { follows }),
    // With credentials of an embedder, what answered is the server of the kubeconfig, and not that of the bootstrap one.
    ...(follows === undefined || credentials !== undefined ? {} : { adopt: adopting(follows, read) }),
    close: () => {
      watched.close()
      requests.close()
      common?.leave()
    },
  }
}

/** Who follows the rotation hears of the new CA at once. */
const adopting = (
  { adopt }: Following,
  read: TaskEither<KubeconfigError, Cluster>,
): TaskEither<KubeconfigError, void> =>
  pipe(
    adopt,
    TE.chain(() => read),
    TE.map(() => undefined),
  )

/** The credentials that an embedder gives take the place of all that a kubeconfig names. */
const accessWith = (
  credentials: RotationOptions['credentials'],
  readCluster: Accesses['cluster'],
): Pick<Access, 'bootstrap' | 'external'> => {
  if (credentials === undefined) return {}
  const access: AccessSource = (signal) =>
    pipe(
      readCluster,
      TE.bindTo('cluster'),
      TE.bindW('credential', () => credentials.current(signal)),
      TE.map((found) => ({ ...found, wasRejected: credentials.wasRejected(found.credential) })),
    )
  return { bootstrap: access, external: access }
}

/** The cluster whenever it is read, told to those who follow it. */
const noting =
  (
    read: Accesses['cluster'],
    noted: Variable<O.Option<Cluster>>,
    shared: SharedRequests | undefined,
  ): TaskEither<KubeconfigError, Cluster> =>
  async () => {
    const found = await read()
    if (E.isLeft(found)) return found
    const cluster = shared?.one(found.right) ?? found.right
    const before = O.toUndefined(noted.current())
    if (before === undefined || !isSameCluster(before, cluster)) noted.set(O.some(cluster))
    return E.right(cluster)
  }

/** A rejection is told to the rotation whose certificate was rejected. */
const reporting = (requests: CertificateSigningRequests, asker: Asker): CertificateSigningRequests => {
  const told = <E extends { readonly _tag: string }, A>(task: TaskEither<E, A>): TaskEither<E, A> => {
    const credential = asker.credentials.current()
    return pipe(
      task,
      TE.mapLeft((problem) => {
        if (problem._tag === 'CredentialRejected' && O.isSome(credential))
          asker.reportRejected({ keyId: credential.value.certificate.keyId })
        return problem
      }),
    )
  }
  return {
    submit: (...call) => told(requests.submit(...call)),
    observe: (...call) => told(requests.observe(...call)),
    probe: (...call) => told(requests.probe(...call)),
  }
}

/** Whether what is written to the one path takes the place of what is read from the other. */
const isSamePlace = (written: string, read: string): boolean => {
  const place = join(realPath(dirname(written)), basename(written))
  return place === realPath(read) || resolve(written) === resolve(read)
}

const realPath = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
