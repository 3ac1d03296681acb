/** Whether certificates chain to the CAs that are known: asked of the ports, judged by `machine/acceptance.ts`. */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Verification } from '../model/certificate.js'
import { failure, type TrustError } from '../model/failure.js'
import type { Clock, CryptoBackend, TrustAnchors } from '../ports.js'

/** What certificates are compared with; without `trust` each verification is `Unchecked`. */
export interface Verifier {
  readonly clock: Pick<Clock, 'now'>
  readonly crypto: Pick<CryptoBackend, 'verifyChain'>
  readonly trust?: TrustAnchors
}

const unchecked: Verification = { _tag: 'Unchecked' }

/** Whether a chain (PEM, leaf first) chains to the CAs. CAs that cannot be read are an error only where they are required. */
export const verificationOf = (
  { clock, crypto, trust }: Verifier,
  pem: string,
): TE.TaskEither<TrustError, Verification> => {
  if (trust === undefined) return TE.right(unchecked)
  const verified: TE.TaskEither<TrustError, Verification> = pipe(
    authoritiesOf(trust),
    TE.chain((authorities) =>
      O.isNone(authorities)
        ? TE.right(unchecked)
        : pipe(
            crypto.verifyChain(pem, authorities.value, clock.now()),
            TE.bimap(
              ({ message, remedy }) =>
                failure('TrustUnusable', 'soon', `${trust.source}: ${message}`, remedy),
              (problem) => verificationFrom(trust, problem),
            ),
          ),
    ),
  )
  return trust.required
    ? verified
    : pipe(
        verified,
        TE.orElse(() => TE.right<TrustError, Verification>(unchecked)),
      )
}

const verificationFrom = ({ source, required }: TrustAnchors, problem: O.Option<string>): Verification =>
  O.isNone(problem)
    ? { _tag: 'Verified' }
    : { _tag: 'Unverified', required, problem: `it does not chain to a CA in ${source}: ${problem.value}` }

/** Those that are required have to be there: with none to compare with, every certificate would be taken. */
const authoritiesOf = ({
  source,
  required,
  read,
}: TrustAnchors): TE.TaskEither<TrustError, O.Option<string>> =>
  pipe(
    read,
    TE.filterOrElse(
      (found) => !required || O.isSome(found),
      () =>
        failure(
          'TrustUnusable',
          'soon',
          `there are no CAs in ${source}, and certificates have to chain to one`,
          'supply them, or do not require it',
        ),
    ),
  )

/** Whether a certificate could be judged now, so that none is asked for that could not be taken. */
export const readiness = ({ trust }: Pick<Verifier, 'trust'>): TE.TaskEither<TrustError, unknown> =>
  trust?.required === true ? authoritiesOf(trust) : TE.right(undefined)
