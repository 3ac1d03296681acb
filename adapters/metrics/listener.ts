/** `/metrics`, `/livez`, `/readyz` and `/healthz` over HTTP, for whoever may reach the address: there is nothing secret. */
import { createServer, type RequestListener } from 'node:http'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { second } from '../../src/model/time.js'
import { codeOf, reasonOf } from '../platform/system-error.js'
import { monitorEventLoop } from './event-loop.js'
import { healthAnswer } from './health.js'
import type { MetricsSource } from './source.js'
import { acceptedFormat, contentTypes, metricsText } from './text.js'

export interface Address {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

export interface Listener {
  /** `http://127.0.0.1:9090`. */
  readonly url: string
  readonly close: () => Promise<void>
}

export type ListenError = Failure<'AddressUnusable'>

/** More at a time than anybody needs who scrapes; what comes beyond is turned away. */
const mostConnections = 64

/** Serves metrics and health there until it is closed. It keeps no process alive. */
export const serveMetrics = (address: Address, source: MetricsSource): TE.TaskEither<ListenError, Listener> =>
  TE.tryCatch(
    async () => {
      const monitor = monitorEventLoop()
      const metrics = () => ({ ...source.metrics(), eventLoopDelay: monitor.delay() })
      const server = createServer(
        { requestTimeout: 10 * second, headersTimeout: 5 * second, keepAliveTimeout: 65 * second },
        answering({ metrics }),
      )
      server.maxConnections = mostConnections
      try {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject)
          server.listen({ ...address, exclusive: true }, resolve)
        })
      } catch (error) {
        monitor.stop()
        throw error
      }
      // Out of open files: one that asks is not served, and nothing else suffers.
      server.on('error', () => {})
      server.unref()
      const bound = server.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
      return {
        url: `http://${hostInUrl(address.host)}:${port}`,
        close: () =>
          new Promise<void>((resolve) => {
            monitor.stop()
            server.close(() => resolve())
            server.closeAllConnections()
          }),
      }
    },
    (error): ListenError =>
      failure(
        'AddressUnusable',
        'soon',
        `metrics cannot be served at ${hostInUrl(address.host)}:${address.port}: ${reasonOf(error)}`,
        codeOf(error) === 'EADDRINUSE'
          ? 'find out who has that port, or give another with --metrics-bind-address'
          : 'give an address of this machine with --metrics-bind-address',
      ),
  )

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const pages = 'kube-cert-rotation: /metrics /livez /readyz /healthz\n'

const answering =
  (source: MetricsSource): RequestListener =>
  (request, response) => {
    const answer = (code: number, type: string, text: string) => {
      response.writeHead(code, {
        'content-type': type,
        'content-length': Buffer.byteLength(text),
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache, no-store',
      })
      response.end(request.method === 'HEAD' ? undefined : text)
    }
    const plain = (code: number, text: string) => answer(code, 'text/plain; charset=utf-8', text)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return plain(405, 'only GET and HEAD\n')
    }
    // What is asked for, whatever host and scheme it is called by.
    const url = urlOf(request.url)
    if (url === undefined) return plain(400, 'that is no path\n')
    if (url.pathname === '/metrics') {
      const format = acceptedFormat(request.headers.accept)
      return answer(200, contentTypes[format], metricsText(format, source.metrics()))
    }
    const health = healthAnswer(url, source.metrics)
    if (health !== undefined) return plain(health.code, health.text)
    return url.pathname === '/' ? plain(200, pages) : plain(404, pages)
  }

const urlOf = (path = '/'): URL | undefined => {
  try {
    return new URL(path, 'http://localhost')
  } catch {
    return undefined
  }
}
