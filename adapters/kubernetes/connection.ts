import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import { isIP, Socket } from 'node:net'
import * as tls from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { type ApiError, failure } from '../../src/failure.js'
import { type Milliseconds, second } from '../../src/time.js'
import type { Access, Cluster, Credential } from './access.js'
import { asError, breakdown, breakdownOf } from './breakdown.js'
import { tunnel } from './tunnel.js'

/** A way to the API server all of whose connections carry one credential. */
export interface Connection {
  /** The same for the same server, trust and credential; tells nothing about them. */
  readonly identity: string
  readonly agent: Agent
}

/** The connections of one client. */
export interface Connections {
  /**
   * The connection for an access. When it is another one than before, the idle sockets of the one before are closed
   * and its busy ones close when their request has ended. No TLS session is ever resumed: a resumed one keeps the
   * client certificate of the first handshake.
   */
  readonly to: (access: Access) => E.Either<ApiError, Connection>
  readonly close: IO<void>
}

/** Less than what API servers keep idle connections for (90 s), so that we hardly meet one that is just being closed. */
const idleSocketTimeout = 30 * second

export const connections = (connectTimeout: Milliseconds): Connections => {
  let current: Connection | undefined
  return {
    to: (access) => {
      const identity = identityOf(access)
      if (current?.identity === identity) return E.right(current)
      if (!isHttps(access.cluster.server))
        return E.left(
          failure(
            'NoCredential',
            'later',
            `connecting to ${access.cluster.server}: it is no https URL`,
            'give the server as https://HOST:PORT',
          ),
        )
      const context = secureContext(access)
      if (E.isLeft(context)) return context
      if (current !== undefined) retire(current.agent)
      current = { identity, agent: agentTo(access.cluster, context.right, connectTimeout) }
      return E.right(current)
    },
    close: () => {
      current?.agent.destroy()
      current = undefined
    },
  }
}

const isHttps = (server: string): boolean => URL.canParse(server) && new URL(server).protocol === 'https:'

const retire = (agent: Agent): void => {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
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

const secureContext = ({ cluster, credential }: Access): E.Either<ApiError, tls.SecureContext> => {
  const certificate = certificateOptions(credential)
  if (E.isLeft(certificate)) return certificate
  try {
    const ca = O.isSome(cluster.certificateAuthority) ? { ca: cluster.certificateAuthority.value } : {}
    return E.right(tls.createSecureContext({ minVersion: 'TLSv1.2', ...ca, ...certificate.right }))
  } catch (error) {
    return unusable(`they do not fit together, or cannot be read: ${breakdownOf(error).code}`)
  }
}

const certificateOptions = ({
  clientCertificate,
}: Credential): E.Either<ApiError, tls.SecureContextOptions> => {
  if (O.isNone(clientCertificate)) return E.right({})
  const { pem: cert, key } = clientCertificate.value
  if (key._tag === 'NotUsableHere') return unusable(key.reason)
  return E.right(
    key._tag === 'Pem'
      ? { cert, key: key.pem.reveal() }
      : { cert, privateKeyEngine: key.engine, privateKeyIdentifier: key.identifier },
  )
}

const unusable = (reason: string): E.Either<ApiError, never> =>
  E.left(
    failure(
      'NoCredential',
      'later',
      `using the client certificate and its key for TLS: ${reason}`,
      'supply a certificate and its own key in PEM, or a key that TLS can use here',
    ),
  )

const agentTo = (cluster: Cluster, context: tls.SecureContext, timeout: Milliseconds): Agent => {
  const { hostname, port } = new URL(cluster.server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: port === '' ? 443 : Number(port) }
  const name = O.getOrElse(() => host)(cluster.tlsServerName)
  const options: tls.ConnectionOptions = {
    ...address,
    // RFC 6066, 3: an IP address is no server name.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    rejectUnauthorized: !cluster.insecureSkipTlsVerify,
    secureContext: context,
    ALPNProtocols: ['http/1.1'],
  }
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0, timeout: idleSocketTimeout })
  agent.createConnection = ({ signal }, callback) => {
    if (O.isNone(cluster.proxyUrl)) return bounded(tls.connect(options), timeout)
    const target = `${hostname}:${address.port}`
    tunnel(cluster.proxyUrl.value, target, timeout, signal).then(
      (socket) => callback?.(null, bounded(tls.connect({ ...options, socket }), timeout)),
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
    socket.destroy(asError(breakdown('CONNECT_TIMEOUT', `there was no connection within ${timeout} ms`)))
  }, timeout)
  const settle = () => clearTimeout(timer)
  // A dead peer is noticed within minutes also while a watch waits.
  return socket
    .setKeepAlive(true, 30 * second)
    .once('secureConnect', settle)
    .once('close', settle)
}
