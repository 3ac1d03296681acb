import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { Pair } from './pki.js'

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
  readonly body: string
  /** The common name of the client certificate that the connection carried. */
  readonly certificate: string | undefined
  /** Which of the server's connections it came on, from 1. */
  readonly connection: number
}

export type Handler = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void

export interface ScriptedServer {
  readonly url: string
  readonly port: number
  readonly seen: ReadonlyArray<Seen>
  /** How many connections are open. */
  readonly open: () => number
  /** How many TLS sessions were resumed. */
  readonly resumed: () => number
  /** Answers the requests from now on. */
  readonly answer: (handler: Handler) => void
  readonly stop: () => Promise<void>
}

/** An HTTPS server on loopback that asks for a client certificate, takes any or none, and records what it sees. */
export const scriptedServer = async (
  { certificate, key }: Pair,
  { maxVersion = 'TLSv1.3' }: { readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<ScriptedServer> => {
  const seen: Array<Seen> = []
  const numbers = new Map<unknown, number>()
  let handler: Handler = (_, response) => response.writeHead(500).end()
  let opened = 0
  let resumed = 0
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    { cert: certificate, key, requestCert: true, rejectUnauthorized: false, maxVersion },
    async (request, response) => {
      const url = new URL(request.url ?? '/', 'https://localhost')
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(Buffer.from(chunk))
      const record: Seen = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        authorization: request.headers.authorization,
        body: Buffer.concat(chunks).toString('utf8'),
        certificate: request.socket instanceof TLSSocket ? nameOf(request.socket) : undefined,
        connection: numbers.get(request.socket) ?? 0,
      }
      seen.push(record)
      handler(record, response, request)
    },
  )
  server.on('secureConnection', (socket: TLSSocket) => {
    opened += 1
    numbers.set(socket, opened)
    if (socket.isSessionReused()) resumed += 1
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    seen,
    open: () => sockets.size,
    resumed: () => resumed,
    answer: (next) => {
      handler = next
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const nameOf = (socket: TLSSocket): string | undefined => {
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate()
  const name = certificate.subject?.CN
  return typeof name === 'string' ? name : undefined
}

/** Answers with JSON. */
export const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** A `Status` object as the API server answers it. */
export const status = (code: number, message: string, more: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  message,
  ...more,
})
