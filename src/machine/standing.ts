/** What follows from what is known, whatever the state: which idle state it is, whose credential is next. */
import { isNonEmpty } from 'fp-ts/lib/Array.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { expired, type KeyId } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import type { Draft } from '../model/request.js'
import { covers, unmet } from '../model/template.js'
import type { Instant } from '../model/time.js'
import { rotationDeadline, setbackAfter } from './schedule.js'
import {
  type Cause,
  type CredentialName,
  type Held,
  type Idle,
  type Knowledge,
  type Setback,
  works,
} from './state.js'

/** The idle state: it follows from the held certificate, the template, what was asked, and the time. */
export const standing = (policy: RotationPolicy, known: Knowledge, now: Instant): Idle => {
  const { draft, ...situation } = known
  const held = O.map(receivedBy(now))(known.held)
  const next = O.filter(usable(known))(draft)
  if (O.isNone(held) || !works(policy, held.value, now))
    return { _tag: 'Bootstrapping', ...situation, held, draft: next }
  const causes = causesOf(policy, { ...known, held }, now)
  return isNonEmpty(causes)
    ? { _tag: 'RenewDue', ...situation, held: held.value, causes, draft: next }
    : // No draft outlasts its reason: by the next renewal its key may have been certified and forgotten by the API.
      { _tag: 'Issued', stage: 'installed', ...situation, held: held.value }
}

/**
 * A receipt after now cannot be right (the clock was ahead then): it does not count, or the renewal would wait for the
 * end of a life that began long before.
 */
const receivedBy =
  (now: Instant) =>
  (held: Held): Held =>
    held.receivedAt > now ? { ...held, receivedAt: held.certificate.notBefore } : held

/** A draft is worth keeping while its certificate would be accepted, and its key has not been certified. */
export const usable =
  ({ wanted, held }: Knowledge) =>
  ({ keyId, template }: Draft): boolean =>
    (O.isNone(wanted) || covers(template, wanted.value)) &&
    (O.isNone(held) || held.value.certificate.keyId !== keyId)

/** Why a new certificate is wanted although there is one. */
export const causesOf = (
  policy: RotationPolicy,
  { held, wanted, asked }: Knowledge,
  now: Instant,
): Array<Cause> => {
  if (O.isNone(held) || !policy.rotate) return []
  const { certificate, receivedAt } = held.value
  const missing = O.isSome(wanted) ? unmet(wanted.value, certificate) : []
  const causes: Array<Cause> = []
  if (missing.length > 0) causes.push({ _tag: 'Template', unmet: missing })
  if (O.isSome(asked)) causes.push({ _tag: 'Asked', why: asked.value.why })
  if (now >= rotationDeadline(policy, certificate, receivedAt)) causes.push({ _tag: 'Deadline' })
  return causes
}

/**
 * Whose credential is next: the held certificate's while it works, the bootstrap credential otherwise. Where the
 * server has something against the one, the other has its turn; and while the held one is refused, it has a turn after
 * each of the bootstrap credential's that came to nothing for another reason than an API out of reach.
 */
export const turnOf = (policy: RotationPolicy, known: Knowledge, now: Instant): CredentialName => {
  if (policy.authenticateWith === 'external') return 'external'
  if (O.isNone(known.held) || expired(known.held.value.certificate, now)) return 'bootstrap'
  const lastTurn = (counts: (failure: Failure) => boolean) =>
    pipe(
      known.setback,
      O.filter((setback) => counts(setback.failure)),
      O.chain((setback) => setback.credential),
      O.toUndefined,
    )
  if (rejected(known)) return lastTurn(conclusive) === 'bootstrap' ? 'held' : 'bootstrap'
  return lastTurn(aboutTheCredential) === 'held' ? 'bootstrap' : 'held'
}

const conclusive = ({ _tag }: Failure): boolean => _tag !== 'Unreachable' && _tag !== 'Unavailable'

const aboutTheCredential = ({ _tag }: Failure): boolean => _tag === 'NoCredential' || _tag === 'Forbidden'

/** Whether the certificate held is the one with this key. */
export const holds = ({ held }: Knowledge, keyId: KeyId): boolean =>
  O.exists(({ certificate }: Held) => certificate.keyId === keyId)(held)

/** Whether the server refuses the certificate held. */
export const rejected = ({ held }: Knowledge): boolean => O.isSome(held) && O.isSome(held.value.rejectedAt)

/** What is known after the server accepted or refused the certificate held; the first refusal's time is kept. */
export const judged = (known: Knowledge, accepted: boolean, at: Instant): Knowledge => ({
  ...known,
  held: O.map((held: Held) => ({
    ...held,
    rejectedAt: accepted ? O.none : O.alt(() => O.some(at))(held.rejectedAt),
  }))(known.held),
  checkedAt: O.some(at),
  // What was held against a credential is settled. The pause stays: servers that disagree must not make us ask in a loop.
  setback:
    accepted && rejected(known)
      ? O.map((setback: Setback) => ({ ...setback, credential: O.none }))(known.setback)
      : known.setback,
})

/** What is known after a failure: how long to wait, and whether the certificate held was refused. */
export const setBack = (
  policy: RotationPolicy,
  known: Knowledge,
  failure: Failure,
  credential: O.Option<CredentialName>,
  at: Instant,
): Knowledge => {
  const refused = failure._tag === 'CredentialRejected' && O.isSome(credential) && credential.value === 'held'
  const next = refused ? judged(known, false, at) : known
  const seed = pipe(
    known.draft,
    O.map(({ keyId }) => keyId),
    O.alt(() => O.map(({ commonName }: { readonly commonName: string }) => commonName)(known.wanted)),
    O.getOrElse(() => ''),
  )
  return { ...next, setback: O.some(setbackAfter(policy, { ...next, seed }, failure, credential, at)) }
}
