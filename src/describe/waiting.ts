/** What a rotation waits for, and what a person can do about it. */
import * as O from 'fp-ts/lib/Option.js'
import { renewalOf } from '../machine/due.js'
import type { Facts } from '../machine/facts.js'
import { decide, stateOf } from '../machine/machine.js'
import { outageOf } from '../machine/ongoing.js'
import type { State } from '../machine/state.js'
import type { RotationPolicy } from '../model/policy.js'
import type { OutstandingRequest } from '../model/request.js'
import { endOfTime, type Instant, wholeSecond } from '../model/time.js'
import { nextAttempt } from './renewal.js'

export interface Waiting {
  /** What for: a noun with its object. */
  readonly what: string
  /** Since when, where that is known. */
  readonly since: O.Option<Instant>
  /** Until when, where that has an end. */
  readonly until: O.Option<Instant>
}

/** What is waited for at a time; `awaited` as in `explain`. */
export const waitingFor = (
  policy: RotationPolicy,
  facts: Facts,
  now: Instant,
  awaited: O.Option<string> = O.none,
): Waiting => {
  const state = stateOf(policy)(facts, now)
  const action = decide(policy)(facts, now)
  const isFailing = O.isSome(facts.lastFailure) && !isAtRest(state)
  if (action._tag === 'Wait' && isFailing)
    return {
      what: `the next attempt after ${facts.lastFailure.value.failure._tag}`,
      since: O.some(facts.lastFailure.value.at),
      until: finite(nextAttempt(policy, facts, action.until, now)),
    }
  switch (state._tag) {
    case 'Pending':
      return { what: `approval of request ${state.request.name}`, since: facts.submittedAt, until: O.none }
    case 'Approved':
      return {
        what: `request ${state.request.name} to be signed by ${state.request.template.signerName}`,
        since: facts.submittedAt,
        until: O.none,
      }
    case 'Issued':
      if (state.stage === 'installed')
        return policy.rotate
          ? untilRenewal(renewalOf(policy, facts, state.held, now))
          : { what: 'nothing: rotation is switched off', since: O.none, until: O.none }
      break
    case 'Bootstrapping':
    case 'RenewDue':
      if (O.isNone(facts.wanted)) {
        const what = O.getOrElse(() => 'word of what certificate is wanted')(awaited)
        return { what, since: O.none, until: O.none }
      }
  }
  return action._tag === 'Wait'
    ? { what: 'its time', since: O.none, until: finite(action.until) }
    : { what: `nothing: ${deeds[action._tag]}`, since: O.none, until: O.none }
}

const untilRenewal = ({ at, window }: ReturnType<typeof renewalOf>): Waiting => ({
  what: O.isSome(window)
    ? `its time in the renewal window of ${window.value.source}`
    : 'the rotation deadline',
  since: O.none,
  until: O.some(at),
})

const deeds = {
  Submit: 'a request is sent now',
  Observe: 'the request is watched',
  Install: 'the certificate is stored now',
  Probe: 'the server is asked now whether it accepts the certificate',
}

const finite = (at: Instant): O.Option<Instant> => (at === endOfTime ? O.none : O.some(wholeSecond(at)))

const isAtRest = (state: State): boolean => state._tag === 'Issued' && state.stage === 'installed'

/** What a person can do, a sentence each without a full stop; none: nothing has to be done. */
export const adviceFor = (policy: RotationPolicy, facts: Facts, now: Instant): ReadonlyArray<string> => {
  const state = stateOf(policy)(facts, now)
  const failure = isAtRest(state) ? undefined : O.toUndefined(facts.lastFailure)?.failure
  const remedies = [failure, outageOf(facts)?.failure].flatMap((one) =>
    one === undefined ? [] : [one.remedy],
  )
  return [...adviceOn(state), ...new Set(remedies)]
}

const adviceOn = (state: State): ReadonlyArray<string> => {
  switch (state._tag) {
    case 'Pending':
      return toApprove(state.request)
    case 'Approved':
      return [
        `find out why the signer ${state.request.template.signerName} does not sign: the log of kube-controller-manager for those of Kubernetes, otherwise that of your signer`,
      ]
    case 'Bootstrapping':
      return state.why === 'NotYetValid' ? ["set this machine's clock, if it is wrong"] : []
    case 'Issued':
    case 'RenewDue':
      return []
  }
}

const kubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
const approver = 'system:certificates.k8s.io:certificatesigningrequests'

const toApprove = ({ name, template: { signerName } }: OutstandingRequest): ReadonlyArray<string> => [
  `look at the request with kubectl describe csr ${name}, and approve it with kubectl certificate approve ${name}`,
  ...(signerName === kubeletSigner
    ? [
        `to have such requests approved without you, bind the cluster roles ${approver}:nodeclient (the first certificate) and ${approver}:selfnodeclient (renewals)`,
      ]
    : []),
]
