/** What `status` prints. */
import * as O from 'fp-ts/lib/Option.js'
import { approvalByHand } from '../../src/describe/approval.js'
import { explain } from '../../src/describe/explain.js'
import { rotateAt, windowInWords } from '../../src/describe/renewal.js'
import { waitingFor } from '../../src/describe/waiting.js'
import { isUsable } from '../../src/machine/due.js'
import type { Held, LastFailure } from '../../src/machine/facts.js'
import { stateOf } from '../../src/machine/machine.js'
import { expired } from '../../src/model/certificate.js'
import { printable } from '../../src/model/printable.js'
import type { Draft } from '../../src/model/request.js'
import { type Instant, inWords, rfc3339 } from '../../src/model/time.js'
import type { RenewalWindow } from '../../src/model/window.js'
import { holderInWords } from '../filesystem/index.js'
import type { Agent, Situation } from './inquiry.js'

/** Some sentences, each of which may quote a server. */
export const longest = 4_000

/** What `-o json` prints; instants in RFC 3339. */
export interface Report {
  readonly state: string
  readonly explanation: string
  readonly usable: boolean
  readonly certificate?: {
    readonly serialNumber: string
    readonly commonName: string
    readonly organizations: ReadonlyArray<string>
    readonly issuer: string
    readonly keyId: string
    readonly notBefore: string
    readonly notAfter: string
  }
  readonly receivedAt?: string
  readonly rotateAt?: string
  /** The renewal window that is suggested to the agent, and what comes of it in `meaning`. */
  readonly renewalWindow?: {
    readonly start: string
    readonly end: string
    readonly source: string
    readonly reason: string
    readonly meaning: string
  }
  /** Whether the certificate chains to a CA in `--client-ca-file`, where that is given and could be read. */
  readonly chainVerified?: boolean
  /** Who has the directory open; null: nobody; absent: that cannot be asked. */
  readonly agent?: Agent | null
  /** What the agent waits for; absent: there is none that says so. */
  readonly waitsFor?: { readonly what: string; readonly since?: string; readonly until?: string }
  /** The last attempt of the agent that failed, until a certificate is at rest. */
  readonly lastFailure?: {
    readonly at: string
    readonly reason: string
    readonly message: string
    readonly remedy: string
    readonly attempt: number
  }
  readonly connections?: { readonly current: number; readonly earlier: number; readonly none: number }
  readonly pendingRequest?: { readonly name: string; readonly signerName: string; readonly keyId: string }
  /** Where there is no certificate: the prefixes of others in the directory. */
  readonly otherPrefixes?: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

export const reportOn = (situation: Situation, others: ReadonlyArray<string> = []): Report => {
  const { now, policy, facts, draft, agent, snapshot, warnings } = situation
  const state = stateOf(policy)(facts, now)
  const held = O.toUndefined(facts.held)
  const request = O.toUndefined(draft)
  const renewal = rotateAt(policy, facts, now)
  const verification = held?.verification._tag ?? 'Unchecked'
  const isLive = snapshot !== undefined && O.isSome(snapshot.known)
  const connections = O.toUndefined(snapshot?.connections ?? O.none)
  return {
    state: snapshot !== undefined && !isLive ? snapshot.state : state._tag,
    explanation: [explanationOf(situation, renewal), ...otherCertificates(others)].join(' '),
    usable: held !== undefined && isUsable(policy, held, now),
    ...(held === undefined ? {} : { certificate: certificateOf(held) }),
    ...(held === undefined ? {} : { receivedAt: rfc3339(held.receivedAt) }),
    ...(renewal === undefined ? {} : { rotateAt: rfc3339(renewal) }),
    ...(O.isSome(facts.window) ? { renewalWindow: windowOf(situation, facts.window.value) } : {}),
    ...(verification === 'Unchecked' ? {} : { chainVerified: verification === 'Verified' }),
    ...(agent === undefined ? {} : { agent }),
    ...(isLive ? { waitsFor: waits(situation) } : {}),
    ...(isLive && O.isSome(facts.lastFailure) && !(state._tag === 'Issued' && state.stage === 'installed')
      ? { lastFailure: failureOf(facts.lastFailure.value) }
      : {}),
    ...(connections === undefined ? {} : { connections }),
    ...(request === undefined
      ? {}
      : {
          pendingRequest: {
            name: request.name,
            signerName: request.template.signerName,
            keyId: request.keyId,
          },
        }),
    ...(others.length === 0 ? {} : { otherPrefixes: others }),
    warnings,
  }
}

const certificateOf = ({ certificate }: Held) => ({
  serialNumber: certificate.serialNumber,
  commonName: certificate.commonName,
  organizations: certificate.organizations,
  issuer: certificate.issuer,
  keyId: certificate.keyId,
  notBefore: rfc3339(certificate.notBefore),
  notAfter: rfc3339(certificate.notAfter),
})

const windowOf = ({ policy, facts, now }: Situation, window: RenewalWindow) => ({
  start: rfc3339(window.start),
  end: rfc3339(window.end),
  source: window.source,
  reason: window.reason,
  meaning: windowInWords(policy, facts, window, now),
})

const waits = ({ policy, facts, now, snapshot }: Situation): Report['waitsFor'] & {} => {
  const { what, since, until } = waitingFor(policy, facts, now, snapshot?.awaited)
  return {
    what,
    ...(O.isSome(since) ? { since: rfc3339(since.value) } : {}),
    ...(O.isSome(until) ? { until: rfc3339(until.value) } : {}),
  }
}

const failureOf = ({ at, attempt, failure }: LastFailure): Report['lastFailure'] & {} => ({
  at: rfc3339(at),
  reason: failure._tag,
  message: failure.message,
  remedy: failure.remedy,
  attempt,
})

/** The agent's own explanation where there is one; otherwise what the files mean. */
const explanationOf = (situation: Situation, renewal: Instant | undefined): string => {
  const { snapshot, policy, facts, draft, now } = situation
  if (snapshot !== undefined)
    return O.isSome(snapshot.known)
      ? explain(policy, facts, now, snapshot.awaited)
      : printable(snapshot.explanation, longest)
  return [summaryOf(situation, renewal), ...savedRequest(O.toUndefined(draft))].join(' ')
}

/** What the directory means, for people. What an agent does next, and what the server says, only it can tell. */
const summaryOf = ({ policy, facts, now, agent }: Situation, renewal: Instant | undefined): string => {
  const { held } = facts
  if (O.isNone(held)) return 'There is no certificate: kube-cert-rotation run obtains one.'
  const { notBefore, notAfter } = held.value.certificate
  if (expired(held.value.certificate, now))
    return `The certificate expired ${inWords(now - notAfter)} ago: kube-cert-rotation run obtains another.`
  if (now < notBefore)
    return `By this machine's clock the certificate is not valid for another ${inWords(notBefore - now)}.`
  if (stateOf(policy)(facts, now)._tag === 'RenewDue' || renewal === undefined)
    return `The certificate works for another ${inWords(notAfter - now)}; its renewal is due.`
  return agent === null
    ? `The certificate works; its renewal is due in ${inWords(renewal - now)}, if kube-cert-rotation run is there to do it.`
    : `The certificate works, and is renewed in ${inWords(renewal - now)}.`
}

const otherCertificates = (prefixes: ReadonlyArray<string>): ReadonlyArray<string> =>
  prefixes.length === 0
    ? []
    : [
        `The directory has certificates with other prefixes: ${prefixes.map((prefix) => `--cert-prefix=${printable(prefix)}`).join(', ')}.`,
      ]

const savedRequest = (request: Draft | undefined): ReadonlyArray<string> =>
  request === undefined
    ? []
    : // It is saved before it is sent, and not written again after.
      [
        `A request is saved; whether it was sent, this directory does not know: kubectl get csr ${request.name} says what has become of it, NotFound when it was not sent or is gone${approvalByHand(request)}.`,
      ]

export const agentInWords = (agent: Agent | null): string =>
  agent === null
    ? 'nobody: no agent is running on this directory (a kubelet would not show here)'
    : holderInWords('silent' in agent ? undefined : agent)

export const connectionsInWords = ({ current, earlier, none }: Report['connections'] & {}): string =>
  [
    `${current} with the current certificate`,
    ...(earlier > 0 ? [`${earlier} with an earlier one`] : []),
    ...(none > 0 ? [`${none} without one`] : []),
  ].join(', ')

export const reportInLines = (report: Report): string => {
  const { certificate, pendingRequest, waitsFor, connections } = report
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ['state', report.state],
    ['certificate', certificate?.serialNumber],
    ['subject', certificate && `CN=${certificate.commonName}, O=${certificate.organizations.join('+')}`],
    ['issuer', certificate?.issuer],
    ['valid', certificate && `${certificate.notBefore} to ${certificate.notAfter}`],
    ['received', report.receivedAt],
    ['renewed at', report.rotateAt],
    ['window', report.renewalWindow?.meaning],
    ['chain', report.chainVerified === true ? 'chains to a CA in the file given' : undefined],
    ['agent', report.agent === undefined ? undefined : agentInWords(report.agent)],
    [
      'waits for',
      waitsFor &&
        [
          waitsFor.what,
          ...(waitsFor.since === undefined ? [] : [`since ${waitsFor.since}`]),
          ...(waitsFor.until === undefined ? [] : [`until ${waitsFor.until}`]),
        ].join(', '),
    ],
    ['connections', connections && connectionsInWords(connections)],
    ['request', pendingRequest && `${pendingRequest.name} (${pendingRequest.signerName})`],
  ]
  return [
    ...rows.flatMap(([name, value]) =>
      value === undefined ? [] : [`${name.padEnd(12)} ${printable(value)}`],
    ),
    '',
    printable(report.explanation, longest),
    ...report.warnings.map((warning) => `warning: ${printable(warning)}`),
    '',
  ].join('\n')
}
