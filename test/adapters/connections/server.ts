import { createHash } from 'node:crypto'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { SecureVersion, TLSSocket } from 'node:tls'
import type { Pki } from './pki.js'

/** A connection as the server saw it. */
export interface Seen {
  /** Serial number of the client certificate; empty: none. */
  readonly serial: string
  readonly resumed: boolean
  readonly protocol: string
  /** The paths asked for, in order. */
  readonly paths: Array<string>
  closed: boolean
}

export interface Recorder {
  readonly url: string
  readonly port: number
  readonly server: Http2SecureServer
  readonly connections: Array<Seen>
  /** Serial numbers of the certificates, one for each request whose path begins like this, in order of arrival. */
  readonly serials: (path?: string) => ReadonlyArray<string>
  /** Open connections. */
  readonly open: () => number
  /** Requests that were not answered at once, by path: `/held/…` and watches. */
  readonly held: Map<string, Http2ServerResponse>
  readonly close: () => Promise<void>
}

export interface RecorderOptions {
  readonly tls?: SecureVersion | undefined
  /** Closes connections that have had no request for so many ms. */
  readonly idle?: number
  /** Called before the handshake of each connection. */
  readonly onHandshake?: () => void
  /** What counts as the path of a request; all of it if not given. */
  readonly pathOf?: ((url: string) => string) | undefined
  /** Answers true when it has taken the request. */
  readonly respond?: (request: Http2ServerRequest, response: Http2ServerResponse, serial: string) => boolean
}

/**
 * A server that records, connection by connection, which client certificate it saw, over HTTP/1.1 and HTTP/2. It answers
 * with the serial number; `/held/…` when the test does; a watch (`watch=true`) gets one line, and more from the test; an
 * upgrade (RFC 6455 where it is a WebSocket) is accepted and echoed. Session tickets are on, as they are by default.
 */
export const recorder = async (
  pki: Pick<Pki, 'ca' | 'server'>,
  options: RecorderOptions = {},
): Promise<Recorder> => {
  const connections: Array<Seen> = []
  /** By the client's port: what HTTP/2 hands out as a socket is none. */
  const byPort = new Map<number | undefined, { readonly seen: Seen; readonly socket: TLSSocket }>()
  const requests: Array<{ readonly path: string; readonly serial: string }> = []
  const held = new Map<string, Http2ServerResponse>()
  const sockets = new Set<TLSSocket>()
  const version = options.tls === undefined ? {} : { minVersion: options.tls, maxVersion: options.tls }
  const server = createSecureServer({
    allowHTTP1: true,
    cert: pki.server.pem,
    key: pki.server.key,
    ca: pki.ca,
    requestCert: true,
    rejectUnauthorized: false,
    ...version,
  })
  server.on('connection', () => options.onHandshake?.())
  server.on('secureConnection', (socket: TLSSocket) => {
    const seen: Seen = {
      serial: serialOf(socket),
      resumed: socket.isSessionReused(),
      protocol: socket.getProtocol() ?? '',
      paths: [],
      closed: false,
    }
    connections.push(seen)
    byPort.set(socket.remotePort, { seen, socket })
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      seen.closed = true
      sockets.delete(socket)
    })
  })
  const note = (port: number | undefined, path: string): Seen | undefined => {
    const seen = byPort.get(port)?.seen
    seen?.paths.push(path)
    requests.push({ path, serial: seen?.serial ?? '' })
    return seen
  }
  const closeWhenIdle = (port: number | undefined, count: number | undefined) => {
    if (options.idle === undefined) return
    setTimeout(() => {
      const connection = byPort.get(port)
      if (connection?.seen.paths.length === count) connection?.socket.end()
    }, options.idle)
  }
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const { remotePort } = request.socket
    const path = options.pathOf?.(request.url) ?? request.url
    const seen = note(remotePort, path)
    response.on('finish', () => closeWhenIdle(remotePort, seen?.paths.length))
    response.on('error', () => {})
    if (options.respond?.(request, response, seen?.serial ?? '')) return
    request.resume()
    if (path !== request.url) response.setHeader('content-type', 'text/plain')
    if (path.startsWith('/held/')) held.set(path, response)
    else if (path.includes('watch=true')) {
      held.set(path, response)
      response.write('{"type":"BOOKMARK"}\n')
    } else response.end(seen?.serial ?? '')
  })
  server.on('upgrade', (request, socket) => {
    note(request.socket.remotePort, request.url ?? '')
    const { upgrade = '', 'sec-websocket-key': key, 'sec-websocket-protocol': protocols } = request.headers
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const webSocket = [
      `Sec-WebSocket-Accept: ${accept}`,
      `Sec-WebSocket-Protocol: ${protocols?.split(',')[0]}`,
    ]
    const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${upgrade}`]
    socket.write([...head, ...(key === undefined ? [] : webSocket), '', ''].join('\r\n'))
    socket.pipe(socket)
  })
  server.on('sessionError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = addressOf(server)
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    server,
    connections,
    serials: (path = '/') =>
      requests.filter((request) => request.path.startsWith(path)).map(({ serial }) => serial),
    open: () => sockets.size,
    held,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

const serialOf = (socket: TLSSocket): string =>
  socket.getPeerX509Certificate()?.serialNumber.toLowerCase().padStart(4, '0') ?? ''

export const addressOf = (server: { readonly address: () => AddressInfo | string | null }): AddressInfo => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  return address
}
