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
import { tapBody } from './body-tap.js'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import type { RequestLine } from './long-lived.js'
import { refuseOwn } from './options.js'
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

/** A session, what it was made with, and its streams under way. */
interface Session {
  readonly generation: Generation
  readonly session: ClientHttp2Session
  readonly streams: Set<ClientHttp2Stream>
}

/**
 * An HTTP/2 client to one server (`https://host:port`) whose sessions follow a credential: a session takes no new
 * stream after a change, and closes when its streams have ended. Throws for a certificate, key or CAs in the options.
 */
export const http2Client = (
  following: Following,
  authority: string | URL,
  options: SecureClientSessionOptions = {},
): Http2Client => {
  refuseOwn('http2Client', options)
  const open = new Set<Session>()

  const openSession = (generation: Generation): Session => {
    const problem = generation.problem()
    const session = connect(authority, {
      ...options,
      ALPNProtocols: ['h2'],
      secureContext: generation.context,
      ...(problem === undefined ? {} : { createConnection: () => new Socket().destroy(problem) }),
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

/** Closes a session when its streams have ended, those included whose headers are still to be sent. */
const closeGently = (session: ClientHttp2Session): void => {
  if (session.connecting) session.once('connect', () => closeGently(session))
  else setImmediate(() => session.close())
}

const lineOf = ({ sentHeaders }: ClientHttp2Stream): RequestLine => ({
  method: String(sentHeaders?.[':method'] ?? 'GET'),
  path: String(sentHeaders?.[':path'] ?? '/'),
})
