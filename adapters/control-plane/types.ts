import type { IO } from 'fp-ts/lib/IO.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Binding, DeclaredNode } from '../../src/control-plane/index.js'
import type { Secret } from '../../src/model/secret.js'
import type { Instant, Milliseconds } from '../../src/model/time.js'
import type { Approver } from './approving.js'
import type { UserToken } from './authentication.js'
import type { Gate } from './controllers.js'
import type { ControlPlaneError } from './error.js'
import type { ControlPlaneEvent } from './event.js'
import type { rendered } from './signing-request.js'

export interface ControlPlaneOptions {
  /** TCP port on 127.0.0.1; 0, the default, for any that is free. */
  readonly port?: number
  /** The name in the URL that clients get, and in the serving certificate; `127.0.0.1` if not given. */
  readonly hostname?: string
  /**
   * Where to keep the authority and the bootstrap token, so that agents survive a restart, and where to write
   * `admin.kubeconfig`, `bootstrap.kubeconfig` and `ca.crt`. Everything is in memory if not given.
   */
  readonly dataDir?: string
  /** `--cluster-signing-duration`, ms; a year if not given. */
  readonly clusterSigningDuration?: Milliseconds
  /**
   * Nodes, and what their serving certificates may be for: requests for these are approved, others of them denied. They
   * are also served as Node objects, with these as their addresses. Without, serving certificates wait for
   * `kubectl certificate approve`.
   */
  readonly nodes?: ReadonlyArray<DeclaredNode>
  /** Addresses and DNS names of services, besides the API server's own: never a node's. kubeadm's 10.96.0.0/12 if not given. */
  readonly serviceAddresses?: ReadonlyArray<string>
  /** Whether the controller manager's approver runs; true if not given. */
  readonly autoApprove?: boolean
  /** An approver of your own: asked first; the controller manager's, if it runs, where that has no opinion. */
  readonly approver?: Approver
  /** The lifetime of a new authority, ms; ten years if not given. */
  readonly authorityLifetime?: Milliseconds
  /** How lifetimes are counted: as by Kubernetes 1.22 and later, the default, or as by 1.20. */
  readonly flavour?: '1.20' | '1.22'
  /** Who may do what; the default cluster roles if not given. */
  readonly bindings?: ReadonlyArray<Binding>
  /** Bearer tokens that count besides the bootstrap token, looked up for each request; none if not given. */
  readonly tokens?: IO<ReadonlyArray<UserToken>>
  /** The wall clock; the machine's if not given. */
  readonly now?: IO<Instant>
  /** Is told everything that happens. */
  readonly onEvent?: (event: ControlPlaneEvent) => void
}

/** A control plane that is running. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** The authority's certificate, PEM: for servers and for clients. */
  readonly authority: IO<string>
  /** A kubeconfig whose user may do everything; it contains a private key. */
  readonly adminKubeconfig: IO<string>
  /** A kubeconfig with the bootstrap token. */
  readonly bootstrapKubeconfig: IO<string>
  readonly bootstrapToken: Secret
  /** The stored requests as the API would show them, by name. */
  readonly requests: IO<ReadonlyArray<ReturnType<typeof rendered>>>
  /** Holds the approver back, or lets it go on with all that waits. */
  readonly approval: Gate
  /** Holds the signers back, or lets them go on with all that waits. */
  readonly signing: Gate
  /** Declares other nodes from now on; requests that wait are judged by them. */
  readonly declareNodes: (nodes: ReadonlyArray<DeclaredNode>) => void
  /** Runs the cleaner, which otherwise runs once an hour. */
  readonly clean: IO<void>
  /** Forgets what watches could be resumed from, as an API server does that starts again. */
  readonly compact: IO<void>
  /**
   * Takes a new authority at once, for the serving certificate and for what is signed from now on. Client certificates
   * of the old one go on counting when it is kept. Fails when the files cannot be written.
   */
  readonly replaceAuthority: (options: { readonly keepOld: boolean }) => TaskEither<ControlPlaneError, void>
  /** Ends open watches and connections, within a second. */
  readonly close: Task<void>
}
