/** What a rotation stands on: the real adapters, opened, where an embedder brings none of its own. */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Ports } from '../../src/driver/perform.js'
import type { RequestedRotation } from '../../src/machine/facts.js'
import { failure, type StoreError } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import type { CertificateStore, Clock } from '../../src/ports.js'
import { ok, steps } from '../../src/steps.js'
import { cryptoBackend } from '../crypto/index.js'
import { type Answerer, openCertificateDirectory } from '../filesystem/index.js'
import type { Cluster, KubeconfigError } from '../kubernetes/index.js'
import { type InvalidOptions, invalid, prefixOf, type RotationOptions } from './options.js'
import { type OpenedRequests, openRequests } from './requests.js'
import type { SharedRequests } from './shared-requests.js'
import { takeOver } from './take-over.js'
import { fromBundle } from './trust.js'
import { openWindows } from './windows.js'

/** The ports of a rotation, open until they are closed. */
export interface OpenedPorts extends Pick<OpenedRequests, 'cluster' | 'watched'> {
  readonly ports: Ports
  /** Why the certificate is to be replaced at once; none: that can wait for its time. */
  readonly replace: O.Option<RequestedRotation['why']>
  /** Reads the kubeconfig for the API server. */
  readonly read: TaskEither<KubeconfigError, Cluster>
  /** Lets go of the directory and the connections. */
  readonly close: Task<void>
}

/** Why a rotation cannot start. Whatever goes wrong later is told as a transition and tried again. */
export type StartError = InvalidOptions | StoreError | KubeconfigError

/** What rotations may share. */
export interface Shared {
  readonly clock: Clock
  /** Absent: a rotation has its requests to itself. */
  readonly requests?: SharedRequests
}

/** Opens what the options name; what was opened before something fails is closed again. */
export const openPorts = (
  options: RotationOptions,
  policy: RotationPolicy,
  { clock, requests: shared }: Shared,
  answerer: Answerer,
  warn: (message: string) => void,
): TaskEither<StartError, OpenedPorts> =>
  steps(async function* () {
    const { store, release } = yield* ok(openStore(options, answerer))
    const opened = yield* ok(orElse(release, openRequests(options, policy, clock, warn, shared)))
    const close: Task<void> = async () => {
      opened.close()
      await release()
    }
    const joined = yield* ok(orElse(close, join(options, policy, clock, store, opened, warn)))
    return {
      ...joined,
      cluster: opened.cluster,
      watched: opened.watched,
      read: opened.read ?? noCluster,
      close,
    }
  })

/** Where a step fails, something is undone. */
const orElse = <E, A>(undo: Task<void>, step: TaskEither<E, A>): TaskEither<E, A> =>
  pipe(
    step,
    TE.orElseFirstTaskK(() => undo),
  )

const join = (
  options: RotationOptions,
  policy: RotationPolicy,
  clock: Clock,
  store: CertificateStore,
  { requests, read, expected, follows, adopt }: OpenedRequests,
  warn: (message: string) => void,
): TaskEither<StartError, Pick<OpenedPorts, 'ports' | 'replace'>> =>
  steps(async function* () {
    // Who follows the rotation may connect before it has anything to ask. What is wrong is told by the first request.
    await read?.()
    const { ports: given, clientCertificateAuthority: bundle } = options
    const trust = given?.trust ?? (bundle === undefined ? expected : fromBundle(bundle, warn))
    const windows = given?.windows ?? (yield* ok(openWindows(options.renewalWindows, policy, read, clock)))
    const ports: Ports = {
      clock,
      crypto: given?.crypto ?? cryptoBackend,
      store,
      requests,
      ...(trust === undefined ? {} : { trust }),
      ...(adopt === undefined ? {} : { adoptCluster: adopt }),
      ...(windows === undefined ? {} : { windows }),
    }
    if (follows === undefined) return { ports, replace: O.none }
    // What a store of the embedder's has is in no file that a kubeconfig could name.
    const leadsSomewhere = given?.store !== undefined || follows.leadsSomewhere
    return { ports, replace: yield* ok(takeOver(ports, { ...follows, leadsSomewhere })) }
  })

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
): TaskEither<StartError, { readonly store: CertificateStore; readonly release: Task<void> }> => {
  const { ports, certDir } = options
  if (ports?.store !== undefined) return TE.right({ store: ports.store, release: async () => {} })
  if (certDir === undefined)
    return TE.left(invalid('certDir is missing', 'name the directory for keys and certificates'))
  return pipe(
    openCertificateDirectory({ directory: certDir, prefix: prefixOf(options), answerer }),
    TE.map((directory) => ({ store: directory, release: directory.release })),
  )
}
