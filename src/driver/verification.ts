/** Whether certificates lead to the CAs that are known: asked of the ports, judged by `acceptance.ts`. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Verification } from '../model/certificate.js'
import { failure, type TrustError } from '../model/failure.js'
import type { Clock, CryptoBackend, TrustAnchors } from '../ports.js'

/** What certificates are compared with; without `trust` each verification is `Unchecked`. */
export interface Verifier {
  readonly clock: Pick<Clock, 'now'>
  readonly crypto: Pick<CryptoBackend, 'verifyChain'>
  readonly trust?: TrustAnchors
}

/** Where a chain (PEM, leaf first) leads. CAs that cannot be read are an error only where a certificate has to lead to them. */
export const verificationOf = async (
  { clock, crypto, trust }: Verifier,
  pem: string,
): Promise<E.Either<TrustError, Verification>> => {
  if (trust === undefined) return E.right({ _tag: 'Unchecked' })
  const { source, required } = trust
  const authorities = await authoritiesOf(trust)
  if (E.isLeft(authorities)) return required ? authorities : E.right({ _tag: 'Unchecked' })
  if (O.isNone(authorities.right)) return E.right({ _tag: 'Unchecked' })
  const verified = await crypto.verifyChain(pem, authorities.right.value, clock.now())()
  if (E.isLeft(verified))
    return required
      ? E.left(failure('TrustUnusable', 'soon', `${source}: ${verified.left.message}`, verified.left.remedy))
      : E.right({ _tag: 'Unchecked' })
  return E.right(
    O.isNone(verified.right)
      ? { _tag: 'Verified' }
      : {
          _tag: 'Unverified',
          required,
          problem: `it does not lead to a CA in ${source}: ${verified.right.value}`,
        },
  )
}

/** Those that are required have to be there: with none to compare with, every certificate would be taken. */
const authoritiesOf = async ({
  source,
  required,
  read,
}: TrustAnchors): Promise<E.Either<TrustError, O.Option<string>>> => {
  const found = await read()
  return required && E.isRight(found) && O.isNone(found.right)
    ? E.left(
        failure(
          'TrustUnusable',
          'soon',
          `there are no CAs in ${source}, and certificates have to lead to one`,
          'supply them, or do not require it',
        ),
      )
    : found
}

/** Whether a certificate could be judged now, so that none is asked for that could not be taken. */
export const readiness = async ({
  trust,
}: Pick<Verifier, 'trust'>): Promise<E.Either<TrustError, unknown>> =>
  trust?.required === true ? authoritiesOf(trust) : E.right(undefined)
