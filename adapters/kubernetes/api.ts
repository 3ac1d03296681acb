import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type ApiError, failure, type Interrupted, interrupted } from '../../src/model/failure.js'
import type { CertificateSigningRequest, Draft, OutstandingRequest } from '../../src/model/request.js'
import { type Milliseconds, minute, second } from '../../src/model/time.js'
import type { CertificateSigningRequests, Identity, Submission } from '../../src/ports.js'
import type { Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { AccessSource, Cluster } from '../kubeconfig/cluster.js'
import { type ApiCall, type Client, client } from './client.js'
import { connections } from './connection.js'
import { type Observed, type Observer, observer } from './observe.js'
import { conditionFrom, csrClient, decodeRequest, isSameRequest, type Served } from './requests.js'
import { type ApiResponse, errorFrom } from './response.js'
import { realSleep, type Sleep } from './sleep.js'
import { defaultTimeouts, type Timeouts } from './timeouts.js'
import { type Watches, watches } from './watches.js'

/** Where the API is, and how to talk to it. */
export interface CertificateSigningRequestsOptions {
  /** The API server for requests with the held certificate; run for each request, so that a new CA is seen. */
  readonly cluster: TE.TaskEither<ApiError, Cluster>
  /** Server and credential of the bootstrap kubeconfig. */
  readonly bootstrap?: AccessSource
  /** Server and credential of a rotation whose certificate is for something else. */
  readonly external?: AccessSource
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

/** A way to the API server with one credential. */
interface Session {
  readonly identity: string
  readonly client: Client
  readonly wasRejected: IO<void>
}

/** How long a failed observation is remembered: longer than any pause between two attempts. */
export const longestMemory: Milliseconds = 15 * minute

/** The CertificateSigningRequest API of a Kubernetes API server. */
export interface KubernetesApi extends CertificateSigningRequests {
  /** Closes the watch and all connections; whatever still waits ends with an error. Idempotent. */
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

  const sessionOf = (identity: Identity, signal: Signal): ApiCall<Session> =>
    steps(async function* () {
      const access = yield* ok(accessOf(options, identity)(signal))
      const { server, insecureSkipTlsVerify } = access.cluster
      if (insecureSkipTlsVerify && !seen.insecure.includes(server)) {
        seen.insecure = [...seen.insecure, server]
        warn(`insecure-skip-tls-verify: whoever answers for ${server} is believed, and gets our token`)
      }
      const connection = yield* ok(pool.to(access))
      return {
        identity: connection.identity,
        client: client(access, pool, timeouts),
        wasRejected: access.wasRejected ?? (() => {}),
      }
    })

  /** Nothing is begun when the signal has been given already. */
  const asking = <A>(identity: Identity, signal: Signal, ask: (session: Session) => ApiCall<A>): ApiCall<A> =>
    TE.mapLeft(withCure(identity))(async () =>
      signal.aborted ? E.left(interrupted) : askAgain(identity, signal, ask)(),
    )

  /** Asks, and once more at once when the server rejected the credential and there is another by then. */
  const askAgain = <A>(
    identity: Identity,
    signal: Signal,
    ask: (session: Session) => ApiCall<A>,
  ): ApiCall<A> =>
    steps(async function* () {
      const session = yield* ok(sessionOf(identity, signal))
      const outcome = await ask(session)()
      const isRejected = E.isLeft(outcome) && outcome.left._tag === 'CredentialRejected'
      if (!isRejected || identity._tag === 'Held') return yield* ok(outcome)
      session.wasRejected()
      const next = yield* ok(sessionOf(identity, signal))
      return yield* ok(next.identity === session.identity ? outcome : ask(next))
    })

  const submit = ({ client: use }: Session, draft: Draft, signal: Signal): ApiCall<Submission> =>
    steps(async function* () {
      const { redact } = use
      const csrs = csrClient(use, seen, warn)
      const created = yield* ok(csrs.create(draft, signal))
      if (created.status === 200 || created.status === 201) return yield* ok(submission(created, redact))
      if (created.status !== 409) return yield* fail(errorFrom(created))

      const found = yield* ok(csrs.get(draft.name, signal))
      if (found.status === 404 && found.namesAnObject)
        return yield* fail(
          failure(
            'Unavailable',
            'soon',
            `${created.what}: the name was taken, and is free again`,
            'try again',
          ),
        )
      if (found.status !== 200) return yield* fail(errorFrom(found))
      const request = yield* ok(decodeRequest(found.body, found.what))
      if (isSameRequest(request, draft)) return yield* ok(submission(found, redact))
      return yield* fail(
        failure(
          'NameTaken',
          'soon',
          `${created.what}: ${draft.name} is there already, and is for another key`,
          'a new key will be tried under a new name; if it happens again, look who creates these requests',
        ),
      )
    })

  const observe =
    (
      { client: use, identity: whose }: Session,
      request: OutstandingRequest,
      known: 'Pending' | 'Approved',
      signal: Signal,
    ): ApiCall<Observed> =>
    async () => {
      const kept = take(request.uid)
      const isSame = kept?.observing.identity === whose
      if (!isSame) kept?.observing.close()
      const observing = isSame ? kept.observing : newObserver(use, whose, request, kept?.failed === true)
      underWay.add(observing)
      const observed = await observing.observe(known, signal)()
      underWay.delete(observing)
      // A watch stays open from one observation to the next, and a failure is remembered until it is tried again.
      if (E.isRight(observed)) {
        if (observed.right._tag === 'Approved') keep(observing, false, second)
      } else if (observed.left._tag !== 'Interrupted') keep(observing, true, longestMemory)
      return observed
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
        redact: use.redact,
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

  const probe = ({ client: use }: Session, signal: Signal): ApiCall<void> =>
    steps(async function* () {
      // The cluster role system:discovery lets every authenticated user read it, and nobody else.
      const response = yield* ok(use.ask('GET', '/apis/certificates.k8s.io', undefined, signal))
      if (response.status !== 200) yield* fail(errorFrom(response))
    })

  return {
    submit: (identity, draft, signal) =>
      asking(identity, signal, (session) => submit(session, draft, signal)),
    observe: (identity, request, known, signal) =>
      asking(identity, signal, (session) => observe(session, request, known, signal)),
    probe: (identity, signal) => asking(identity, signal, (session) => probe(session, signal)),
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
): AccessSource => {
  switch (identity._tag) {
    case 'Held': {
      const { pem, key } = identity.credential
      const credential = { token: O.none, clientCertificate: O.some({ pem, key }), expiresAt: O.none }
      return () => TE.map((found: Cluster) => ({ cluster: found, credential }))(cluster)
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

const missing =
  (name: string, cure: string): AccessSource =>
  () =>
    TE.left(
      failure(
        'NoCredential',
        'later',
        `authenticating to the API server: there is no ${name} credential`,
        cure,
      ),
    )

const submission = (
  { body, what, date }: ApiResponse,
  redact: Client['redact'],
): E.Either<ApiError, Submission> =>
  E.map((request: CertificateSigningRequest): Submission => {
    const { uid, resourceVersion } = request.metadata
    return { uid, resourceVersion, condition: conditionFrom(request, redact), serverTime: date }
  })(decodeRequest(body, what))

/** A number from 0 to `limit` that is always the same for the same text. */
const spread = (text: string, limit: number): number =>
  [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003, 7) % limit
