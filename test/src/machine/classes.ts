import * as O from 'fp-ts/lib/Option.js'
import { credentialFor } from '../../../src/machine/credential.js'
import { instantIn, rotationDeadline } from '../../../src/machine/due.js'
import { draftOf, type Facts, type Held } from '../../../src/machine/facts.js'
import { stateOf } from '../../../src/machine/machine.js'
import { delayEnd, pauseEnd } from '../../../src/machine/retry.js'
import { expired, notYetValid } from '../../../src/model/certificate.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { CertificateTemplate } from '../../../src/model/template.js'
import type { Instant } from '../../../src/model/time.js'
import type { Point } from './steps.js'

/** What of a point the machine's choices depend on: instants by what they mean now, keys by what they are for. */
export const classOf = (policy: RotationPolicy, { facts, now, journal }: Point): string => {
  const state = stateOf(policy)(facts, now)
  const lasts = (since: O.Option<Instant>, delay: number) =>
    O.isSome(since) && delayEnd(since.value, delay, now) !== undefined
  const name = (wanted: CertificateTemplate | undefined) => wanted?.commonName ?? '-'
  const stored = O.toUndefined(facts.held)
  const failed = O.toUndefined(facts.lastFailure)
  const next = O.toUndefined(facts.next)
  const draft = next === undefined ? undefined : draftOf(next)
  const delivered = next?._tag === 'Delivered' ? next : undefined
  const parts = [
    state._tag,
    name(O.toUndefined(facts.wanted)),
    O.isSome(facts.requested),
    delivered !== undefined && O.isSome(delivered.answers),
    ...(stored === undefined
      ? ['-']
      : [
          stored.certificate.commonName,
          expired(stored.certificate, now),
          notYetValid(stored.certificate, now),
          now >= rotationDeadline(policy, stored, now),
          windowOf(facts, stored, now),
          O.isSome(stored.rejectedAt),
          O.isSome(stored.serverUntrustedAt),
          // Whether the certificate came while the server could not be verified, and did not help.
          facts.ongoing.some(
            ({ failure, since }) => failure._tag === 'ServerUntrusted' && since <= stored.receivedAt,
          ),
        ]),
    next?._tag,
    name(draft?.template),
    draft !== undefined && journal.certified.includes(draft.keyId),
    ...(delivered !== undefined
      ? [
          delivered.delivered.certificate.commonName,
          expired(delivered.delivered.certificate, now),
          notYetValid(delivered.delivered.certificate, now),
        ]
      : ['-']),
    ...(failed === undefined
      ? ['-']
      : [pauseEnd(policy, facts, now) !== undefined, credentialFor(policy, facts, now)]),
    !('request' in state) && lasts(facts.submittedAt, policy.submitInterval),
    !('request' in state) && lasts(facts.checkedAt, policy.probeInterval),
    journal.live === undefined ? '-' : journal.live.keyId === draft?.keyId,
    journal.ask,
  ]
  return parts.join('|')
}

/** Whether the window that is known has the certificate renewed, and whether its time has come. */
const windowOf = ({ window }: Facts, held: Held, now: Instant): string => {
  const at = O.isSome(window) ? instantIn(window.value, held, now) : undefined
  if (at === undefined) return '-'
  return now >= at ? 'due' : 'ahead'
}
