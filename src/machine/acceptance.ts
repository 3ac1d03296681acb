import * as O from 'fp-ts/lib/Option.js'
import { type CheckedChain, expired } from '../model/certificate.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Draft } from '../model/request.js'
import { missingFrom } from '../model/template.js'
import { type Instant, inWords, rfc3339 } from '../model/time.js'
import { causesOf, isUsable } from './due.js'
import type { Delivered, Facts, Held } from './facts.js'

/** Why a certificate that arrived is not worth having; nothing when it is. Invariant 1 of the design. */
export const defectsOf = (
  policy: RotationPolicy,
  facts: Pick<Facts, 'held' | 'wanted' | 'requested' | 'window'>,
  request: Draft,
  { certificate, verification }: Pick<CheckedChain, 'certificate' | 'verification'>,
  now: Instant,
): ReadonlyArray<string> => {
  const { notBefore, notAfter } = certificate
  const { held, wanted } = facts
  const kept = O.isSome(held) && isUsable(policy, held.value, now) ? held.value.certificate : undefined
  const onlyTheTime = causesOf(policy, facts, now).every(
    ({ _tag }) => _tag === 'Deadline' || _tag === 'Window',
  )
  // Even one that was asked for has to last until its successor may be.
  const least = Math.max(policy.submitInterval, onlyTheTime ? policy.minimumUsefulLifetime : 0)
  const left = notAfter - now
  return [
    ...(certificate.keyId === request.keyId ? [] : ['it is for another key']),
    ...missingFrom(O.getOrElse(() => request.template)(wanted), certificate),
    ...(verification._tag === 'Unverified' && verification.required ? [verification.problem] : []),
    ...(notBefore >= notAfter
      ? [`it is never valid: not before ${rfc3339(notBefore)}, not after ${rfc3339(notAfter)}`]
      : []),
    ...(expired(certificate, now)
      ? [
          `it expired at ${rfc3339(notAfter)}, ${inWords(-left)} before it arrived (a signing duration shorter than the signer's backdating, or a wrong clock)`,
        ]
      : []),
    ...(kept !== undefined && notBefore >= kept.notAfter
      ? [`it is not valid before ${rfc3339(notBefore)}, when the one in use has expired`]
      : []),
    ...(kept !== undefined && notAfter < kept.notAfter && left < least && !expired(certificate, now)
      ? [`it expires at ${rfc3339(notAfter)}, before the one in use, and in less than ${inWords(least)}`]
      : []),
  ]
}

/** What a person should know of a certificate that is taken all the same; sentences without a full stop. */
export const remarksOn = (
  held: O.Option<Held>,
  { certificate, verification }: Delivered,
): ReadonlyArray<string> => {
  const { serialNumber, notAfter } = certificate
  const before = O.toUndefined(held)
  return [
    ...(before !== undefined && notAfter < before.certificate.notAfter
      ? [
          `certificate ${serialNumber} expires at ${rfc3339(notAfter)}, before the one it replaces (${rfc3339(before.certificate.notAfter)}): the signing duration was shortened`,
        ]
      : []),
    // Once, when it changes: a cluster may have a CA of its own for client certificates, and then each is like that.
    ...(verification._tag === 'Unverified' && before?.verification._tag !== 'Unverified'
      ? [
          `certificate ${serialNumber} is taken, and ${verification.problem}; that is as it should be where client certificates have a CA of their own, which can be named (--client-ca-file) to have them checked`,
        ]
      : []),
  ]
}
