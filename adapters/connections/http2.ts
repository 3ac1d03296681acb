import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { Socket } from 'node:net'
import { Duplex, PassThrough, pipeline } from 'node:stream'
import * as O from 'fp-ts/lib/Option.js'
import { misuse } from '../platform/options.js'
import { tapBody } from './body-tap.js'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import type { RequestLine } from './long-lived.js'
import { contextsWith, demandFollowing, refuseMisspelt, refuseOfClient, settings } from './options.js'
import { noticeAlert, noticeStatus } from './rejection.js'
import { addressOf, namedBy, type Route } from './route.js'
import { tunnel, tunnelTimeout } from './tunnel.js'

/** What `node:http2`'s sessions offer, over as many sessions as it takes. */
export interface Http2Client {
  /** Sends a request on the current session; opens one when there is none. */
  readonly request: (
    headers?: OutgoingHttpHeaders,
    options?: ClientSessionRequestOptions,
  ) => ClientHttp2Stream
  /** The session that the next request will be sent on. For its events and settings; it is another one after a change. */
  readonly session: () => ClientHttp2Session
  /** Ends when the requests under way have. Later requests open a session again. */
  readonly close: () => Promise<void>
  /** Ends at once. */
  readonly destroy: () => void
}

/** A session, what it was made with, and its streams under way. */
interface Session {
  readonly generation: Generation
  readonly session: ClientHttp2Session
  readonly streams: Set<ClientHttp2Stream>
}

/** What may be misspelt. */
const known = [
  'settings',
  'timeout',
  'servername',
  'rejectUnauthorized',
  'checkServerIdentity',
  'lookup',
  'peerMaxConcurrentStreams',
  'maxSessionMemory',
  'maxSendHeaderBlockLength',
  'maxHeaderListPairs',
  ...settings,
] as const satisfies ReadonlyArray<keyof SecureClientSessionOptions>

/**
 * An HTTP/2 client to one server (`https://host:port`) whose sessions follow a credential: a session takes no new
 * stream after a change, and closes when its streams have ended. Throws for options that would have no effect (certificate,
 * key and CAs above all) or are misspelt.
 */
export const http2Client = (
  following: Following,
  authority: string | URL,
  options: SecureClientSessionOptions = {},
): Http2Client => {
  demandFollowing('http2Client', following)
  refuseOfClient('http2Client', options)
  refuseMisspelt('http2Client', options, known)
  if (options.createConnection !== undefined)
    throw misuse(
      'createConnection in the options of http2Client would make connections without the certificate',
      'leave it out',
    )
  const contextOf = contextsWith('http2Client', options)
  const open = new Set<Session>()
  const address = addressOf(authority)

  /** What Node is to take in place of a connection of its own. */
  const connectionTo = (route: Route | undefined, problem: Error | undefined, closing: AbortSignal) => {
    if (problem !== undefined) return { createConnection: () => new Socket().destroy(problem) }
    if (route === undefined || O.isNone(route.proxyUrl)) return {}
    return { socket: later(tunnel(route.proxyUrl.value, address, tunnelTimeout, closing)) }
  }

  const openSession = (generation: Generation): Session => {
    const problem = generation.problem()
    const route = following.routeTo(address)
    const closing = new AbortController()
    const session = connect(authority, {
      ...namedBy(route),
      ...options,
      ALPNProtocols: ['h2'],
      secureContext: contextOf(generation),
      ...connectionTo(route, problem, closing.signal),
    })
    const streams = new Set<ClientHttp2Stream>()
    const opened = { generation, session, streams }
    open.add(opened)
    const leave = generation.enter({
      retire: () => closeGently(session),
      endStreams: () => {
        for (const stream of streams)
          if (following.longLived(lineOf(stream))) stream.close(constants.NGHTTP2_CANCEL)
      },
      destroy: () => session.destroy(),
    })
    session
      .on('error', (error) => noticeAlert(error, generation.rejected))
      .once('close', () => {
        closing.abort()
        open.delete(opened)
        leave()
      })
    return opened
  }

  const current = (): Session => {
    const generation = following.current()
    for (const opened of open)
      if (opened.generation === generation && !opened.session.closed && !opened.session.destroyed)
        return opened
    return openSession(generation)
  }

  return {
    session: () => current().session,
    request: (headers, requestOptions) => {
      const { generation, session, streams } = current()
      const stream = session.request(headers, requestOptions)
      streams.add(stream)
      return stream
        .on('close', () => streams.delete(stream))
        .on('response', (answer) => {
          const notice = noticeStatus(Number(answer[':status']), generation.rejected)
          if (notice !== undefined) tapBody(stream, notice)
        })
    },
    close: async () => {
      await Promise.all(
        [...open].map(
          ({ session }) =>
            new Promise<void>((resolve) => {
              session.once('close', resolve)
              closeGently(session)
            }),
        ),
      )
    },
    destroy: () => {
      for (const { session } of open) session.destroy()
    },
  }
}

/** A connection that is there before its socket: a session is wanted at once, and a tunnel takes its time. */
const later = (opened: Promise<Socket>): Duplex => {
  const [sent, received] = [new PassThrough(), new PassThrough()]
  const duplex = Duplex.from({ readable: received, writable: sent })
  opened.then(
    (socket) => pipeline(sent, socket, received, () => {}),
    (error: Error) => duplex.destroy(error),
  )
  return duplex
}

/** Closes a session when its streams have ended, those included whose headers are still to be sent. */
const closeGently = (session: ClientHttp2Session): void => {
  if (session.connecting) session.once('connect', () => closeGently(session))
  else setImmediate(() => session.close())
}

const lineOf = ({ sentHeaders }: ClientHttp2Stream): RequestLine => ({
  method: String(sentHeaders?.[':method'] ?? 'GET'),
  path: String(sentHeaders?.[':path'] ?? '/'),
})
