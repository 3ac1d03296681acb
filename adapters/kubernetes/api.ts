import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type ApiError, failure, type Interrupted, interrupted } from '../../src/model/failure.js'
import type { Draft, OutstandingRequest } from '../../src/model/request.js'
import { type Milliseconds, minute, second } from '../../src/model/time.js'
import type { CertificateSigningRequests, Identity, Submission } from '../../src/ports.js'
import type { Signal } from '../../src/signal.js'
import type { Access, Cluster } from '../kubeconfig/cluster.js'
import { type Client, client, type Result } from './client.js'
import { connections } from './connection.js'
import { type Observer, observer } from './observe.js'
import { conditionFrom, csrClient, decodeRequest, isSameRequest, type Served } from './requests.js'
import { type Answer, refusal } from './response.js'
import { realSleep, type Sleep } from './sleep.js'
import { defaultTimeouts, type Timeouts } from './timeouts.js'
import { type Watches, watches } from './watches.js'

/** Where the API is, and how to talk to it. */
export interface CertificateSigningRequestsOptions {
  /** The API server for requests with the held certificate; run for each request, so that a new CA is seen. */
  readonly cluster: TE.TaskEither<ApiError, Cluster>
  /** Server and credential of the bootstrap kubeconfig; run for each request, since tokens are replaced. */
  readonly bootstrap?: TE.TaskEither<ApiError, Access>
  /** Server and credential of a rotation whose certificate is for something else. */
  readonly external?: TE.TaskEither<ApiError, Access>
  readonly timeouts?: Partial<Timeouts>
  /** How long the server is asked to hold a watch, in seconds; client-go's 300 to 600 by default, spread by uid. */
  readonly watchSeconds?: number
  /** How it waits between two polls of a request that may not be watched. */
  readonly sleep?: Sleep
  /** What somebody should know although nothing failed. */
  readonly warn?: (message: string) => void
  /** What was seen of the servers, where that is to outlive `close`. */
  readonly seen?: Seen
}

/** What is remembered of API servers. */
export interface Seen extends Served {
  /** Those whose `insecure-skip-tls-verify` was warned of. */
  insecure: ReadonlyArray<string>
}

/** Nothing seen yet. */
export const nothingSeen = (): Seen => ({ version: 'v1', insecure: noServers })

const noServers: ReadonlyArray<string> = []

interface Kept {
  readonly observing: Observer
  readonly failed: boolean
  readonly forgetting: NodeJS.Timeout
}

/** How long a failed observation is remembered: longer than any pause between two attempts. */
export const longestMemory: Milliseconds = 15 * minute

/** The CertificateSigningRequest API of a Kubernetes API server. */
export interface KubernetesApi extends CertificateSigningRequests {
  /** Closes the watch and all connections; whatever still waits ends with an error. Again is the same as once. */
  readonly close: IO<void>
}

/**
 * The CertificateSigningRequest API over HTTPS. Renewing a certificate costs two requests, create and watch: the watch
 * starts from the version that the creation was answered, and stays open from one observation to the next.
 */
export const certificateSigningRequests = (options: CertificateSigningRequestsOptions): KubernetesApi => {
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const { sleep = realSleep, warn = () => {}, seen = nothingSeen() } = options
  const pool = connections(timeouts.connect)
  /** Between two observations of a request, by its uid. */
  const observers = new Map<string, Kept>()
  const underWay = new Set<Observer>()
  /** By identity, while it watches something. */
  const watching = new Map<string, Watches>()

  /** Forgets what was observed of a request, unless it is taken up again in time. */
  const keep = (observing: Observer, failed: boolean, duration: Milliseconds): void => {
    const forget = () => {
      observing.close()
      observers.delete(observing.uid)
    }
    observers.set(observing.uid, { observing, failed, forgetting: setTimeout(forget, duration).unref() })
  }
  const take = (uid: string): Kept | undefined => {
    const kept = observers.get(uid)
    clearTimeout(kept?.forgetting)
    observers.delete(uid)
    return kept
  }

  const reach = async (
    identity: Identity,
  ): Result<{ readonly identity: string; readonly client: Client }> => {
    const access = await accessOf(options, identity)()
    if (E.isLeft(access)) return access
    const { server, insecureSkipTlsVerify } = access.right.cluster
    if (insecureSkipTlsVerify && !seen.insecure.includes(server)) {
      seen.insecure = [...seen.insecure, server]
      warn(`insecure-skip-tls-verify: whoever answers for ${server} is believed, and gets our token`)
    }
    const connection = pool.to(access.right)
    if (E.isLeft(connection)) return connection
    return E.right({
      identity: connection.right.identity,
      client: client(access.right, pool, timeouts),
    })
  }

  const submit = async (identity: Identity, draft: Draft, signal: Signal): Result<Submission> => {
    const reached = await reach(identity)
    if (E.isLeft(reached)) return reached
    const { hide } = reached.right.client
    const csrs = csrClient(reached.right.client, seen, warn)
    const created = await csrs.create(draft, signal)
    if (E.isLeft(created)) return created
    if (created.right.status === 200 || created.right.status === 201) return submission(created.right, hide)
    if (created.right.status !== 409) return E.left(refusal(created.right))

    const existing = await csrs.get(draft.name, signal)
    if (E.isLeft(existing)) return existing
    if (existing.right.status === 404 && existing.right.namesAnObject)
      return E.left(
        failure(
          'Unavailable',
          'soon',
          `${created.right.what}: the name was taken, and is free again`,
          'try again',
        ),
      )
    if (existing.right.status !== 200) return E.left(refusal(existing.right))
    const request = decodeRequest(existing.right.body, existing.right.what)
    if (E.isLeft(request)) return request
    return isSameRequest(request.right, draft)
      ? submission(existing.right, hide)
      : E.left(
          failure(
            'NameTaken',
            'soon',
            `${created.right.what}: ${draft.name} is there already, and is for another key`,
            'a new key will be tried under a new name; if it happens again, look who creates these requests',
          ),
        )
  }

  const observe = async (
    identity: Identity,
    request: OutstandingRequest,
    known: 'Pending' | 'Approved',
    signal: Signal,
  ) => {
    const reached = await reach(identity)
    if (E.isLeft(reached)) return reached
    const { client: use, identity: whose } = reached.right
    const kept = take(request.uid)
    const isSame = kept?.observing.identity === whose
    if (!isSame) kept?.observing.close()
    const observing = isSame ? kept.observing : newObserver(use, whose, request, kept?.failed === true)
    underWay.add(observing)
    const sight = await observing.observe(known, signal)
    underWay.delete(observing)
    // A watch stays open from one observation to the next, and a failure is remembered until it is tried again.
    if (E.isRight(sight)) {
      if (sight.right._tag === 'Approved') keep(observing, false, second)
    } else if (sight.left._tag !== 'Interrupted') keep(observing, true, longestMemory)
    return sight
  }

  const watchesOf = (identity: string): Watches => {
    const found = watching.get(identity) ?? watches(() => watching.delete(identity))
    watching.set(identity, found)
    return found
  }

  const newObserver = (
    use: Client,
    identity: string,
    request: OutstandingRequest,
    failedBefore: boolean,
  ): Observer => {
    const watchSeconds = options.watchSeconds ?? 300 + spread(request.uid, 300)
    const csrs = csrClient(use, seen, warn)
    return observer(
      {
        csrs,
        watches: { open: (...asked) => watchesOf(identity).open(...asked) },
        hide: use.hide,
        timeouts,
        watchSeconds,
        sleep,
        warn,
      },
      request,
      identity,
      failedBefore,
    )
  }

  const probe = async (identity: Identity, signal: Signal): Result<void> => {
    const reached = await reach(identity)
    if (E.isLeft(reached)) return reached
    // The cluster role system:discovery lets every authenticated user read it, and nobody else.
    const answer = await reached.right.client.ask('GET', '/apis/certificates.k8s.io', undefined, signal)
    if (E.isLeft(answer)) return answer
    return answer.right.status === 200 ? E.right(undefined) : E.left(refusal(answer.right))
  }

  /** Nothing is begun when the signal has been given already. */
  const unless =
    <A>(identity: Identity, signal: Signal, run: () => Result<A>) =>
    async () =>
      signal.aborted ? E.left(interrupted) : E.mapLeft(withCure(identity))(await run())

  return {
    submit: (identity, draft, signal) => unless(identity, signal, () => submit(identity, draft, signal)),
    observe: (identity, request, known, signal) =>
      unless(identity, signal, () => observe(identity, request, known, signal)),
    probe: (identity, signal) => unless(identity, signal, () => probe(identity, signal)),
    close: () => {
      for (const observing of underWay) observing.close()
      for (const uid of [...observers.keys()]) take(uid)?.observing.close()
      pool.close()
    },
  }
}

const accessOf = (
  { cluster, bootstrap, external }: CertificateSigningRequestsOptions,
  identity: Identity,
): TE.TaskEither<ApiError, Access> => {
  switch (identity._tag) {
    case 'Held': {
      const { pem, key } = identity.credential
      const credential = { token: O.none, clientCertificate: O.some({ pem, key }) }
      return TE.map((found: Cluster) => ({ cluster: found, credential }))(cluster)
    }
    case 'Bootstrap':
      return bootstrap ?? missing('bootstrap', 'supply a bootstrap kubeconfig')
    case 'External':
      return external ?? missing('external', 'supply a kubeconfig whose user may create these requests')
  }
}

/** What allows it to whom. */
const permissions: Readonly<Record<Identity['_tag'], string>> = {
  Bootstrap:
    'bind the cluster role system:node-bootstrapper to the group of the bootstrap token (system:bootstrappers)',
  Held: 'let its user create, get, list and watch certificatesigningrequests: for nodes the Node authorizer does (--authorization-mode=Node,RBAC), for others a cluster role and a binding of their own',
  External:
    'let the user of the kubeconfig create, get, list and watch certificatesigningrequests, by a cluster role and a binding',
}

const withCure =
  (identity: Identity) =>
  (error: ApiError | Interrupted): ApiError | Interrupted =>
    error._tag === 'Forbidden' ? { ...error, remedy: permissions[identity._tag] } : error

const missing = (name: string, cure: string): TE.TaskEither<ApiError, never> =>
  TE.left(
    failure(
      'NoCredential',
      'later',
      `authenticating to the API server: there is no ${name} credential`,
      cure,
    ),
  )

const submission = ({ body, what, date }: Answer, hide: Client['hide']): E.Either<ApiError, Submission> => {
  const request = decodeRequest(body, what)
  if (E.isLeft(request)) return request
  const { uid, resourceVersion } = request.right.metadata
  return E.right({ uid, resourceVersion, condition: conditionFrom(request.right, hide), serverTime: date })
}

/** A number from 0 to `limit` that is always the same for the same text. */
const spread = (text: string, limit: number): number =>
  [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003, 7) % limit
