import { STATUS_CODES } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { mapping, text } from '../../src/model/codec.js'
import { type ApiError, failure } from '../../src/model/failure.js'
import { printable } from '../../src/model/printable.js'
import { type Instant, instant, type Milliseconds, second } from '../../src/model/time.js'

/** A response of the API server, whatever its status. */
export interface ApiResponse {
  readonly _tag: 'ApiResponse'
  /** What was asked of whom: `GET https://host:6443/…`. */
  readonly what: string
  readonly status: number
  /** The decoded JSON; undefined where there is none. */
  readonly body: unknown
  /** `message` of a `Status` object (`apimachinery/pkg/apis/meta/v1/types.go`), fit to be printed. */
  readonly message: string
  /** `reason` of a `Status` object, such as `AlreadyExists`. */
  readonly reason: string
  /** 404 is about an object; without, it is about the resource. */
  readonly namesAnObject: boolean
  /** The header `Date`. */
  readonly date: O.Option<Instant>
  /** The header `Retry-After`, in ms from `date` on. */
  readonly retryAfter: O.Option<Milliseconds>
}

const Status = t.type({ message: text, reason: text, details: mapping })

/** Makes a response of its parts; `redact` takes secrets out of what the server says, should it repeat them. */
export const apiResponse = (
  what: string,
  status: number,
  headers: { readonly date?: string | undefined; readonly 'retry-after'?: string | undefined },
  body: unknown,
  redact: (text: string) => string,
): ApiResponse => {
  const decoded = Status.decode(body)
  const { message, reason, details } = E.isRight(decoded)
    ? decoded.right
    : { message: '', reason: '', details: {} }
  const date = dateOf(headers.date)
  return {
    _tag: 'ApiResponse',
    what,
    status,
    body,
    message: printable(redact(message), longestMessage),
    reason: printable(redact(reason), longestMessage),
    namesAnObject: typeof details['name'] === 'string' && details['name'] !== '',
    date,
    retryAfter: retryAfterOf(headers['retry-after'], date),
  }
}

const dateOf = (header: string | undefined): O.Option<Instant> => {
  const milliseconds = Date.parse(header ?? '')
  return Number.isNaN(milliseconds) ? O.none : O.some(instant(milliseconds))
}

/** RFC 9110, 10.2.3: seconds, or a date, which the server's clock gave. */
const retryAfterOf = (header: string | undefined, now: O.Option<Instant>): O.Option<Milliseconds> => {
  if (header === undefined) return O.none
  if (/^\d{1,9}$/.test(header)) return O.some(Number(header) * second)
  const until = dateOf(header)
  return O.isSome(until) && O.isSome(now) ? O.some(Math.max(0, until.value - now.value)) : O.none
}

/** In characters, of what a server says. */
const longestMessage = 500

/** Whether the API has no such resource: a missing object's 404 names the object, a missing resource's does not. */
export const isNotServed = ({ status, namesAnObject }: ApiResponse): boolean =>
  status === 404 && !namesAnObject

/** The error that a response is when it is not the one hoped for. */
export const errorFrom = (response: ApiResponse): ApiError => {
  const { status, retryAfter } = response
  const title = STATUS_CODES[status] ?? ''
  const message = `${response.what} was answered ${status} ${title}${response.message === '' ? '' : `: ${response.message}`}`
  if (status === 401)
    return failure(
      'CredentialRejected',
      // The other credential has its turn then, and tokens are replaced: neither is to wait for long.
      'soon',
      message,
      'the credential has expired, or its CA is not trusted any more: supply a fresh bootstrap credential',
      retryAfter,
    )
  if (status === 403 && response.message.includes('system:anonymous'))
    return failure(
      'CredentialRejected',
      'soon',
      message,
      'no credential arrived: connect without a proxy that ends TLS, or supply a bootstrap credential',
      retryAfter,
    )
  if (status === 403) return failure('Forbidden', 'later', message, 'let a role binding allow it', retryAfter)
  if (status === 400 || status === 413 || status === 422)
    return failure(
      'Invalid',
      'later',
      message,
      'correct what is asked for: signer, usages, names, lifetime',
      retryAfter,
    )
  if (status === 404)
    return failure(
      'NotServed',
      'later',
      message,
      'use an API server that serves certificates.k8s.io, v1 or v1beta1; look at server in the kubeconfig',
      retryAfter,
    )
  if (status === 429 || status >= 500)
    return failure(
      'Unavailable',
      'soon',
      message,
      'wait, and if it stays so, look at the API server and its etcd',
      retryAfter,
    )
  return unintelligible(
    message,
    status >= 300 && status < 400
      ? 'redirects are not followed: correct server in the kubeconfig'
      : undefined,
  )
}

/** A response that no API server gives. */
export const unintelligible = (
  message: string,
  remedy = 'look whether server in the kubeconfig is an API server, and what stands between',
): ApiError => failure('Unintelligible', 'soon', message, remedy)
