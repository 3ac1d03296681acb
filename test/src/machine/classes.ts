import * as O from 'fp-ts/lib/Option.js'
import { pauseOf, rotationDeadline, stillWaiting } from '../../../src/machine/schedule.js'
import { turnOf } from '../../../src/machine/standing.js'
import { knowledgeOf } from '../../../src/machine/state.js'
import { expired, notYetValid } from '../../../src/model/certificate.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { CertificateTemplate } from '../../../src/model/template.js'
import { type Instant, minute } from '../../../src/model/time.js'
import type { Point } from './steps.js'

/** What of a point the machine's choices depend on: instants by what they mean now, keys by what they are for. */
export const classOf = (policy: RotationPolicy, { state, now, journal }: Point, fine: boolean): string => {
  const known = knowledgeOf(state)
  const lasts = (since: O.Option<Instant>, delay: number) =>
    O.isSome(O.chain((from: Instant) => stillWaiting(from, delay, now))(since))
  const left = (notAfter: Instant) =>
    !fine ? '' : notAfter - now < 2 * minute ? 'ending' : notAfter - now < 10 * minute ? 'short' : 'long'
  const name = (wanted: CertificateTemplate | undefined) => wanted?.commonName ?? '-'
  const stored = O.toUndefined(known.held)
  const setback = O.toUndefined(known.setback)
  const next = O.toUndefined(known.draft)
  const parts = [
    state._tag,
    name(O.toUndefined(state.wanted)),
    O.isSome(state.asked),
    'answers' in state && O.isSome(state.answers),
    ...(stored === undefined
      ? ['-']
      : [
          stored.certificate.commonName,
          expired(stored.certificate, now),
          notYetValid(stored.certificate, now),
          now >= rotationDeadline(policy, stored.certificate, stored.receivedAt),
          O.isSome(stored.rejectedAt),
          left(stored.certificate.notAfter),
        ]),
    name(next?.template),
    next !== undefined && journal.certified.includes(next.keyId),
    ...('delivered' in state
      ? [
          state.delivered.certificate.commonName,
          notYetValid(state.delivered.certificate, now),
          left(state.delivered.certificate.notAfter),
        ]
      : ['-']),
    ...(setback === undefined
      ? ['-']
      : [
          O.isSome(pauseOf(policy, known, now)),
          turnOf(policy, known, now),
          fine && setback.attempt > 1,
          fine && setback.delay >= policy.longestDelay,
        ]),
    !('request' in state) && lasts(state.submittedAt, policy.submitInterval),
    !('request' in state) && lasts(state.checkedAt, policy.probeInterval),
    journal.live === undefined ? '-' : journal.live.keyId === next?.keyId,
    journal.ask,
    fine && journal.tried.length > 0,
  ]
  return parts.join('|')
}
