import * as O from 'fp-ts/lib/Option.js'
import { hour, type Instant, type Milliseconds } from '../model/time.js'

/** How often the controller manager's cleaner looks. */
export const cleaningInterval: Milliseconds = hour

/** How long a request is kept after its decision. */
export const decidedFor: Milliseconds = hour
/** How long one is kept that waits for its decision, or for its certificate. */
export const undecidedFor: Milliseconds = 24 * hour

/** A request as the cleaner sees it. */
export interface RequestToClean {
  readonly createdAt: Instant
  readonly conditions: ReadonlyArray<{ readonly type: string; readonly updatedAt: Instant }>
  /** The issued certificate's `notAfter`. */
  readonly certificateEnd: O.Option<Instant>
}

/**
 * Why a request is deleted, in words; none while it is kept (pkg/controller/certificates/cleaner/cleaner.go, 1.36:
 * older versions keep an approved request without a certificate for good).
 */
export const deletionReason = (request: RequestToClean, now: Instant): O.Option<string> => {
  const olderThan = (type: string, age: Milliseconds): boolean =>
    request.conditions.some((condition) => condition.type === type && now - condition.updatedAt > age)
  const approved = request.conditions.some(({ type }) => type === 'Approved')
  const issued = O.isSome(request.certificateEnd)
  const reasons: ReadonlyArray<readonly [boolean, string]> = [
    [issued && olderThan('Approved', decidedFor), 'approved and issued more than an hour ago'],
    [olderThan('Denied', decidedFor), 'denied more than an hour ago'],
    [olderThan('Failed', decidedFor), 'failed more than an hour ago'],
    [
      request.conditions.length === 0 && now - request.createdAt > undecidedFor,
      'undecided for more than 24 hours',
    ],
    [!issued && olderThan('Approved', undecidedFor), 'approved more than 24 hours ago and never issued'],
    [
      approved && O.isSome(request.certificateEnd) && now > request.certificateEnd.value,
      'its certificate has expired',
    ],
  ]
  const found = reasons.find(([applies]) => applies)
  return found === undefined ? O.none : O.some(found[1])
}
