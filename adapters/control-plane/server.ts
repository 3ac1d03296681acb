/** HTTPS around the API: bodies in, answers out, who calls and whether they may. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { type Binding, permitted, refusal } from '../../src/control-plane/index.js'
import { type Instant, second } from '../../src/model/time.js'
import { type Authentication, authenticate, type Trust } from './authentication.js'
import type { Pair } from './ca.js'
import { type Call, type Endpoint, failed, type Reply, type Stream } from './call.js'
import type { ApiCall } from './event.js'
import type { Body } from './incoming.js'
import * as status from './status.js'
import type { TableOptions } from './table.js'

export interface ServerOptions {
  readonly route: (method: string, path: string, query: URLSearchParams) => Endpoint
  readonly bindings: ReadonlyArray<Binding>
  readonly trust: IO<Trust>
  readonly now: IO<Instant>
  readonly tell: (call: ApiCall) => void
}

/** As kube-apiserver: 3 MiB. */
const maximumBody = 3 * 1024 * 1024
/** What a watcher may leave unread before it is cut off. */
const maximumBacklog = 16 * 1024 * 1024

export const tlsOptions = (pair: Pair, authorities: ReadonlyArray<string>) => ({
  cert: pair.certificate,
  key: pair.key.reveal(),
  ca: [...authorities],
})

export interface ApiServer {
  /** Not yet listening. */
  readonly server: Server
  /** Ends every watch in good order. */
  readonly endStreams: IO<void>
}

/** An HTTPS server that asks for client certificates and lets the API judge them. */
export const apiServer = (tls: ReturnType<typeof tlsOptions>, options: ServerOptions): ApiServer => {
  const streams = new Set<ServerResponse>()
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 90 * second },
    (request, response) => {
      handle(request, response, options, streams).catch(() => response.destroy())
    },
  )
  server.on('tlsClientError', (_, socket) => socket.destroy())
  server.on('clientError', (_, socket) => socket.destroy())
  const endStreams = (): void => {
    for (const response of streams) response.end()
  }
  return { server, endStreams }
}

const handle = async (
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
  streams: Set<ServerResponse>,
): Promise<void> => {
  request.on('error', () => response.destroy())
  response.on('error', () => response.destroy())
  const { method = 'GET', url = '/' } = request
  const authentication = await authenticate(request, options.trust(), options.now())
  const reply = await replyTo(request, authentication, options).catch(() => failed(status.internalError))
  const code = reply._tag === 'Json' ? reply.code : 200
  options.tell({
    _tag: 'Call',
    at: options.now(),
    method,
    path: url,
    user: O.map(({ name }: { readonly name: string }) => name)(O.fromEither(authentication.caller)),
    certificateSerialNumber: O.map(({ serialNumber }: { readonly serialNumber: string }) => serialNumber)(
      authentication.certificate,
    ),
    code,
  })
  response.sendDate = false
  response.setHeader('Date', new Date(options.now()).toUTCString())
  response.setHeader('Cache-Control', 'no-cache, private')
  // Nobody reads the rest of a body that was refused: the connection ends with the answer.
  if (!request.complete) response.setHeader('Connection', 'close')
  if (reply._tag === 'Stream') send(response, reply.stream, streams)
  else {
    const bytes = reply._tag === 'Raw' ? reply.value : Buffer.from(JSON.stringify(reply.value))
    const contentType = reply._tag === 'Raw' ? reply.contentType : 'application/json'
    response.writeHead(code, { 'Content-Type': contentType, 'Content-Length': bytes.length })
    response.end(method === 'HEAD' ? undefined : bytes)
  }
}

/** In the order of a kube-apiserver: who is it, may they, what do they want. */
const replyTo = async (
  request: IncomingMessage,
  { caller }: Authentication,
  { route, bindings }: ServerOptions,
): Promise<Reply> => {
  if (E.isLeft(caller)) return failed(status.unauthorized)
  const { method = 'GET', url = '/' } = request
  const target = E.tryCatch(
    () => {
      const { pathname, searchParams } = new URL(url, 'https://localhost')
      return { path: decodeURIComponent(pathname), query: searchParams }
    },
    () => status.badRequest('the path cannot be read'),
  )
  if (E.isLeft(target)) return failed(target.left)
  const { path, query } = target.right
  const endpoint = route(method, path, query)
  if (!permitted(bindings, caller.right, endpoint.attributes)) {
    return failed(refused(endpoint, refusal(caller.right, endpoint.attributes)))
  }
  const bytes = await readBody(request)
  if (bytes === undefined) return failed(status.tooLarge(maximumBody))
  const call: Call = {
    method,
    path,
    query,
    caller: caller.right,
    body: { contentType: mediaType(request.headers['content-type'] ?? ''), bytes },
    table: tableOptions(request.headers.accept ?? '', query),
  }
  return endpoint.serve(call)
}

const refused = ({ attributes, name }: Endpoint, why: string): status.Status =>
  attributes._tag === 'Resource' && attributes.group === 'certificates.k8s.io'
    ? status.forbidden(name, why)
    : attributes._tag === 'Resource'
      ? status.forbiddenOther(`${attributes.resource}.${attributes.group} is forbidden`, why)
      : status.forbiddenOther('forbidden', why)

/** The body; undefined when it is too long. Reads no further than it has to. */
const readBody = async (request: IncomingMessage): Promise<Body['bytes'] | undefined> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    size += bytes.length
    if (size > maximumBody) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

const mediaType = (header: string): string => header.split(';')[0]?.trim().toLowerCase() ?? ''

/** kubectl lists what it would take, best first: `application/json;as=Table;v=v1;g=meta.k8s.io,application/json`. */
const tableOptions = (accept: string, query: URLSearchParams): TableOptions | undefined => {
  const tables = accept
    .split(',')
    .map((one) => one.split(';').map((part) => part.trim()))
    .filter((parts) => parts[0] === 'application/json' && parts.includes('as=Table'))
  const version = (['v1', 'v1beta1'] as const).find((v) => tables.some((parts) => parts.includes(`v=${v}`)))
  const include = query.get('includeObject')
  return version === undefined
    ? undefined
    : { version, includeObject: include === 'None' || include === 'Object' ? include : 'Metadata' }
}

const send = (response: ServerResponse, stream: Stream, streams: Set<ServerResponse>): void => {
  // The client may have gone while we found out who it was.
  if (response.destroyed) return
  streams.add(response)
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  const write = (line: unknown): void => {
    if (response.writableEnded || response.destroyed) return
    response.write(`${JSON.stringify(line)}\n`)
    if (response.writableLength > maximumBacklog) response.destroy()
  }
  const stop = stream(write, () => response.end())
  response.once('close', () => {
    streams.delete(response)
    stop()
  })
}
