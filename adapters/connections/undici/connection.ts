import { errorMonitor } from 'node:events'
import type { Duplex } from 'node:stream'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Following } from '../follow.js'
import type { Generation } from '../generation.js'
import { isWatch, type RequestLine } from '../long-lived.js'
import type { ContextOf } from '../options.js'
import { noticeAlert } from '../rejection.js'
import { addressOf, namedBy } from '../route.js'
import { tunnel, tunnelTimeout } from '../tunnel.js'
import { watching } from './observed-handler.js'

/** One connection to an origin, made with one generation. */
export interface Connection {
  readonly generation: Generation
  /** Requests under way; infinite for one that can take no other. */
  readonly load: IO<number>
  readonly dispatch: Dispatcher['dispatch']
  /** Ends when the requests under way have. */
  readonly close: () => Promise<void>
  readonly destroy: (error: Error | null) => Promise<void>
}

export interface ConnectionOptions {
  readonly client: Omit<Client.Options, 'connect'>
  readonly connect: buildConnector.BuildOptions
  readonly contextOf: ContextOf
}

export interface ConnectionEvents {
  /** It may take another request. */
  readonly onFree: () => void
  /** It is connected to nothing and nobody waits for it. */
  readonly onGone: (connection: Connection) => void
}

/** A request under way. */
interface Run {
  readonly line: RequestLine
  readonly complete: () => void
}

export const openConnection = (
  origin: string,
  following: Following,
  options: ConnectionOptions,
  { onFree, onGone }: ConnectionEvents,
): Connection => {
  const generation = following.current()
  const running = new Set<Run>()
  const upgraded = new WeakSet<Duplex>()
  const closing = new AbortController()
  let connected = false
  /** Requests that take the connection for themselves. */
  let alone = 0

  const address = addressOf(origin)
  const connect: buildConnector.connector = (target, callback) => {
    const route = following.routeTo(address)
    const connector = buildConnector({
      ...namedBy(route),
      ...options.connect,
      secureContext: options.contextOf(generation),
      maxCachedSessions: 0,
      allowH2: false,
    })
    if (route === undefined || O.isNone(route.proxyUrl)) return connector(target, callback)
    tunnel(route.proxyUrl.value, address, tunnelTimeout, closing.signal).then(
      (httpSocket) => connector({ ...target, httpSocket }, callback),
      (error: Error) => callback(error, null),
    )
  }
  const client = new Client(origin, {
    ...options.client,
    connect: (target, callback) => {
      const problem = generation.problem()
      if (problem !== undefined) {
        callback(problem, null)
        return
      }
      connect(target, (...[error, socket]) => {
        if (error !== null) {
          noticeAlert(error, generation.rejected)
          callback(error, null)
        } else {
          track(socket)
          callback(null, socket)
        }
      })
    },
  })

  const close = async () => {
    if (!client.closed && !client.destroyed) await client.close()
  }
  const destroy = async (error: Error | null) => {
    closing.abort()
    await client.destroy(error)
  }
  const track = (socket: Duplex) => {
    connected = true
    const leave = generation.enter({
      retire: () => {
        if (!upgraded.has(socket)) void close()
      },
      endStreams: () => {
        const streams = [...running].filter(({ line }) => following.longLived(line))
        for (const { line, complete } of streams) if (isWatch(line)) complete()
        if (upgraded.has(socket)) socket.destroy()
        else if (streams.length > 0) void destroy(ended('the grace period is over'))
      },
      destroy: () => {
        if (upgraded.has(socket)) socket.destroy()
        else void destroy(ended('it is about to expire'))
      },
    })
    socket.on(errorMonitor, (error) => noticeAlert(error, generation.rejected)).once('close', leave)
  }
  const settle = () => {
    if (running.size === 0 && !connected) onGone(connection)
    else onFree()
  }
  client.on('disconnect', () => {
    connected = false
    if (running.size === 0) settle()
  })

  const dispatch: Connection['dispatch'] = (request, handler) => {
    const isAlone = request.method === 'CONNECT' || Boolean(request.upgrade)
    const watched = watching(handler, {
      rejected: generation.rejected,
      upgraded: (socket) => upgraded.add(socket),
      finished: () => {
        if (!running.delete(run)) return
        if (isAlone) alone -= 1
        settle()
      },
    })
    const run: Run = {
      line: { method: request.method, path: pathOf(request) },
      complete: watched.complete,
    }
    running.add(run)
    if (isAlone) alone += 1
    return client.dispatch(request, watched.handler)
  }
  const load = () => (alone > 0 ? Number.POSITIVE_INFINITY : running.size)
  const connection = { generation, load, dispatch, close, destroy }
  return connection
}

const ended = (why: string): Error =>
  new Error(`the certificate of this connection was replaced, and ${why}; send the request again`)

const pathOf = ({ path, query }: Dispatcher.DispatchOptions): string =>
  query === undefined ? path : `${path}?${new URLSearchParams(query)}`
