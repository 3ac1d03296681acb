/** The real adapters, opened, where an embedder brings none of its own. */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { keyring } from '../../src/driver/keyring.js'
import { load } from '../../src/driver/load.js'
import type { Ports } from '../../src/driver/perform.js'
import type { Held, RequestedRotation } from '../../src/machine/facts.js'
import { expired } from '../../src/model/certificate.js'
import { failure, type StoreError } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import type {
  CertificateSigningRequests,
  CertificateStore,
  Clock,
  Identity,
  TrustAnchors,
} from '../../src/ports.js'
import { type Source, type Variable, variable } from '../connections/source.js'
import { cryptoBackend } from '../crypto/index.js'
import { type Answerer, openCertificateDirectory } from '../filesystem/index.js'
import {
  type AccessSource,
  accessFromKubeconfig,
  type CertificateSigningRequestsOptions,
  type Cluster,
  certificateSigningRequests,
  clusterFromKubeconfig,
  type KubeconfigError,
  type KubernetesApi,
  nothingSeen,
  onDemand,
} from '../kubernetes/index.js'
import { defaultAccess } from './default-access.js'
import { type Accesses, bootstrapFrom, type Following, following } from './kubeconfigs.js'
import { type Asker, type InvalidOptions, invalid, prefixOf, type RotationOptions } from './options.js'
import { fromBundle, fromCluster } from './trust.js'
import { openWindows } from './windows.js'

/** Everything a rotation stands on. */
export interface Parts {
  readonly ports: Ports
  /** Why the certificate is to be replaced at once; none: that can wait for its time. */
  readonly replace: O.Option<RequestedRotation['why']>
  /** The API server, as the kubeconfig said when it was last read; none: it cannot be read, or there is none. */
  readonly cluster: Source<O.Option<Cluster>>
  /** Reads the kubeconfig for it. */
  readonly read: TaskEither<KubeconfigError, Cluster>
  /** Lets go of the directory and the connections. */
  readonly close: Task<void>
}

export type PartsError = InvalidOptions | StoreError | KubeconfigError

/** What rotations may share. */
export interface Shared {
  readonly clock: Clock
  /** Absent: a rotation has its requests to itself. */
  readonly requests?: SharedRequests
}

/** Opens what the options name. */
export const openParts =
  (
    options: RotationOptions,
    policy: RotationPolicy,
    shared: Shared,
    answerer: Answerer,
  ): TaskEither<PartsError, Parts> =>
  async () => {
    const { clock } = shared
    const crypto = options.ports?.crypto ?? cryptoBackend
    const opened = await openStore(options, answerer)()
    if (E.isLeft(opened)) return opened
    const { store, release } = opened.right
    const reached = await openRequests(options, policy, shared)()
    if (E.isLeft(reached)) {
      await release()
      return reached
    }
    const { requests, follows, adopt, cluster, read, close } = reached.right
    // Who follows the rotation may connect before it has anything to ask. What is wrong is told by the first request.
    await read?.()
    const letGo: Task<void> = async () => {
      close()
      await release()
    }
    const { clientCertificateAuthority: bundle } = options
    const trust =
      options.ports?.trust ??
      (bundle === undefined ? reached.right.expected : fromBundle(bundle, warnWith(options)))
    const windows = options.ports?.windows ?? openWindows(options.renewalWindows, policy, read, clock)
    if (windows !== undefined && 'message' in windows) {
      await letGo()
      return E.left(windows)
    }
    const ports = {
      clock,
      crypto,
      store,
      requests,
      ...(trust === undefined ? {} : { trust }),
      ...(adopt === undefined ? {} : { adoptCluster: adopt }),
      ...(windows === undefined ? {} : { windows }),
    }
    // What a store of the embedder's has is in no file that a kubeconfig could name.
    const leadsSomewhere = options.ports?.store !== undefined || follows?.leadsSomewhere === true
    const replace =
      follows === undefined ? E.right(O.none) : await takeOver(ports, { ...follows, leadsSomewhere })()
    if (E.isLeft(replace)) {
      await letGo()
      return replace
    }
    return E.right({ ports, replace: replace.right, cluster, read: read ?? noCluster, close: letGo })
  }

/** With `ports.requests` nobody says where the API is. */
const noCluster: TaskEither<KubeconfigError, Cluster> = TE.left(
  failure(
    'NoCredential',
    'later',
    'this rotation does not know where the API is',
    'give it a kubeconfig in place of ports.requests',
  ),
)

const openStore = (
  options: RotationOptions,
  answerer: Answerer,
): TaskEither<PartsError, { readonly store: CertificateStore; readonly release: Task<void> }> => {
  const { ports, certDir } = options
  if (ports?.store !== undefined) return TE.right({ store: ports.store, release: async () => {} })
  if (certDir === undefined)
    return TE.left(invalid('certDir is missing', 'name the directory for keys and certificates'))
  return pipe(
    openCertificateDirectory({ directory: certDir, prefix: prefixOf(options), answerer }),
    TE.map((directory) => ({ store: directory, release: directory.release })),
  )
}

/** A listener that throws is its owner's trouble: a port that threw with it would end the rotation. */
export const warnWith =
  ({ onWarning }: RotationOptions) =>
  (message: string): void => {
    try {
      onWarning?.(message)
    } catch {
      // Nothing to be done here.
    }
  }

interface Reached {
  readonly requests: CertificateSigningRequests
  /** The kubeconfig that follows the certificate, where there is one. */
  readonly follows?: Following
  /** Takes the cluster of the bootstrap kubeconfig into it. */
  readonly adopt?: TaskEither<KubeconfigError, void>
  /** The CA that its client certificates probably chain to. */
  readonly expected?: TrustAnchors
  readonly cluster: Source<O.Option<Cluster>>
  /** Reads it anew. */
  readonly read?: Accesses['cluster']
  readonly close: () => void
}

const openRequests = (
  options: RotationOptions,
  policy: RotationPolicy,
  { clock, requests: shared }: Shared,
): TaskEither<PartsError, Reached> => {
  const { ports, kubeconfig, bootstrapKubeconfig, certDir, authenticateWith: asker } = options
  if (ports?.requests !== undefined)
    return TE.right({ requests: ports.requests, cluster: variable(O.none), close: () => {} })
  const warn = warnWith(options)
  const over = (given: AccessTasks, name?: string) => {
    const cluster = variable<O.Option<Cluster>>(O.none)
    const read = noting(given.cluster, cluster, shared)
    const access = { ...given, ...accessWith(options.credentials, read), cluster: read }
    const seen = nothingSeen()
    const open = () => certificateSigningRequests({ ...access, warn, seen })
    const own = shared === undefined ? open() : onDemand(open)
    const common =
      asker === undefined && options.credentials === undefined ? shared?.of(name, access) : undefined
    return common === undefined
      ? { requests: own, cluster, read: access.cluster, close: own.close }
      : {
          requests: byIdentity(own, common.requests),
          cluster,
          read: access.cluster,
          close: () => {
            own.close()
            common.leave()
          },
        }
  }
  const sharedAs = bootstrapKubeconfig === undefined ? undefined : `bootstrap ${resolve(bootstrapKubeconfig)}`
  const overAndExpecting = (source: string, access: Accesses, name = sharedAs) => ({
    ...over(access, name),
    expected: fromCluster(source, access.cluster),
  })
  if (asker !== undefined) {
    const reached = over({ cluster: asker.cluster, external: () => asker.access })
    return TE.right({ ...reached, requests: reporting(reached.requests, asker) })
  }
  const where = bootstrapKubeconfig ?? kubeconfig
  const external = policy.authenticateWith === 'external'
  if (where === undefined) {
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
      external
        ? over({ cluster, external: access }, `external ${name}`)
        : overAndExpecting(name, { cluster, bootstrap: access }, `bootstrap ${name}`),
    )
  }
  if (external) {
    const path = kubeconfig ?? where
    return TE.right(
      over(
        { cluster: clusterFromKubeconfig(path), external: accessFromKubeconfig(path, { warn }) },
        `external ${resolve(path)}`,
      ),
    )
  }
  if (kubeconfig === undefined || certDir === undefined)
    return TE.right(
      overAndExpecting(`kubeconfig ${where}`, {
        cluster: clusterFromKubeconfig(where),
        bootstrap: bootstrapFrom(bootstrapKubeconfig, warn),
      }),
    )
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
    TE.map((follows) => {
      const reached = overAndExpecting(`kubeconfig ${kubeconfig}`, follows)
      // Who follows the rotation hears of the new CA at once.
      const adopt = pipe(
        follows.adopt,
        TE.chain(() => reached.read),
        TE.map(() => undefined),
      )
      // With credentials of the embedder's, what answered is the server of the kubeconfig, and not that of the bootstrap one.
      return options.credentials === undefined ? { ...reached, follows, adopt } : { ...reached, follows }
    }),
  )
}

/** The credentials that an embedder gives take the place of all that a kubeconfig names. */
const accessWith = (
  credentials: RotationOptions['credentials'],
  readCluster: Accesses['cluster'],
): Pick<CertificateSigningRequestsOptions, 'bootstrap' | 'external'> => {
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

type AccessTasks = Partial<CertificateSigningRequestsOptions> & Pick<Accesses, 'cluster'>

/** Requests with a credential that several rotations have in common: connections and watches are shared. */
export interface SharedRequests {
  /** The requests with the credential of this name; undefined: there is none to share. */
  readonly of: (
    name: string | undefined,
    access: AccessTasks,
  ) => { readonly requests: CertificateSigningRequests; readonly leave: () => void } | undefined
  /** The same cluster, in one copy for all: its CAs are as large as what is known of a rotation. */
  readonly one: (cluster: Cluster) => Cluster
}

export const sharedRequests = (): SharedRequests => {
  const open = new Map<string, { readonly requests: KubernetesApi; users: number }>()
  let last: Cluster | undefined
  return {
    one: (cluster) => {
      if (last === undefined || !isSameCluster(last, cluster)) last = cluster
      return last
    },
    of: (name, access) => {
      if (name === undefined) return undefined
      const found = open.get(name) ?? { requests: certificateSigningRequests(access), users: 0 }
      found.users += 1
      open.set(name, found)
      const leave = () => {
        found.users -= 1
        if (found.users > 0) return
        open.delete(name)
        found.requests.close()
      }
      return { requests: found.requests, leave }
    },
  }
}

/** The cluster whenever it is read, told to those who follow it. */
const noting = (
  read: Accesses['cluster'],
  noted: Variable<O.Option<Cluster>>,
  shared: SharedRequests | undefined,
): TaskEither<KubeconfigError, Cluster> =>
  TE.map((found: Cluster) => {
    const cluster = shared?.one(found) ?? found
    const before = O.toUndefined(noted.current())
    if (before === undefined || !isSameCluster(before, cluster)) noted.set(O.some(cluster))
    return cluster
  })(read)

const isSameCluster = (one: Cluster, other: Cluster): boolean =>
  one.server === other.server &&
  one.insecureSkipTlsVerify === other.insecureSkipTlsVerify &&
  O.toUndefined(one.certificateAuthority) === O.toUndefined(other.certificateAuthority) &&
  O.toUndefined(one.tlsServerName) === O.toUndefined(other.tlsServerName) &&
  O.toUndefined(one.proxyUrl)?.reveal() === O.toUndefined(other.proxyUrl)?.reveal()
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

/** What goes out with the certificate itself goes its own way. */
const byIdentity = (
  own: CertificateSigningRequests,
  common: CertificateSigningRequests,
): CertificateSigningRequests => {
  const way = ({ _tag }: Identity) => (_tag === 'Held' ? own : common)
  return {
    submit: (identity, ...rest) => way(identity).submit(identity, ...rest),
    observe: (identity, ...rest) => way(identity).observe(identity, ...rest),
    probe: (identity, ...rest) => way(identity).probe(identity, ...rest),
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

/**
 * A certificate that the kubeconfig brings along goes into a store that has none; either way the kubeconfig points to
 * the store from then on, so that nobody goes on with the first certificate when it has been renewed (kubernetes
 * 99645). Where the store has one, but not where the kubeconfig points (`kubelet-client.crt` and `.key`), that of the
 * kubeconfig goes before it, as with a kubelet.
 */
const takeOver =
  (
    { store, crypto, clock }: Ports,
    { pair, leadsSomewhere, follow }: Following,
  ): TaskEither<PartsError, O.Option<RequestedRotation['why']>> =>
  async () => {
    if (O.isNone(pair) && leadsSomewhere) return E.right(O.none)
    const now = clock.now()
    const found = await load({ store, crypto, clock }, keyring())()
    const usable =
      E.isRight(found) && O.exists(({ certificate }: Held) => !expired(certificate, now))(found.right.held)
    if (O.isNone(pair))
      return E.right(usable ? O.some('there is no certificate where the kubeconfig points') : O.none)
    if (E.isLeft(found)) return found
    const needed = !usable || !leadsSomewhere
    if (needed) {
      const chain = await crypto.parseChain(pair.value.pem)()
      // The kubeconfig counts as usable only when its certificate could be read and belongs to its key.
      if (E.isLeft(chain)) return E.right(O.none)
      const stored = await store.install({ ...chain.right, key: pair.value.key, receivedAt: now })()
      if (E.isLeft(stored)) return stored
    }
    const followed = await follow()
    return E.isLeft(followed)
      ? followed
      : E.right(needed ? O.some('the certificate came from the kubeconfig') : O.none)
  }
