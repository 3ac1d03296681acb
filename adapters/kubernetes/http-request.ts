import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Interrupted, interrupted } from '../../src/model/failure.js'
import { onSignal, type Signal } from '../../src/signal.js'
import { type ConnectionFailure, connectionFailure, connectionFailureOf } from '../connections/failure.js'
import type { Timeouts } from './timeouts.js'

/** In bytes, of an answer and of a line of a watch; a CertificateSigningRequest has a few thousand. */
export const maxObjectSize = 1024 * 1024

export interface Request {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request; ends with the head of the answer, whose body is to be read or destroyed. Redirects are not followed. */
export const send =
  (
    agent: Agent,
    { method, url, headers, body }: Request,
    timeouts: Timeouts,
    signal: Signal,
  ): TaskEither<ConnectionFailure | Interrupted, IncomingMessage> =>
  () =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve(E.left(interrupted))
      const abort = new AbortController()
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { method, agent, headers: { ...headers, ...length }, signal: abort.signal }
      const request = begin(url, options)
      if (request === undefined)
        return resolve(E.left(connectionFailure('NOT_SENT', 'it cannot be written as an HTTP request')))
      let settled = false
      const settle = (result: E.Either<ConnectionFailure | Interrupted, IncomingMessage>): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        forget()
        resolve(result)
        if (E.isLeft(result)) abort.abort()
      }
      const timer = setTimeout(
        () =>
          settle(E.left(connectionFailure('HEAD_TIMEOUT', `there was no answer within ${timeouts.head} ms`))),
        timeouts.head,
      )
      request
        .on('error', (error) => settle(E.left(connectionFailureOf(error))))
        .on('close', () => settle(E.left(connectionFailure('ECONNRESET', 'the connection was closed'))))
        .on('response', (message) => {
          // Whoever reads on learns of an error then; without a listener it would end the process.
          message.on('error', () => {})
          settle(E.right(message))
        })
      const forget = onSignal(signal, () => settle(E.left(interrupted)))
      request.end(body)
    })

/** Nothing when the URL or a header cannot be sent: the message of Node's error might show it. */
const begin = (url: string, options: RequestOptions): ClientRequest | undefined => {
  try {
    return httpsRequest(url, options)
  } catch {
    return undefined
  }
}

/** Reads the body of an answer, within limits of time and size. */
export const readBody =
  (
    message: IncomingMessage,
    timeouts: Timeouts,
    signal: Signal,
  ): TaskEither<ConnectionFailure | Interrupted, string> =>
  () =>
    new Promise((resolve) => {
      const chunks: Array<Buffer> = []
      let size = 0
      const settle = (result: E.Either<ConnectionFailure | Interrupted, string>): void => {
        clearTimeout(idle)
        clearTimeout(total)
        forget()
        resolve(result)
        if (E.isLeft(result)) message.destroy()
      }
      const late = (code: string, reason: string) => () => settle(E.left(connectionFailure(code, reason)))
      const idle = setTimeout(
        late('IDLE_TIMEOUT', `the answer stood still for ${timeouts.idle} ms`),
        timeouts.idle,
      )
      const total = setTimeout(
        late('BODY_TIMEOUT', `the answer took more than ${timeouts.body} ms`),
        timeouts.body,
      )
      message
        .on('data', (chunk: Buffer) => {
          idle.refresh()
          size += chunk.length
          if (size <= maxObjectSize) chunks.push(chunk)
          else
            settle(
              E.left(connectionFailure('BODY_TOO_LARGE', `the answer is larger than ${maxObjectSize} bytes`)),
            )
        })
        .on('end', () => settle(E.right(Buffer.concat(chunks).toString('utf8'))))
        .on('error', (error) => settle(E.left(connectionFailureOf(error))))
        .on('close', () =>
          settle(E.left(connectionFailure('ERR_STREAM_PREMATURE_CLOSE', 'the answer was cut off'))),
        )
      const forget = onSignal(signal, () => queueMicrotask(() => settle(E.left(interrupted))))
    })
