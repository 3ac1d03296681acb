import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import { Socket } from 'node:net'
import * as tls from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { type ApiError, failure } from '../../src/model/failure.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import type { ClientCredential } from '../../src/ports.js'
import { checkKey, credentialOf } from '../connections/check.js'
import { asError, connectionFailure } from '../connections/failure.js'
import { newGeneration, type OwnedGeneration } from '../connections/generation.js'
import { followingAgent } from '../connections/https.js'
import { isLongLived } from '../connections/long-lived.js'
import { addressOf, knownAs } from '../connections/route.js'
import { tunnel } from '../connections/tunnel.js'
import type { Access, Cluster } from '../kubeconfig/cluster.js'

/** A way to the API server all of whose connections carry one credential. */
export interface Connection {
  /** The same for the same server, trust and credential; tells nothing about them. */
  readonly identity: string
  readonly agent: Agent
}

/** The connections of one client. */
export interface Connections {
  /**
   * The connection for an access. When it is another one than before, the connections before it are retired as by
   * `follow`: idle ones close at once, busy ones when their request has ended, and a watch after a grace period.
   */
  readonly to: (access: Access) => E.Either<ApiError, Connection>
  readonly close: IO<void>
}

/** Long enough from one request of an attempt to the next: what comes later is minutes away, and a fleet has thousands. */
const idleSocketTimeout = 5 * second

/** How long a watch may go on beside the connections of another access. */
const grace = 30 * second

/**
 * One generation for each access, and not `follow`: a certificate that has expired by our clock is offered still, since
 * the server's may differ, and each is bound to its own server and token.
 */
export const connections = (connectTimeout: Milliseconds): Connections => {
  let current: (Connection & { readonly generation: OwnedGeneration }) | undefined
  let closing: AbortController | undefined
  let forgetting: NodeJS.Timeout | undefined
  /** What TLS needs is as large as everything else that a rotation holds: it goes when nothing is connected any more. */
  const forgetWhenIdle = () => {
    clearTimeout(forgetting)
    forgetting = setTimeout(() => {
      forgetting = undefined
      if (current?.generation.connections() === 0) current = undefined
      else forgetWhenIdle()
    }, 2 * idleSocketTimeout).unref()
  }
  return {
    to: (access) => {
      const identity = identityOf(access)
      forgetWhenIdle()
      if (current?.identity === identity) return E.right(current)
      const generation = generationFor(access)
      if (E.isLeft(generation)) return generation
      current?.generation.supersede(grace)
      closing ??= new AbortController()
      const agent = followingAgent(
        { current: () => generation.right, longLived: isLongLived },
        agentTo(access.cluster, connectTimeout, closing.signal),
      )
      current = { identity, agent, generation: generation.right }
      return E.right(current)
    },
    close: () => {
      clearTimeout(forgetting)
      // An agent knows nothing of a tunnel before it is there.
      closing?.abort()
      closing = undefined
      current?.agent.destroy()
      current = undefined
    },
  }
}

const identityOf = ({ cluster, credential }: Access): string => {
  const certificate = O.toUndefined(credential.clientCertificate)
  const key = certificate?.key
  const parts = [
    cluster.server,
    O.toNullable(cluster.certificateAuthority),
    O.toNullable(cluster.tlsServerName),
    cluster.insecureSkipTlsVerify,
    O.toUndefined(cluster.proxyUrl)?.reveal(),
    O.toUndefined(credential.token)?.reveal(),
    certificate?.pem,
    key?._tag === 'Pem' ? key.pem.reveal() : key,
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

const generationFor = ({ cluster, credential }: Access): E.Either<ApiError, OwnedGeneration> => {
  const { server, certificateAuthority } = cluster
  if (!isHttps(server))
    return E.left(
      failure(
        'NoCredential',
        'later',
        `connecting to ${server}: it is no https URL`,
        'give the server as https://HOST:PORT',
      ),
    )
  // The request that meets a rejection tells it.
  return E.map((certificate: OwnedGeneration['credential']) =>
    newGeneration(certificate, certificateAuthority, () => {}),
  )(certificateIn(credential))
}

const isHttps = (server: string): boolean => URL.canParse(server) && new URL(server).protocol === 'https:'

const certificateIn = ({
  clientCertificate,
}: ClientCredential): E.Either<ApiError, OwnedGeneration['credential']> => {
  if (O.isNone(clientCertificate)) return E.right(O.none)
  const { pem, key } = clientCertificate.value
  if (key._tag === 'NotUsableHere')
    return E.left(
      failure(
        'NoCredential',
        'later',
        `TLS cannot use the private key of the certificate here: ${key.reason}`,
        "authenticate with another credential: policy: { authenticateWith: 'external' }, and a kubeconfig with it",
      ),
    )
  return pipe(
    credentialOf(pem, key),
    E.chain(checkKey),
    E.bimap(
      ({ message }) =>
        failure(
          'NoCredential',
          'later',
          message,
          'supply a certificate and its own key in PEM, or a key that TLS can use here',
        ),
      O.some,
    ),
  )
}

/** How connections to a cluster are opened. */
const agentTo = (
  { server, tlsServerName, insecureSkipTlsVerify, proxyUrl }: Cluster,
  timeout: Milliseconds,
  closing: AbortSignal,
): Agent => {
  const address = addressOf(server)
  const agent = new Agent({
    keepAlive: true,
    maxCachedSessions: 0,
    timeout: idleSocketTimeout,
    ...knownAs(O.getOrElse(() => address.host)(tlsServerName)),
    rejectUnauthorized: !insecureSkipTlsVerify,
    ALPNProtocols: ['http/1.1'],
  })
  // A path would mean a socket of this machine.
  agent.createConnection = ({ path: _, ...options }, callback) => {
    const connect = (more: { readonly socket?: Socket } = {}) =>
      bounded(tls.connect({ ...options, ...address, ...more }), timeout)
    if (O.isNone(proxyUrl)) return connect()
    tunnel(proxyUrl.value, address, timeout, closing).then(
      (socket) => callback?.(null, connect({ socket })),
      // Node looks at the error alone, its types want a socket as well.
      (error: Error) => callback?.(error, new Socket()),
    )
    return undefined
  }
  return agent
}

/** Gives up a connection whose TLS handshake has not ended in time. */
const bounded = (socket: tls.TLSSocket, timeout: Milliseconds): tls.TLSSocket => {
  const timer = setTimeout(() => {
    socket.destroy(
      asError(connectionFailure('CONNECT_TIMEOUT', `there was no connection within ${timeout} ms`)),
    )
  }, timeout)
  const settle = () => clearTimeout(timer)
  // A dead peer is noticed within minutes also while a watch waits.
  return socket
    .setKeepAlive(true, 30 * second)
    .once('secureConnect', settle)
    .once('close', settle)
}
