import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  after,
  earliest,
  hour,
  type Instant,
  type Milliseconds,
  minute,
  second,
  wholeSecond,
} from '../model/time.js'

/** How far `notBefore` lies in the past, for clocks that are behind. */
export const defaultBackdating: Milliseconds = 5 * minute

/** Below this, since 1.22, the backdating is not taken from the certificate's end. */
export const shortLifetime: Milliseconds = 8 * hour

/** A signer never goes below this, whatever `expirationSeconds` says, unless its own limit does. */
const shortestRequest: Milliseconds = 10 * minute

export interface ValidityRequest {
  readonly now: Instant
  /** `--cluster-signing-duration`, ms: the signer's limit, and what it gives when nobody asks. */
  readonly signingDuration: Milliseconds
  /** `spec.expirationSeconds`. */
  readonly expirationSeconds: O.Option<number>
  /** The CA certificate's `notAfter`. */
  readonly authorityEnd: Instant
  /** 1.20 knows no `expirationSeconds` and counts every lifetime from the backdated start. */
  readonly flavour?: '1.20' | '1.22'
  /** Five minutes in Kubernetes. */
  readonly backdating?: Milliseconds
}

export interface Validity {
  readonly notBefore: Instant
  readonly notAfter: Instant
}

const requestedLifetime = ({ signingDuration, expirationSeconds }: ValidityRequest): Milliseconds => {
  if (O.isNone(expirationSeconds)) return signingDuration
  const requested = expirationSeconds.value * second
  return requested > signingDuration ? signingDuration : Math.max(requested, shortestRequest)
}

/**
 * From when to when a certificate is good, or why none is issued (the CA has ended; the request then stays Approved
 * for good). Whole seconds, as X.509 has them. Sources: pkg/controller/certificates/signer/signer.go (`duration`) and
 * authority/policies.go (`PermissiveSigningPolicy`), for 1.20 authority.go.
 */
export const validity = (request: ValidityRequest): E.Either<string, Validity> => {
  const { now, authorityEnd, flavour = '1.22', backdating = defaultBackdating } = request
  const notBefore = wholeSecond(after(now, -backdating))
  if (now >= authorityEnd) {
    const ended = new Date(authorityEnd).toISOString()
    return E.left(`refusing to sign a certificate that expired in the past: NotAfter=${ended}`)
  }
  const lifetime = flavour === '1.20' ? request.signingDuration : requestedLifetime(request)
  const start = flavour === '1.22' && lifetime < shortLifetime ? now : after(now, -backdating)
  return E.right({ notBefore, notAfter: wholeSecond(earliest(after(start, lifetime), authorityEnd)) })
}
