/** A fair world: the API works, approver and signer behave, the disk works, the clock runs. Invariant 2 is about it. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import { inUse } from '../../../src/machine/credential.js'
import { isUsable } from '../../../src/machine/due.js'
import type { News, Outcome } from '../../../src/machine/event.js'
import { type Facts, outstanding } from '../../../src/machine/facts.js'
import { decide, evolve, stateOf } from '../../../src/machine/machine.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import { missingFrom } from '../../../src/model/template.js'
import { after, endOfTime, hour, type Instant, minute } from '../../../src/model/time.js'
import { certificate, keyId, request, template, trouble } from '../samples.js'
import { patience } from './invariants.js'

/** What the world thinks of our two credentials. */
export interface Credentials {
  readonly heldIsAccepted: boolean
  readonly bootstrap: boolean
}

const answerTime = 100

/** What is missing for a certificate in use to follow from `state` in a fair world; nothing when it does. */
export const unfairEnd = (
  policy: RotationPolicy,
  start: Facts,
  from: Instant,
  credentials: Credentials,
): string | undefined => {
  let now = from
  let facts = O.isNone(start.wanted)
    ? evolve(policy)(start, { _tag: 'TemplateChanged', template: O.some(template), at: now })
    : start
  const held = O.toUndefined(start.held)
  const next = outstanding(start, from)
  const continuous =
    credentials.heldIsAccepted &&
    policy.rotate &&
    held !== undefined &&
    isUsable(policy, held, now) &&
    held.certificate.notAfter - now >= minute &&
    !(next?._tag === 'Delivered' && next.delivered.certificate.notAfter - now < minute)
  let keys = 0xf0000
  for (
    let steps = 0;
    steps < 200 && now - from <= patience(policy, start, from) + (earlyFor(start, from) ?? 0);
    steps++
  ) {
    if (isSettled(policy, facts, now)) return undefined
    const state = stateOf(policy)(facts, now)
    const action = decide(policy)(facts, now)
    if (action._tag === 'Wait') {
      if (action.until === endOfTime) return `waits for ever in ${state._tag}`
      now = action.until > now ? action.until : after(now, 1)
    } else {
      now = after(now, answerTime)
      for (const outcome of answer(policy, facts, action, credentials, now, () => keyId(++keys)))
        facts = evolve(policy)(facts, { ...outcome, at: now })
    }
    if (continuous && O.isNone(inUse(policy, facts, now))) return `had no certificate in ${state._tag}`
  }
  return `no certificate after ${now - from} ms, in ${stateOf(policy)(facts, now)._tag}`
}

const isSettled = (policy: RotationPolicy, facts: Facts, now: Instant): boolean => {
  const state = stateOf(policy)(facts, now)
  return (
    state._tag === 'Issued' &&
    state.stage === 'installed' &&
    isUsable(policy, state.held, now) &&
    (!policy.rotate ||
      (O.isSome(facts.wanted) && missingFrom(facts.wanted.value, state.held.certificate).length === 0))
  )
}

/** A certificate that is early is waited for. */
const earlyFor = (facts: Facts, now: Instant): number | undefined => {
  const next = outstanding(facts, now)
  const early = [O.toUndefined(facts.held), next?._tag === 'Delivered' ? next.delivered : undefined].flatMap(
    (known) => (known === undefined ? [] : [known.certificate.notBefore - now]),
  )
  return Math.max(0, ...early)
}

const answer = (
  policy: RotationPolicy,
  facts: Facts,
  action: Exclude<Action, { readonly _tag: 'Wait' }>,
  credentials: Credentials,
  now: Instant,
  newKey: () => string,
): ReadonlyArray<Outcome | News> => {
  const held = O.toUndefined(facts.held)
  const accepts = (name: string): boolean =>
    policy.authenticateWith === 'external' ||
    (name === 'held'
      ? credentials.heldIsAccepted && held !== undefined && now < held.certificate.notAfter
      : credentials.bootstrap)
  const refusal = (name: string) =>
    name === 'held' ? trouble('CredentialRejected', 'later') : trouble('NoCredential', 'later')
  switch (action._tag) {
    case 'Submit': {
      const { draft, credential } = action
      const own = O.isSome(draft)
        ? { ...request(draft.value.keyId), ...draft.value }
        : request(newKey(), action.template)
      return accepts(credential)
        ? [{ _tag: 'Submitted', request: own, credential, serverTime: O.none }]
        : [{ _tag: 'SubmitFailed', draft: O.some(own), credential, failure: refusal(credential) }]
    }
    case 'Observe': {
      const { request: own, credential } = action
      const { uid } = own
      if (!accepts(credential))
        return [{ _tag: 'ObserveFailed', uid, credential, failure: refusal(credential) }]
      const issued = certificate({
        ...own.template,
        keyId: own.keyId,
        notBefore: after(now, -5 * minute),
        notAfter: after(now, hour),
      })
      return action.known === 'Pending'
        ? [{ _tag: 'Observed', uid, observation: { _tag: 'Approved' } }]
        : [
            {
              _tag: 'Observed',
              uid,
              observation: {
                _tag: 'Issued',
                chain: { certificate: issued, pem: uid, verification: { _tag: 'Unchecked' } },
              },
            },
          ]
    }
    case 'Install':
      return [{ _tag: 'Installed', keyId: action.delivered.certificate.keyId }]
    case 'Probe':
      return [
        accepts('held')
          ? { _tag: 'CredentialAccepted', keyId: action.keyId }
          : { _tag: 'ProbeFailed', keyId: action.keyId, failure: refusal('held') },
      ]
  }
}
