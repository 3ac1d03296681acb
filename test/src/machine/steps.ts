/** What can happen to the machine: each outcome of its action, news, steps of the clock, a restart, what does not fit. */
import * as O from 'fp-ts/lib/Option.js'
import type { Action } from '../../../src/machine/action.js'
import { renewalOf } from '../../../src/machine/due.js'
import type { Event, News, Observation, Outcome } from '../../../src/machine/event.js'
import {
  draftOf,
  type Facts,
  type Held,
  type NextRequest,
  noFacts,
  outstanding,
} from '../../../src/machine/facts.js'
import type { RotationPolicy } from '../../../src/model/policy.js'
import type { Draft } from '../../../src/model/request.js'
import type { CertificateTemplate } from '../../../src/model/template.js'
import { after, day, endOfTime, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { chain, keyId, noon, otherTemplate, request, template, trouble } from '../samples.js'
import { blank, type Journal } from './invariants.js'

/** A point of the exploration. */
export interface Point {
  readonly facts: Facts
  readonly now: Instant
  readonly journal: Journal
  /** How many keys have been made. */
  readonly keys: number
  /** How it was reached, for people. */
  readonly path: Path | undefined
}

export interface Path {
  readonly label: string
  readonly before: Path | undefined
}

/** A way to go on: facts that become known at a time. */
export interface Step {
  readonly label: string
  readonly at: Instant
  readonly facts: ReadonlyArray<Outcome | News>
  readonly action?: Action
  readonly lost?: boolean
  readonly keys?: number
  readonly restart?: boolean
}

export const start = (wanted: O.Option<CertificateTemplate>): Point => ({
  facts: noFacts(wanted),
  now: noon,
  journal: blank(noon),
  keys: 1,
  path: undefined,
})

/** The certificates that a signer may hand out for a request. */
const certificates = (now: Instant, own: Draft): ReadonlyArray<readonly [string, Observation]> => {
  const { commonName } = own.template
  const issue = (differences: Parameters<typeof chain>[0]): Observation => ({
    _tag: 'Issued',
    chain: chain({
      commonName,
      keyId: own.keyId,
      notBefore: after(now, -5 * minute),
      notAfter: after(now, hour),
      ...differences,
    }),
  })
  return [
    ['a good certificate', issue({})],
    ['a short one', issue({ notAfter: after(now, 90 * second) })],
    ['an expired one', issue({ notAfter: after(now, -minute) })],
    ['one not yet valid', issue({ notBefore: after(now, 4 * minute) })],
    ['one for another key', issue({ keyId: keyId(0xfffff) })],
    ['one for another name', issue({ commonName: 'somebody else' })],
  ]
}

const refusals = [
  ['out of reach, told to wait a day', trouble('Unavailable', 'soon', O.some(day))],
  ['the credential rejected', trouble('CredentialRejected', 'later')],
  ['the server untrusted', trouble('ServerUntrusted')],
  ['no such credential', trouble('NoCredential', 'later')],
] as const

export const outcomes = ({ now, keys }: Point, action: Action): ReadonlyArray<Step> => {
  const step = (label: string, ...facts: ReadonlyArray<Outcome | News>): Step => ({
    label,
    at: now,
    facts,
    action,
  })
  switch (action._tag) {
    case 'Submit': {
      const { draft, credential } = action
      const own = O.isSome(draft)
        ? { ...request(draft.value.keyId), ...draft.value }
        : request(keyId(keys), action.template)
      const next = O.isSome(draft) ? keys : keys + 1
      const submitted: Outcome = { _tag: 'Submitted', request: own, credential, serverTime: O.none }
      const { uid: _, resourceVersion: __, ...saved } = own
      const failed = (failure: ReturnType<typeof trouble>, kept: O.Option<Draft>): Outcome => ({
        _tag: 'SubmitFailed',
        draft: kept,
        credential,
        failure,
      })
      const observed = (observation: Observation): Outcome => ({
        _tag: 'Observed',
        uid: own.uid,
        observation,
      })
      const there: ReadonlyArray<Step> = O.isSome(draft)
        ? [
            step('submitted, and approved already', submitted, observed({ _tag: 'Approved' })),
            step('submitted, and denied already', submitted, observed(denied)),
            ...certificates(now, own).map(([label, observation]) =>
              step(`submitted, and issued already: ${label}`, submitted, observed(observation)),
            ),
          ]
        : []
      return [
        step('submitted', submitted),
        { ...step('submitted after seven minutes', submitted), at: after(now, 7 * minute) },
        ...there,
        ...refusals.map(([label, failure]) => step(`submit: ${label}`, failed(failure, O.some(saved)))),
        { ...step('submit: answer lost', failed(trouble('Unreachable'), O.some(saved))), lost: true },
        step('submit: name taken', failed(trouble('NameTaken'), O.some(saved))),
        step('submit: disk full', failed(trouble('StoreUnwritable'), draft)),
      ].map((next_) => ({ ...next_, keys: next }))
    }
    case 'Observe': {
      const { uid } = action.request
      const observed = (label: string, observation: Observation) =>
        step(label, { _tag: 'Observed', uid, observation })
      return [
        observed('pending', { _tag: 'Pending' }),
        observed('approved', { _tag: 'Approved' }),
        ...certificates(now, action.request).map(([label, observation]) =>
          observed(`issued: ${label}`, observation),
        ),
        observed('unreadable', { _tag: 'Unreadable', problem: 'no PEM' }),
        observed('unverifiable', {
          _tag: 'Unverifiable',
          chain: chain({ keyId: action.request.keyId }),
          failure: trouble('TrustUnusable'),
        }),
        observed('denied', denied),
        observed('failed', { ...denied, _tag: 'Failed' }),
        observed('gone', { _tag: 'Gone' }),
        ...refusals.map(([label, failure]) =>
          step(`observe: ${label}`, { _tag: 'ObserveFailed', uid, credential: action.credential, failure }),
        ),
      ]
    }
    case 'Install': {
      const key = action.delivered.certificate.keyId
      return [
        step('installed', { _tag: 'Installed', keyId: key }),
        step('disk full', { _tag: 'InstallFailed', keyId: key, failure: trouble('StoreUnwritable') }),
      ]
    }
    case 'Probe':
      return [
        step('probe: accepted', { _tag: 'CredentialAccepted', keyId: action.keyId }),
        ...refusals
          .slice(0, 3)
          .map(([label, failure]) =>
            step(`probe: ${label}`, { _tag: 'ProbeFailed', keyId: action.keyId, failure }),
          ),
      ]
    case 'Wait':
      return action.until === endOfTime
        ? []
        : [{ label: 'the wait ends', at: action.until, facts: [], action }]
  }
}

const denied = { _tag: 'Denied', reason: 'No', message: '' } as const

export const news = ({ facts: known, now }: Point, windows: boolean): ReadonlyArray<Step> => {
  const held = O.toUndefined(known.held)
  const key = held?.certificate.keyId ?? keyId(0xffff0)
  const facts: ReadonlyArray<readonly [string, News]> = [
    ['wanted: worker-1', { _tag: 'TemplateChanged', template: O.some(template) }],
    ['wanted: worker-2', { _tag: 'TemplateChanged', template: O.some(otherTemplate) }],
    ['wanted: nothing known', { _tag: 'TemplateChanged', template: O.none }],
    ['rotation requested', { _tag: 'RotationRequested', why: 'requested by the embedder' }],
    ['the held one is accepted', { _tag: 'CredentialAccepted', keyId: key }],
    ['the held one is rejected', { _tag: 'CredentialRejected', keyId: key }],
  ]
  const suggestions: typeof facts = [
    ['a window that has begun', suggestion(now, -minute)],
    ['a window to come', suggestion(now, 3 * minute)],
    ['no window', { _tag: 'WindowSuggested', window: O.none }],
  ]
  return (windows ? [...facts, ...suggestions] : facts).map(([label, fact]) => ({
    label,
    at: now,
    facts: [fact],
  }))
}

const suggestion = (now: Instant, begins: number): News => ({
  _tag: 'WindowSuggested',
  window: O.some({
    start: after(now, begins),
    end: after(now, begins + hour),
    reason: 'the CA is replaced',
    source: 'a file',
  }),
})

/** The clock moves by itself: to the moments that matter of the certificates known, further, and back. */
export const clock = (policy: RotationPolicy, { facts, now }: Point): ReadonlyArray<Step> => {
  const held = O.toUndefined(facts.held)
  const next = O.toUndefined(facts.next)
  const moments = [
    ...(held === undefined
      ? []
      : [held.certificate.notBefore, renewalOf(policy, facts, held, now).at, held.certificate.notAfter]),
    ...(next?._tag === 'Delivered'
      ? [next.delivered.certificate.notBefore, next.delivered.certificate.notAfter]
      : []),
  ]
  return [
    ...moments.filter((moment) => moment > now),
    ...[second, 6 * minute, 2 * hour, -second, -6 * minute, -2 * hour].map((by) => after(now, by)),
  ].map((to) => ({
    label: `the clock goes by ${(to - now) / second} s`,
    at: to,
    facts: [],
  }))
}

export const restart = ({ facts: { held, next }, now }: Point): Step => {
  const found = O.map((known: Held) => ({ ...known, rejectedAt: O.none, serverUntrustedAt: O.none }))(held)
  const draft = O.map((known: NextRequest) => draftOf(known))(next)
  return { label: 'restart', at: now, facts: [{ _tag: 'Loaded', held: found, draft }], restart: true }
}

/** Facts about other requests and keys, and about actions that are not under way. */
export const misfits = ({ facts, now }: Point): ReadonlyArray<Event> => {
  const stranger = keyId(0xffffe)
  const failure = trouble('CredentialRejected', 'later')
  const at = now
  const always: ReadonlyArray<Event> = [
    { _tag: 'Observed', uid: 'other', observation: { _tag: 'Gone' }, at },
    { _tag: 'Observed', uid: 'other', observation: { _tag: 'Issued', chain: chain() }, at },
    { _tag: 'ObserveFailed', uid: 'other', credential: 'held', failure, at },
    { _tag: 'Installed', keyId: stranger, at },
    { _tag: 'InstallFailed', keyId: stranger, failure, at },
    { _tag: 'ProbeFailed', keyId: stranger, failure, at },
    { _tag: 'CredentialAccepted', keyId: stranger, at },
    { _tag: 'CredentialRejected', keyId: stranger, at },
    { _tag: 'WindowSuggested', window: facts.window, at },
    { _tag: 'WindowSuggested', window: O.some({ start: at, end: at, reason: '', source: '' }), at },
  ]
  const next = outstanding(facts, now)
  if (next === undefined) return always
  const { uid, keyId: own } = next.request
  const credential = 'held'
  return [
    ...always,
    { _tag: 'Loaded', held: O.none, draft: O.none, at },
    { _tag: 'Submitted', request: request(stranger), credential, serverTime: O.none, at },
    { _tag: 'SubmitFailed', draft: O.none, credential, failure, at },
    ...(next._tag === 'Delivered'
      ? [{ _tag: 'Observed', uid, observation: { _tag: 'Gone' }, at } as const]
      : [{ _tag: 'Installed', keyId: own, at } as const]),
  ]
}
