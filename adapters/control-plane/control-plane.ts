/** Puts the parts together: authority, storage, API over HTTPS, controllers, files. */
import { X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Binding, defaultBindings } from '../../src/control-plane/index.js'
import { type Secret, secret } from '../../src/secret.js'
import { day, hour, type Instant, instant, type Milliseconds } from '../../src/time.js'
import type { Authority } from '../crypto/index.js'
import { newAuthority, newPair, type Pair } from './authority.js'
import { type Gate, startControllers } from './controllers.js'
import { adminKubeconfig, bootstrapKubeconfig, isBootstrapToken, newBootstrapToken } from './credentials.js'
import * as dataDirectory from './data-directory.js'
import { authorityUnusable, type ControlPlaneError, dataDirectoryUnusable } from './error.js'
import type { ControlPlaneEvent } from './event.js'
import { listen, stopListening } from './listening.js'
import { requestReader } from './request-reader.js'
import { requestsApi } from './requests.js'
import { route } from './router.js'
import { apiServer, type Trust, tlsOptions } from './server.js'
import { rendered } from './signing-request.js'
import { memoryStorage } from './storage.js'

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
  /** Whether the controller manager's approver runs; true if not given. */
  readonly autoApprove?: boolean
  /** The lifetime of a new authority, ms; ten years if not given. */
  readonly authorityLifetime?: Milliseconds
  /** How lifetimes are counted: as by Kubernetes 1.22 and later, the default, or as by 1.20. */
  readonly flavour?: '1.20' | '1.22'
  /** Who may do what; the default cluster roles if not given. */
  readonly bindings?: ReadonlyArray<Binding>
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
  /** Runs the cleaner, which otherwise runs once an hour. */
  readonly clean: IO<void>
  /** Forgets what watches could be resumed from, as an API server does that starts again. */
  readonly compact: IO<void>
  /**
   * Takes a new authority at once, for the serving certificate and for what is signed from now on. Client certificates
   * of the old one go on counting when it is kept. Fails when the files cannot be written.
   */
  readonly replaceAuthority: (options: {
    readonly keepOld: boolean
  }) => TE.TaskEither<ControlPlaneError, void>
  /** Ends open watches and connections, within a second. */
  readonly close: Task<void>
}

/** What an authority brings with it. */
interface Identity {
  readonly authority: Authority
  readonly serving: Pair
  readonly admin: Pair
}

const identityOf = (
  authority: Authority,
  hostname: string,
  now: Instant,
): TE.TaskEither<ControlPlaneError, Identity> => {
  const isAddress = /^[\d.]+$|:/.test(hostname)
  const serverNames = {
    commonName: 'kube-apiserver',
    dnsNames: [...new Set(['localhost', ...(isAddress ? [] : [hostname])])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...(isAddress ? [hostname] : [])])],
  }
  const adminNames = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }
  const usages = (purpose: string): ReadonlyArray<string> => [
    'digital signature',
    'key encipherment',
    purpose,
  ]
  return async () => {
    const serving = await newPair(authority, now, serverNames, usages('server auth'))()
    if (E.isLeft(serving)) return E.left(authorityUnusable(serving.left.message))
    const admin = await newPair(authority, now, adminNames, usages('client auth'))()
    if (E.isLeft(admin)) return E.left(authorityUnusable(admin.left.message))
    return E.right({ authority, serving: serving.right, admin: admin.right })
  }
}

const freshAuthority = (now: Instant, lifetime: Milliseconds): TE.TaskEither<ControlPlaneError, Authority> =>
  TE.mapLeft(({ message }: { readonly message: string }) => authorityUnusable(message))(
    newAuthority(now, lifetime),
  )

/**
 * Starts a CertificateSigningRequest API on 127.0.0.1 over HTTPS, with the approver, signers and cleaner of a
 * controller manager. Fails when it cannot listen, or when the data directory cannot be used.
 */
export const startControlPlane =
  (options: ControlPlaneOptions = {}): TE.TaskEither<ControlPlaneError, ControlPlane> =>
  async () => {
    const {
      hostname = '127.0.0.1',
      dataDir,
      authorityLifetime = 3_650 * day,
      bindings = defaultBindings,
      now = () => instant(Date.now()),
      onEvent = () => {},
    } = options

    const kept = await restored(dataDir)()
    if (E.isLeft(kept)) return kept
    const authority =
      kept.right.authority === undefined
        ? await freshAuthority(now(), authorityLifetime)()
        : E.right(kept.right.authority)
    if (E.isLeft(authority)) return authority
    const first = await identityOf(authority.right, hostname, now())()
    if (E.isLeft(first)) return first
    const token = kept.right.token ?? newBootstrapToken()
    const bootstrapToken = secret(token)

    const state: { identity: Identity; trust: Trust } = {
      identity: first.right,
      trust: { authorities: [new X509Certificate(first.right.authority.pem)], bootstrapToken },
    }

    const storage = memoryStorage(now())
    const read = requestReader()
    const requests = requestsApi(storage, read, now)
    const trustedPems = (): ReadonlyArray<string> => state.trust.authorities.map((one) => one.toString())
    const server = apiServer(tlsOptions(state.identity.serving, trustedPems()), {
      route: route({ requests, bindings, now }),
      bindings,
      trust: () => state.trust,
      now,
      tell: onEvent,
    })
    const listening = await listen(server, options.port ?? 0)()
    if (E.isLeft(listening)) return listening
    const port = listening.right
    const url = `https://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`

    const adminText = (): string => adminKubeconfig(url, state.identity.authority.pem, state.identity.admin)
    const bootstrapText = (): string => bootstrapKubeconfig(url, state.identity.authority.pem, token)
    const save = (): TE.TaskEither<ControlPlaneError, void> =>
      dataDir === undefined
        ? TE.right(undefined)
        : saved(dataDir, state.identity.authority, token, adminText(), bootstrapText())

    const firstSave = await save()()
    if (E.isLeft(firstSave)) {
      await stopListening(server)()
      return firstSave
    }

    const controllers = startControllers({
      storage,
      read,
      now,
      tell: onEvent,
      bindings,
      authority: () => state.identity.authority,
      signingDuration: options.clusterSigningDuration ?? 8_760 * hour,
      flavour: options.flavour ?? '1.22',
      autoApprove: options.autoApprove ?? true,
    })

    return E.right({
      url,
      port,
      authority: () => state.identity.authority.pem,
      adminKubeconfig: adminText,
      bootstrapKubeconfig: bootstrapText,
      bootstrapToken,
      requests: () => storage.list().map(rendered),
      approval: controllers.approval,
      signing: controllers.signing,
      clean: controllers.clean,
      compact: storage.compact,
      replaceAuthority:
        ({ keepOld }) =>
        async () => {
          const fresh = await freshAuthority(now(), authorityLifetime)()
          if (E.isLeft(fresh)) return fresh
          const identity = await identityOf(fresh.right, hostname, now())()
          if (E.isLeft(identity)) return identity
          const old = keepOld ? state.trust.authorities : []
          state.identity = identity.right
          state.trust = { authorities: [new X509Certificate(fresh.right.pem), ...old], bootstrapToken }
          server.setSecureContext(tlsOptions(identity.right.serving, trustedPems()))
          return save()()
        },
      close: async () => {
        controllers.stop()
        await stopListening(server)()
      },
    })
  }

interface Kept {
  readonly authority: Authority | undefined
  readonly token: string | undefined
}

/** What an earlier control plane left in the data directory. */
const restored =
  (dataDir: string | undefined): TE.TaskEither<ControlPlaneError, Kept> =>
  async () => {
    if (dataDir === undefined) return E.right({ authority: undefined, token: undefined })
    const prepared = await dataDirectory.prepare(dataDir)()
    if (E.isLeft(prepared)) return prepared
    const authority = await dataDirectory.readAuthority(dataDir)()
    if (E.isLeft(authority)) return authority
    const token = await dataDirectory.readBootstrapToken(dataDir)()
    if (E.isLeft(token)) return token
    return token.right === undefined || isBootstrapToken(token.right)
      ? E.right({ authority: authority.right, token: token.right })
      : E.left(dataDirectoryUnusable(`the bootstrap token in ${dataDir} is none`))
  }

const saved =
  (
    dataDir: string,
    authority: Authority,
    token: string,
    admin: string,
    bootstrap: string,
  ): TE.TaskEither<ControlPlaneError, void> =>
  async () => {
    const { files, write } = dataDirectory
    const contents = [
      // The key first: a certificate without its key would be taken for no authority, and replaced.
      [files.authorityKey, authority.key.reveal()],
      [files.authority, authority.pem],
      [files.bootstrapToken, `${token}\n`],
      [files.adminKubeconfig, admin],
      [files.bootstrapKubeconfig, bootstrap],
    ] as const
    for (const [name, text] of contents) {
      const written = await write(dataDir, name, text)()
      if (E.isLeft(written)) return written
    }
    return E.right(undefined)
  }
