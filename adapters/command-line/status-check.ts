/**
 * `status --check`: one line and an exit code, as the plugins of Nagios, Icinga and their like have them
 * (https://nagios-plugins.org/doc/guidelines.html).
 */
import * as O from 'fp-ts/lib/Option.js'
import { rotateAt } from '../../src/describe/renewal.js'
import { isUsable } from '../../src/machine/due.js'
import { stateOf } from '../../src/machine/machine.js'
import { printable } from '../../src/model/printable.js'
import { inWords, type Milliseconds, rfc3339, second } from '../../src/model/time.js'
import type { Situation } from './inquiry.js'

export const exitCodes = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const

export interface CheckResult {
  readonly status: keyof typeof exitCodes
  /** What is the matter; a clause. */
  readonly what: string
  /** Until the certificate expires. */
  readonly left?: Milliseconds
}

/** `CERTIFICATE OK: works until 2027-… | expires_in=31536000s`. */
export const checkLine = ({ status, what, left }: CheckResult): string =>
  `CERTIFICATE ${status}: ${printable(what)}${left === undefined ? '' : ` | expires_in=${Math.trunc(left / second)}s`}`

/**
 * CRITICAL: no certificate works. WARNING: it expires within `expiresIn`; its renewal fails; or it is overdue, with half of
 * the time gone that was left for it.
 */
export const check = (situation: Situation, expiresIn: Milliseconds | undefined): CheckResult => {
  const { policy, facts, now, agent } = situation
  const { held, lastFailure } = facts
  if (O.isNone(held)) return { status: 'CRITICAL', what: `there is no certificate${because(situation)}` }
  const { notAfter, notBefore } = held.value.certificate
  const left = notAfter - now
  if (left <= 0)
    return {
      status: 'CRITICAL',
      what: `the certificate expired ${inWords(-left)} ago${because(situation)}`,
      left,
    }
  if (now < notBefore)
    return { status: 'CRITICAL', what: `the certificate is not valid before ${rfc3339(notBefore)}`, left }
  if (!isUsable(policy, held.value, now)) {
    const flaw = O.isSome(held.value.serverUntrustedAt)
      ? 'the API server cannot be verified'
      : 'the server rejects the certificate'
    return { status: 'CRITICAL', what: `${flaw}${because(situation)}`, left }
  }
  const works = `the certificate works for another ${inWords(left)}`
  const warn = (what: string): CheckResult => ({ status: 'WARNING', what: `${works}; ${what}`, left })
  const renewal = rotateAt(policy, facts, now)
  const state = stateOf(policy)(facts, now)
  const isDue = !(state._tag === 'Issued' && state.stage === 'installed')
  if (expiresIn !== undefined && left <= expiresIn)
    return warn(`that is less than ${inWords(expiresIn)}${because(situation)}`)
  if (isDue && O.isSome(lastFailure)) return warn(`its renewal fails${because(situation)}`)
  if (isDue && agent === null) return warn('its renewal is due, and no agent is running on the directory')
  if (renewal !== undefined && now > renewal + (notAfter - renewal) / 2) return warn('its renewal is overdue')
  const when = renewal === undefined || isDue ? '' : `, and is renewed in ${inWords(renewal - now)}`
  return { status: 'OK', what: `${works}${when}`, left }
}

/** The worst of several, with what is wrong of each; the time is that until the first one expires. */
export const worstOf = (
  results: ReadonlyArray<{ readonly name: string; readonly result: CheckResult }>,
): CheckResult => {
  const order = ['CRITICAL', 'UNKNOWN', 'WARNING', 'OK'] as const
  const status = order.find((one) => results.some(({ result }) => result.status === one)) ?? 'OK'
  const wrong = results.filter(({ result }) => result.status !== 'OK')
  const left = results.flatMap(({ result }) => (result.left === undefined ? [] : [result.left]))
  return {
    status,
    what:
      wrong.length === 0
        ? `${results.length} certificates work`
        : wrong.map(({ name, result }) => `${name}: ${result.what}`).join('; '),
    ...(left.length === 0 ? {} : { left: Math.min(...left) }),
  }
}

/** The last failure, where an agent tells it. */
const because = ({ facts: { lastFailure } }: Situation): string =>
  O.isSome(lastFailure) ? `: ${lastFailure.value.failure._tag}, ${lastFailure.value.failure.message}` : ''
