import type { IncomingMessage, ServerResponse } from 'node:http'
import { request as httpsRequest, createServer as tlsServer } from 'node:https'
import { createServer, type Socket } from 'node:net'
import { type SecureContextOptions, TLSSocket } from 'node:tls'
import type { TlsOptions } from '../../adapters/node/index.js'
import { listen } from './tcp-proxy.js'

/** A request on its way to the API. */
export interface Exchange {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly isWatch: boolean
  readonly body: Buffer
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Sends it on, and answers what comes back. */
  readonly forward: () => Promise<IncomingMessage>
  /** Ends the connection with a TCP reset. */
  readonly reset: () => void
}

/** What becomes of a request. */
export type HttpFault = (exchange: Exchange) => void

export interface Gateway {
  readonly port: number
  /** The requests that came, faulty or not. */
  readonly seen: ReadonlyArray<{ readonly method: string; readonly path: string }>
  /** From now on; none: everything is sent on. */
  readonly set: (fault: HttpFault | undefined) => void
  /** What the server shows from now on, and how it speaks TLS. */
  readonly serve: (tls: SecureContextOptions) => void
  readonly stop: () => Promise<void>
}

export interface GatewayOptions {
  readonly tls: SecureContextOptions
  /** The API behind it, and its CA. */
  readonly target: { readonly port: number; readonly ca: string }
  /** A client certificate cannot be passed on without its key: that of the certificate with this serial number. */
  readonly keyOf: (serialNumber: string) => TlsOptions | undefined
}

/** Ends TLS in front of an API server, passes requests on in the caller's name, and answers what it likes. */
export const gateway = async ({ tls, target, keyOf }: GatewayOptions): Promise<Gateway> => {
  let fault: HttpFault | undefined
  const seen: Array<{ readonly method: string; readonly path: string }> = []
  const sockets = new Map<number, Socket>()

  const server = tlsServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    async (request, response) => {
      const { method = 'GET', url: path = '/' } = request
      seen.push({ method, path })
      request.on('error', () => {})
      response.on('error', () => {})
      const chunks: Array<Buffer> = []
      try {
        for await (const chunk of request) chunks.push(Buffer.from(chunk))
      } catch {
        return
      }
      const body = Buffer.concat(chunks)
      const forward = () => send(target, request, body, keyOf(serialOf(request)))
      const exchange: Exchange = {
        method,
        path,
        isWatch: path.includes('watch='),
        body,
        request,
        response,
        forward,
        reset: () => sockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy(),
      }
      if (fault === undefined) pass(exchange)
      else fault(exchange)
    },
  )
  server.on('tlsClientError', () => {})
  const front = createServer((socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    // Otherwise an answer waits for the acknowledgement of the handshake's last bytes.
    socket
      .setNoDelay(true)
      .on('error', () => {})
      .on('close', () => sockets.delete(remotePort))
    server.emit('connection', socket)
  })
  const port = await listen(front, 0)
  return {
    port,
    seen,
    set: (next) => {
      fault = next
      // What stands open was answered under the old rules.
      for (const socket of sockets.values()) socket.destroy()
    },
    serve: (next) => {
      server.setSecureContext(next)
      for (const socket of sockets.values()) socket.destroy()
    },
    stop: () =>
      new Promise((resolve) => {
        front.close(() => resolve())
        for (const socket of sockets.values()) socket.destroy()
      }),
  }
}

/** Passes a request on, and its answer back. */
export const pass = async ({ forward, response }: Exchange): Promise<void> => {
  try {
    const answer = await forward()
    response.writeHead(answer.statusCode ?? 0, answer.headers)
    response.flushHeaders()
    response.on('close', () => answer.destroy())
    answer.on('error', () => response.destroy()).pipe(response)
  } catch {
    response.destroy()
  }
}

const serialOf = ({ socket }: IncomingMessage): string =>
  (socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.serialNumber ?? '') : '').toLowerCase()

const send = (
  { port, ca }: GatewayOptions['target'],
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  identity: TlsOptions | undefined,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, ca, method, path: url, headers, agent: false, ...identity }
    httpsRequest(options, resolve).on('error', reject).end(body)
  })
