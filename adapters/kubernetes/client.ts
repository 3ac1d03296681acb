import type { IncomingMessage } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { ApiError, Interrupted } from '../../src/model/failure.js'
import type { Signal } from '../../src/signal.js'
import type { Access } from '../kubeconfig/cluster.js'
import type { Connections } from './connection.js'
import { type Request, readBody, send } from './http-request.js'
import { type Breakdown, unreachable } from './network-error.js'
import { type Answer, answer, unintelligible } from './response.js'
import type { Timeouts } from './timeouts.js'

export type Result<A> = Promise<E.Either<ApiError | Interrupted, A>>

/** The body of an answer that comes line by line; whoever gets it has to read or destroy it. */
export interface Stream {
  readonly _tag: 'Stream'
  readonly what: string
  readonly message: IncomingMessage
}

/** Requests to one API server with one credential. */
export interface Client {
  /** Asks, and reads the whole answer. `path` begins with a slash. */
  readonly ask: (method: 'GET' | 'POST', path: string, body: unknown, signal: Signal) => Result<Answer>
  /** Asks for a stream; an answer that is none is read as a whole. */
  readonly stream: (path: string, signal: Signal) => Result<Stream | Answer>
  /** Takes this client's secrets out of a text. */
  readonly hide: (text: string) => string
}

export const client = (access: Access, connections: Connections, timeouts: Timeouts): Client => {
  const { cluster, credential } = access
  const token = O.toUndefined(credential.token)?.reveal()
  const hide = (text: string) => (token === undefined ? text : text.replaceAll(token, '[token]'))

  const begin = async (
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: Signal,
  ): Result<Stream> => {
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
    const connection = connections.to(access)
    if (E.isLeft(connection)) return connection
    const head = await send(connection.right.agent, request, timeouts, signal)
    return E.isRight(head)
      ? E.right({ _tag: 'Stream', what, message: head.right })
      : E.left(lost(what, head.left, cluster.trustedBy))
  }

  const finish = async ({ what, message }: Stream, signal: Signal): Result<Answer> => {
    const text = await readBody(message, timeouts, signal)
    if (E.isLeft(text)) return E.left(lost(what, text.left))
    const status = message.statusCode ?? 0
    const json = parseJson(text.right)
    if (E.isLeft(json) && isGood(status))
      return E.left(
        unintelligible(`${what} was answered ${status} with ${typeOf(message)}, which is no JSON`),
      )
    return E.right(answer(what, status, message.headers, E.isRight(json) ? json.right : undefined, hide))
  }

  return {
    hide,
    ask: async (method, path, body, signal) => {
      const begun = await begin(method, path, body, signal)
      return E.isLeft(begun) ? begun : finish(begun.right, signal)
    },
    stream: async (path, signal) => {
      const begun = await begin('GET', path, undefined, signal)
      if (E.isLeft(begun)) return begun
      const { what, message } = begun.right
      if (!isGood(message.statusCode ?? 0)) return finish(begun.right, signal)
      if (typeOf(message).includes('json')) return begun
      message.destroy()
      return E.left(
        unintelligible(`${what} was answered with ${typeOf(message)}, which is no stream of JSON`),
      )
    },
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300

const typeOf = ({ headers }: IncomingMessage): string =>
  /^[\w.+-]+\/[\w.+-]+/.exec(headers['content-type'] ?? '')?.[0] ?? 'no content type'

const lost = (what: string, cause: Breakdown | Interrupted, trustedBy?: string): ApiError | Interrupted =>
  cause._tag === 'Interrupted' ? cause : unreachable(what, cause, trustedBy)

export const parseJson = (text: string): E.Either<unknown, unknown> =>
  E.tryCatch(
    () => JSON.parse(text),
    (error) => error,
  )
