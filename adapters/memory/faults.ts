import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type ApiError, type CryptoError, failure, type StoreError } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'

/** Something that goes wrong with calls. */
export interface Fault<Call, Error> {
  /** Which calls it strikes; all when not given. */
  readonly when?: (call: Call) => boolean
  /** How many calls it strikes; when not given, all until it is mended. */
  readonly times?: number
  /** What the caller gets. `silence`: nothing, until its signal is given; a caller without one waits for ever. */
  readonly answer: Error | 'silence'
  /** The call takes effect, and only its answer is lost. */
  readonly afterwards?: boolean
}

/** Lets calls go wrong; the answer mends it. The first fault that fits a call strikes it. */
export type Inject<Call, Error> = (fault: Fault<Call, Error>) => () => void

export interface Faults<Call, Error> {
  readonly inject: Inject<Call, Error>
  /** The fault that strikes this call, which counts as struck. */
  readonly strike: (call: Call) => Fault<Call, Error> | undefined
}

/** No faults yet. `onChange` is called when one is injected. */
export const faults = <Call, Error>(onChange: () => void = () => {}): Faults<Call, Error> => {
  let active: ReadonlyArray<{ readonly fault: Fault<Call, Error>; left: number }> = []
  return {
    inject: (fault) => {
      const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY }
      active = [...active, entry]
      onChange()
      return () => {
        active = active.filter((other) => other !== entry)
      }
    },
    strike: (call) => {
      const entry = active.find(({ fault }) => fault.when?.(call) ?? true)
      if (entry === undefined) return undefined
      entry.left -= 1
      if (entry.left <= 0) active = active.filter((other) => other !== entry)
      return entry.fault
    },
  }
}

/** Does the work of a call, or what a fault makes of it. */
export const struck = async <Call, Error, A>(
  { strike }: Faults<Call, Error>,
  call: Call,
  work: () => E.Either<Error, A> | Promise<E.Either<Error, A>>,
): Promise<E.Either<Error, A>> => {
  const fault = strike(call)
  if (fault === undefined || fault.afterwards === true) {
    const done = await work()
    if (fault === undefined) return done
  }
  return fault.answer === 'silence' ? new Promise<never>(() => {}) : E.left(fault.answer)
}

/** Errors as the API adapter reports them. */
export const apiErrors = {
  unreachable: failure(
    'Unreachable',
    'soon',
    'the API server does not answer (memory)',
    'see that it runs and can be reached',
  ),
  untrusted: failure(
    'ServerUntrusted',
    'soon',
    "the API server's certificate does not chain to the CA in the kubeconfig (memory)",
    'put the CA of the server into the kubeconfig',
  ),
  /** 503, with `Retry-After` in ms if given. */
  unavailable: (retryAfter?: Milliseconds): ApiError =>
    failure(
      'Unavailable',
      'soon',
      'the API server answers 503 (memory)',
      'wait until it has recovered',
      O.fromNullable(retryAfter),
    ),
  /** 429, with `Retry-After` in ms. */
  overloaded: (retryAfter: Milliseconds): ApiError =>
    failure(
      'Unavailable',
      'soon',
      'the API server answers 429 Too Many Requests (memory)',
      'wait until it has recovered',
      O.some(retryAfter),
    ),
  unauthorized: failure(
    'CredentialRejected',
    'soon',
    'the API server answers 401 Unauthorized (memory)',
    'see which CA it trusts, and whether the credential has expired',
  ),
  noCredential: failure(
    'NoCredential',
    'soon',
    'there is no bootstrap kubeconfig (memory)',
    'supply a bootstrap kubeconfig',
  ),
  forbidden: failure(
    'Forbidden',
    'later',
    'the API server answers 403 Forbidden (memory)',
    'grant create, get and watch on certificatesigningrequests',
  ),
  invalid: failure(
    'Invalid',
    'later',
    'the API server answers 422 Unprocessable Entity (memory)',
    'correct the template',
  ),
  notServed: failure(
    'NotServed',
    'later',
    'the API server does not know certificates.k8s.io (memory)',
    'use Kubernetes 1.18 or later',
  ),
} satisfies Record<string, ApiError | ((...args: ReadonlyArray<never>) => ApiError)>

/** Errors as the store adapter reports them. */
export const storeErrors = {
  full: failure(
    'StoreUnwritable',
    'soon',
    'the store cannot be written: no space left (memory)',
    'make room',
  ),
  unreadable: failure(
    'StoreUnreadable',
    'soon',
    'the store cannot be read: input/output error (memory)',
    'check the disk',
  ),
  locked: failure(
    'StoreLocked',
    'later',
    'the store is in use by another process (memory)',
    'stop the other process',
  ),
} satisfies Record<string, StoreError>

/** Errors as the crypto adapter reports them. */
export const cryptoErrors = {
  keyUnavailable: failure(
    'KeyUnavailable',
    'soon',
    'the key cannot be used: the token is not there (memory)',
    'insert the token',
  ),
} satisfies Record<string, CryptoError>
