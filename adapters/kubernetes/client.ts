import type { IncomingMessage } from 'node:http'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ApiError, Interrupted } from '../../src/model/failure.js'
import type { Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { ConnectionFailure } from '../connections/failure.js'
import type { Access } from '../kubeconfig/cluster.js'
import type { Connections } from './connection.js'
import { type Request, readBody, send } from './http-request.js'
import { unreachable } from './network-error.js'
import { type ApiResponse, apiResponse, unintelligible } from './response.js'
import type { Timeouts } from './timeouts.js'

/** A call to the API server, as an effect. */
export type ApiCall<A> = TE.TaskEither<ApiError | Interrupted, A>

/** The body of a response that comes line by line; whoever gets it has to read or destroy it. */
export interface Stream {
  readonly _tag: 'Stream'
  readonly what: string
  readonly message: IncomingMessage
}

/** Requests to one API server with one credential. */
export interface Client {
  /** Asks, and reads the whole response. `path` begins with a slash. */
  readonly ask: (method: 'GET' | 'POST', path: string, body: unknown, signal: Signal) => ApiCall<ApiResponse>
  /** Asks for a stream; a response that is none is read as a whole. */
  readonly stream: (path: string, signal: Signal) => ApiCall<Stream | ApiResponse>
  /** Takes this client's secrets out of a text. */
  readonly redact: (text: string) => string
}

export const client = (access: Access, connections: Connections, timeouts: Timeouts): Client => {
  const { cluster, credential } = access
  const token = O.toUndefined(credential.token)?.reveal()
  const redact = (text: string) => (token === undefined ? text : text.replaceAll(token, '[token]'))

  const begin = (method: 'GET' | 'POST', path: string, body: unknown, signal: Signal): ApiCall<Stream> =>
    steps(async function* () {
      const request: Request = {
        method,
        url: `${cluster.server}${path}`,
        headers: {
          accept: 'application/json',
          'user-agent': 'kube-cert-rotation',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }
      const what = `${method} ${cluster.server}${path.replace(/\?.*/, '')}`
      // At each request: another credential may have been in use since the last one.
      const { agent } = yield* ok(connections.to(access))
      const message = yield* ok(
        pipe(send(agent, request, timeouts, signal), TE.mapLeft(lost(what, cluster.trustedBy))),
      )
      return { _tag: 'Stream', what, message }
    })

  const finish = ({ what, message }: Stream, signal: Signal): ApiCall<ApiResponse> =>
    steps(async function* () {
      const text = yield* ok(pipe(readBody(message, timeouts, signal), TE.mapLeft(lost(what))))
      const status = message.statusCode ?? 0
      const json = parseJson(text)
      if (json === undefined && isGood(status))
        return yield* fail(
          unintelligible(`${what} was answered ${status} with ${typeOf(message)}, which is no JSON`),
        )
      return apiResponse(what, status, message.headers, json, redact)
    })

  return {
    redact,
    ask: (method, path, body, signal) =>
      pipe(
        begin(method, path, body, signal),
        TE.chain((begun) => finish(begun, signal)),
      ),
    stream: (path, signal) =>
      steps(async function* () {
        const begun = yield* ok(begin('GET', path, undefined, signal))
        const { what, message } = begun
        if (!isGood(message.statusCode ?? 0)) return yield* ok(finish(begun, signal))
        if (typeOf(message).includes('json')) return begun
        message.destroy()
        return yield* fail(
          unintelligible(`${what} was answered with ${typeOf(message)}, which is no stream of JSON`),
        )
      }),
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300

const typeOf = ({ headers }: IncomingMessage): string =>
  /^[\w.+-]+\/[\w.+-]+/.exec(headers['content-type'] ?? '')?.[0] ?? 'no content type'

const lost =
  (what: string, trustedBy?: string) =>
  (cause: ConnectionFailure | Interrupted): ApiError | Interrupted =>
    cause._tag === 'Interrupted' ? cause : unreachable(what, cause, trustedBy)

/** Undefined where the text is no JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
