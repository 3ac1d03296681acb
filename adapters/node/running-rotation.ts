import type * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Transition } from '../../src/describe/transition.js'
import type { Rotation } from '../../src/driver/rotation.js'
import type { Facts } from '../../src/machine/facts.js'
import type { State } from '../../src/machine/state.js'
import type { Metrics } from '../../src/metrics/metrics.js'
import type { Failure, StoreError } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import type { CertificateTemplate } from '../../src/model/template.js'
import type { Source, Sources } from '../connections/source.js'
import type { Access, Cluster, KubeconfigError } from '../kubernetes/index.js'
import type { Credential } from './credential.js'

/** A rotation at work. */
export interface RunningRotation {
  /** The certificate to use now; undefined while there is none that has not expired. */
  readonly current: () => Credential | undefined
  /**
   * The certificate in use, as soon as one works, is stored, and is what is wanted (one for another name is not, unless
   * rotation is switched off and it stays); `Stopped` when the rotation ends before.
   */
  readonly issuedTask: TaskEither<StoreError | Stopped, Credential>
  /** The same as a promise; it rejects with an `Error` that has a `code`. */
  readonly issued: () => Promise<Credential>
  /** What happens from now on; ends with the rotation. */
  readonly transitions: () => AsyncIterableIterator<Transition>
  readonly state: () => State
  /** Everything that is known: what the state and the next action follow from. */
  readonly facts: () => Facts
  /** What it is doing, why, and what comes next: a few sentences for people. */
  readonly explain: () => string
  /** Wants another certificate from now on, or none until told. */
  readonly setTemplate: (template: CertificateTemplate | undefined) => void
  /** Renews now, although there is no need; `trustChanged`: because the cluster's CA did. */
  readonly rotateNow: (why?: 'requested' | 'trustChanged') => void
  /** Tells that a server rejected this credential: 401, 403 for system:anonymous, or a TLS alert about it. */
  readonly reportRejected: (rejection: {
    readonly keyId: string
    /** What the server said, for people. */
    readonly reason?: string
  }) => void
  /** The credential and its changes, for what follows it: `follow(rotation)`. */
  readonly credentials: Rotation['credentials']
  /**
   * The cluster's CAs, PEM, as the kubeconfig said when it was last read: within ten seconds of a change while somebody
   * follows, otherwise with the next request.
   */
  readonly trust: Source<O.Option<string>>
  /** How to get to the API server, as the kubeconfig said when it was last read. */
  readonly route: NonNullable<Sources['route']>
  /** `https://host:port` of the API server, as the kubeconfig says; undefined where none is named. */
  readonly server: () => string | undefined
  /** The API server as the kubeconfig says now. */
  readonly cluster: TaskEither<KubeconfigError, Cluster>
  /** The API server and the certificate in use, for requests with it; an error while there is none. */
  readonly access: TaskEither<KubeconfigError, Access>
  readonly policy: RotationPolicy
  /** What can be measured of it: counters since it was started, and how things stand now. */
  readonly metrics: () => Metrics
  /** Hears of what follows it, so that its connections are counted: `follow(rotation)` says so. */
  readonly followed: NonNullable<Sources['followed']>
  /** Ends it, and waits for its end, ten seconds at most (a disk may not answer); the certificate and a request under way stay on disk. */
  readonly stopTask: Task<void>
  /** The same as a promise; it never rejects. */
  readonly stop: () => Promise<void>
  /** Why the rotation ended; only a store that cannot be read makes it end by itself. */
  readonly endedTask: TaskEither<StoreError, void>
  /** The same as a promise; it rejects with an `Error` that has a `code`. */
  readonly ended: Promise<void>
}

export type Stopped = Failure<'Stopped'>
