import * as tls from 'node:tls'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Milliseconds } from '../../src/model/time.js'
import { runAt } from '../platform/timer.js'
import { contextOptions } from './check.js'
import type { Credential } from './source.js'

/** How far before the end of their certificate the last connections are closed, ms. */
const margin = 1_000

/** A connection, as far as the change of a certificate concerns it; each HTTP stack spells this in its own way. */
export interface Connection {
  /** A successor of its certificate is there: take no new request, close at once or when the running ones are done. */
  readonly retire: IO<void>
  /** The grace period is over: end what would go on for long. */
  readonly endStreams: IO<void>
  /** Its certificate is about to expire: close now. */
  readonly destroy: IO<void>
}

/** What TLS connections are made with, from its arrival until that of its successor. */
export interface Generation {
  readonly credential: O.Option<Credential>
  /** The trusted CAs, those of the overlap included. */
  readonly trust: O.Option<string>
  /** For servers. A function, so that printing shows no key. */
  readonly options: IO<tls.SecureContextOptions>
  readonly context: tls.SecureContext
  /** Why no connection is to be made with it; undefined: one may. */
  readonly problem: IO<Error | undefined>
  /** Given when there is a successor. A stream that takes it as its signal reconnects by itself. */
  readonly superseded: AbortSignal
  /** Counts a connection until the answer is called, and tells it when it is over. */
  readonly enter: (connection: Connection) => IO<void>
  /** A server rejected the certificate; `reason` is for people. */
  readonly rejected: (reason: string) => void
}

/** A generation with what only its owner may do. */
export interface OwnedGeneration extends Generation {
  readonly connections: IO<number>
  /** Retires all connections; what is long-lived gets `grace` ms, and nothing outlives the certificate. */
  readonly supersede: (grace: Milliseconds) => void
}

/** A rejection is told at most once in this time, ms: fifty workers see the same one. */
const rejectionInterval = 1_000

/** For clients (RFC 8996), also in a process that was told to be content with less. */
export const minVersion = tls.DEFAULT_MIN_VERSION === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2'

export const newGeneration = (
  credential: O.Option<Credential>,
  trust: O.Option<string>,
  onRejected: (keyId: string, reason: string) => void,
  problem: Generation['problem'] = () => undefined,
): OwnedGeneration => {
  // An empty text would mean Node's own CAs; an empty list means none.
  const ca = O.isNone(trust) ? {} : { ca: trust.value === '' ? [] : trust.value }
  const options = () => ({ ...contextOptions(credential), ...ca })
  const abort = new AbortController()
  const connections = new Set<Connection>()
  let toldAt = Number.NEGATIVE_INFINITY
  let graceUntil = Number.POSITIVE_INFINITY
  let disarm: (() => void) | undefined

  /** Sees to it, as long as there are connections, that they end in time. */
  const arm = () => {
    const end = O.isNone(credential)
      ? Number.POSITIVE_INFINITY
      : credential.value.certificate.notAfter - margin
    const endStreams = runAt(Math.min(graceUntil, end), () => {
      for (const connection of [...connections]) connection.endStreams()
    })
    const destroy = runAt(end, () => {
      for (const connection of [...connections]) connection.destroy()
    })
    disarm = () => {
      endStreams()
      destroy()
      disarm = undefined
    }
  }

  return {
    credential,
    trust,
    options,
    context: tls.createSecureContext({ minVersion, ...options() }),
    problem,
    superseded: abort.signal,
    enter: (connection) => {
      connections.add(connection)
      if (abort.signal.aborted) {
        // Its handshake was under way when the successor came.
        connection.retire()
        if (disarm === undefined) arm()
      }
      return () => {
        connections.delete(connection)
        if (connections.size === 0) disarm?.()
      }
    },
    rejected: (reason) => {
      if (O.isNone(credential) || performance.now() - toldAt < rejectionInterval) return
      toldAt = performance.now()
      onRejected(credential.value.certificate.keyId, reason)
    },
    connections: () => connections.size,
    supersede: (grace) => {
      graceUntil = Date.now() + grace
      abort.abort()
      for (const connection of [...connections]) connection.retire()
      if (connections.size > 0) arm()
    },
  }
}
