import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import type { RequestLine } from './long-lived.js'
import { overhear } from './overhear.js'
import { noticeAlert, noticeStatus } from './rejection.js'

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

/**
 * An HTTP/2 client to one server (`https://host:port`) whose sessions follow a credential: a session takes no new
 * stream after a change, and closes when its streams have ended.
 */
export const http2Client = (
  following: Following,
  authority: string | URL,
  options: SecureClientSessionOptions = {},
): Http2Client => {
  const streams = new WeakMap<ClientHttp2Session, Set<ClientHttp2Stream>>()
  const open = new Map<ClientHttp2Session, Generation>()

  const openSession = (generation: Generation): ClientHttp2Session => {
    const session = connect(authority, {
      ...options,
      ALPNProtocols: ['h2'],
      secureContext: generation.context,
    })
    open.set(session, generation)
    const leave = generation.enter({
      retire: () => closeGently(session),
      endStreams: () => {
        for (const stream of streams.get(session) ?? [])
          if (following.longLived(lineOf(stream))) stream.close(constants.NGHTTP2_CANCEL)
      },
      destroy: () => session.destroy(),
    })
    return session
      .on('error', (error) => noticeAlert(error, generation.rejected))
      .once('close', () => {
        open.delete(session)
        leave()
      })
  }

  const current = (): readonly [ClientHttp2Session, Generation] => {
    const generation = following.current()
    for (const [session, its] of open)
      if (its === generation && !session.closed && !session.destroyed) return [session, generation]
    return [openSession(generation), generation]
  }

  return {
    session: () => current()[0],
    request: (headers, requestOptions) => {
      const [session, generation] = current()
      const stream = session.request(headers, requestOptions)
      const running = streams.get(session) ?? new Set()
      streams.set(session, running.add(stream))
      return stream
        .once('close', () => running.delete(stream))
        .once('response', (answer) => {
          const notice = noticeStatus(Number(answer[':status']), generation.rejected)
          if (notice !== undefined) overhear(stream, notice)
        })
    },
    close: async () => {
      await Promise.all(
        [...open.keys()].map(
          (session) =>
            new Promise<void>((resolve) => {
              session.once('close', resolve)
              closeGently(session)
            }),
        ),
      )
    },
    destroy: () => {
      for (const session of open.keys()) session.destroy()
    },
  }
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
