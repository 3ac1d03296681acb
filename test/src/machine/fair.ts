/** A fair world: the API works, approver and signer behave, the disk works, the clock runs. Invariant 2 is about it. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import type { News, Outcome } from '../../../src/machine/event.js'
import { decide, evolve } from '../../../src/machine/machine.js'
import { heldOf, inUse, type State, works } from '../../../src/machine/state.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import { unmet } from '../../../src/model/template.js'
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
  start: State,
  from: Instant,
  credentials: Credentials,
): string | undefined => {
  let now = from
  let state = O.isNone(start.wanted)
    ? evolve(policy)(start, { _tag: 'TemplateChanged', template: O.some(template), at: now })
    : start
  const held = O.toUndefined(heldOf(start))
  const continuous =
    credentials.heldIsAccepted &&
    policy.rotate &&
    held !== undefined &&
    works(policy, held, now) &&
    held.certificate.notAfter - now >= minute &&
    !('delivered' in start && start.delivered.certificate.notAfter - now < minute)
  let keys = 0xf0000
  for (let steps = 0; steps < 200 && now - from <= patience(policy) + (earlyFor(start, from) ?? 0); steps++) {
    if (isSettled(policy, state, now)) return undefined
    const action = decide(policy)(state, now)
    if (action._tag === 'Wait') {
      if (action.until === endOfTime) return `waits for ever in ${state._tag}`
      now = action.until > now ? action.until : after(now, 1)
      state = evolve(policy)(state, { _tag: 'TimePassed', at: now })
    } else {
      now = after(now, answerTime)
      for (const outcome of answer(policy, state, action, credentials, now, () => keyId(++keys)))
        state = evolve(policy)(state, { ...outcome, at: now })
    }
    if (continuous && O.isNone(inUse(policy, state, now))) return `had no certificate in ${state._tag}`
  }
  return `no certificate after ${now - from} ms, in ${state._tag}`
}

const isSettled = (policy: RotationPolicy, state: State, now: Instant): boolean =>
  state._tag === 'Issued' &&
  state.stage === 'installed' &&
  works(policy, state.held, now) &&
  (!policy.rotate ||
    (O.isSome(state.wanted) && unmet(state.wanted.value, state.held.certificate).length === 0))

/** A certificate that is early is waited for. */
const earlyFor = (state: State, now: Instant): number | undefined => {
  const held = O.toUndefined(heldOf(state))
  const early = [held, 'delivered' in state ? state.delivered : undefined].flatMap((known) =>
    known === undefined ? [] : [known.certificate.notBefore - now],
  )
  return Math.max(0, ...early)
}

const answer = (
  policy: RotationPolicy,
  state: State,
  action: Exclude<Action, { readonly _tag: 'Wait' }>,
  credentials: Credentials,
  now: Instant,
  newKey: () => string,
): ReadonlyArray<Outcome | News> => {
  const held = O.toUndefined(heldOf(state))
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
        ? [{ _tag: 'Submitted', request: own, credential }]
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
