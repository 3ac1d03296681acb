/** Events, states and actions in a line each, for transcripts and logs. Names, numbers and times; never a secret. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../machine/action.js'
import type { Cause } from '../machine/due.js'
import type { Event, Observation } from '../machine/event.js'
import type { Facts, Held } from '../machine/facts.js'
import { savedDraft } from '../machine/facts.js'
import { stateOf } from '../machine/machine.js'
import type { State } from '../machine/state.js'
import type { CertificateChain } from '../model/certificate.js'
import type { Failure } from '../model/failure.js'
import type { RotationPolicy } from '../model/policy.js'
import { printable } from '../model/printable.js'
import type { Draft } from '../model/request.js'
import type { CertificateTemplate } from '../model/template.js'
import { endOfTime, type Instant, rfc3339 } from '../model/time.js'
import type { RenewalWindow } from '../model/window.js'

/** `Submitted csr-1f3a with bootstrap`: what happened; when it did is the event's `at`. */
export const printEvent = (event: Event): string => {
  switch (event._tag) {
    case 'Loaded': {
      const found = [...some(event.held, serial), ...some(event.draft, ({ name }) => name)]
      return `Loaded ${found.join(' and ') || 'nothing'}`
    }
    case 'Submitted':
      return `Submitted ${event.request.name} with ${event.credential}`
    case 'SubmitFailed':
      return `SubmitFailed with ${event.credential}: ${printFailure(event.failure)}`
    case 'Observed':
      return `Observed ${printObservation(event.observation)}`
    case 'ObserveFailed':
      return `ObserveFailed with ${event.credential}: ${printFailure(event.failure)}`
    case 'InstallFailed':
    case 'ProbeFailed':
      return `${event._tag}: ${printFailure(event.failure)}`
    case 'RotationRequested':
      return `RotationRequested: ${event.why}`
    case 'WindowSuggested':
      return `WindowSuggested: ${O.match(() => 'none', printWindow)(event.window)}`
    case 'TemplateChanged':
      return `TemplateChanged to ${O.match(() => 'none', printTemplate)(event.template)}`
    case 'Installed':
    case 'CredentialAccepted':
    case 'CredentialRejected':
      return event._tag
  }
}

/** `RenewDue 01 (deadline), draft csr-1f3a, attempt 2 failed (Unreachable)`: all that can matter next. */
export const printState =
  (policy: RotationPolicy) =>
  (facts: Facts, now: Instant): string =>
    [
      ...headOf(stateOf(policy)(facts, now)),
      ...some(savedDraft(facts), ({ name }: Draft) => `draft ${name}`),
      ...some(facts.requested, ({ why }) => `requested: ${why}`),
      ...some(facts.window, ({ start, end }) => `window from ${rfc3339(start)} to ${rfc3339(end)}`),
      ...(O.isNone(facts.wanted) ? ['nothing wanted'] : []),
      ...some(facts.lastFailure, ({ attempt, failure }) => `attempt ${attempt} failed (${failure._tag})`),
    ].join(', ')

/** `submit csr-1f3a with bootstrap`, `wait until …`. */
export const printAction = (action: Action): string => {
  switch (action._tag) {
    case 'Submit':
      return `submit ${O.match(
        () => 'a new request',
        ({ name }: Draft) => name,
      )(action.draft)} with ${action.credential}`
    case 'Observe':
      return `observe ${action.request.name} with ${action.credential}${action.until === endOfTime ? '' : ` until ${rfc3339(action.until)}`}`
    case 'Install':
      return `install ${serial(action.delivered)}`
    case 'Probe':
      return 'probe'
    case 'Wait':
      return action.until === endOfTime ? 'wait for news' : `wait until ${rfc3339(action.until)}`
  }
}

const headOf = (state: State): ReadonlyArray<string> => {
  switch (state._tag) {
    case 'Bootstrapping':
      return [state._tag, ...some(state.held, printHeld)]
    case 'Pending':
    case 'Approved':
      return [`${state._tag} ${state.request.name}`, ...some(state.held, printHeld)]
    case 'Issued':
      return state.stage === 'delivered'
        ? [`Issued ${serial(state.delivered)} (delivered)`, ...some(state.held, printHeld)]
        : [`Issued ${serial(state.held)} (installed), until ${rfc3339(state.held.certificate.notAfter)}`]
    case 'RenewDue':
      return [`RenewDue ${serial(state.held)} (${state.causes.map(printCause).join('; ')})`]
  }
}

const some = <A>(value: O.Option<A>, print: (value: A) => string): ReadonlyArray<string> =>
  O.isSome(value) ? [print(value.value)] : []

const serial = ({ certificate }: CertificateChain): string => certificate.serialNumber

const printHeld = (held: Held): string =>
  `held ${serial(held)}${O.isSome(held.rejectedAt) ? `, rejected since ${rfc3339(held.rejectedAt.value)}` : ''}${O.isSome(held.serverUntrustedAt) ? `, its server untrusted since ${rfc3339(held.serverUntrustedAt.value)}` : ''}`

/** A cause for renewal as a clause. */
export const printCause = (cause: Cause): string => {
  switch (cause._tag) {
    case 'Deadline':
      return 'deadline'
    case 'Requested':
      return cause.why
    case 'Window':
      return `renewal window ${printWindow(cause.window)}`
    case 'Template':
      return cause.missing.join(', ')
  }
}

/** `from … to …, suggested by windows.yaml: the CA is replaced`. */
export const printWindow = ({ start, end, source, reason }: RenewalWindow): string =>
  `from ${rfc3339(start)} to ${rfc3339(end)}, suggested by ${printable(source)}${reason === '' ? '' : `: ${printable(reason)}`}`

const printFailure = ({ _tag, message }: Failure): string => `${_tag}, ${message}`

const printObservation = (observation: Observation): string => {
  switch (observation._tag) {
    case 'Issued':
      return `Issued ${serial(observation.chain)}`
    case 'Unverifiable':
      return `Issued ${serial(observation.chain)}, unverifiable: ${printFailure(observation.failure)}`
    case 'Unreadable':
      return `Unreadable: ${observation.problem}`
    case 'Denied':
    case 'Failed':
      return `${observation._tag}: ${observation.reason}: ${observation.message}`
    case 'Pending':
    case 'Approved':
    case 'Gone':
      return observation._tag
  }
}

const printTemplate = ({ commonName, dnsNames, ipAddresses, uris }: CertificateTemplate): string =>
  [commonName, ...dnsNames, ...ipAddresses, ...uris].join(' ')
