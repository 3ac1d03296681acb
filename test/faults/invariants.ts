/** The invariants of the design, checked on every step that a rotation takes in a world of memory. */
import * as O from 'fp-ts/lib/Option.js'
import type { MemoryPorts } from '../../adapters/memory/index.js'
import {
  expired,
  heldOf,
  inUse,
  type Notice,
  type RotationPolicy,
  rfc3339,
  type State,
  unmet,
  works,
} from '../../src/index.js'

/** What is checked from the outside, as things happen. */
export interface Watcher {
  readonly notify: (notice: Notice) => void
  /** The agent starts again: what it only had in memory is forgotten. */
  readonly restarted: () => void
  /** Time was set back, or nothing of what was submitted counts any more. */
  readonly forgive: () => void
  /** A stretch of time has passed in which nobody did anything to agent or server. */
  readonly passed: (from: number, to: number) => void
  /** Something that was done, for the journal. */
  readonly note: (line: string) => void
  readonly problems: ReadonlyArray<string>
  /** For people who look into a failing seed. */
  readonly journal: ReadonlyArray<string>
}

export const watcher = (policy: RotationPolicy, ports: MemoryPorts): Watcher => {
  const problems: Array<string> = []
  const journal: Array<string> = []
  const installed = new Set<string>()
  /** Requests that were submitted and whose end was not seen. */
  const open = new Set<string>()
  let submittedAt = Number.NEGATIVE_INFINITY
  let steps = 0
  let calls = 0

  const problem = (what: string) => {
    problems.push(what)
    journal.push(`PROBLEM: ${what}`)
  }

  const undecided = (name: string): boolean =>
    ports.requests
      .requests()
      .some((r) => r.name === name && ['Pending', 'Approved'].includes(r.condition._tag))

  const step = ({ event, from, to }: Extract<Notice, { readonly _tag: 'Step' }>) => {
    const { at } = event
    steps += 1
    journal.push(`${rfc3339(at)} ${event._tag} ${said(from)} → ${said(to)}${trouble(to)}`)
    const [before, after] = [heldOf(from), heldOf(to)]
    const worked = O.isSome(before) && works(policy, before.value, at)
    const refused =
      event._tag === 'CredentialRejected' ||
      O.isSome(O.chain(({ rejectedAt }: { readonly rejectedAt: O.Option<unknown> }) => rejectedAt)(after))
    if (worked && !refused && !(O.isSome(after) && works(policy, after.value, at)))
      problem(`${event._tag} made a working certificate be given up`)
    if (worked && O.isNone(inUse(policy, to, at))) problem('nothing is in use although a certificate works')
    if (event._tag === 'Submitted') {
      const { name, keyId } = event.request
      if (at < submittedAt + policy.submitInterval && at >= submittedAt)
        problem(`two submissions ${at - submittedAt} ms apart`)
      submittedAt = at
      for (const other of open)
        if (other !== name && undecided(other)) problem(`${name} was submitted while ${other} is outstanding`)
      if (installed.has(keyId)) problem('a key that is certified was submitted')
      open.add(name)
    }
    if (event._tag === 'Observed' && !['Pending', 'Approved'].includes(event.observation._tag))
      if ('request' in from) open.delete(from.request.name)
    if (event._tag === 'TemplateChanged') open.clear()
    if (event._tag === 'Installed' && 'delivered' in from && O.isSome(after)) {
      const { certificate } = after.value
      if (installed.has(event.keyId)) problem('a key was used for two rotations')
      installed.add(event.keyId)
      if (certificate.keyId !== from.request.keyId) problem('a certificate for another key was installed')
      if (unmet(from.request.template, certificate).length > 0) problem('it is not what was asked for')
      if (expired(certificate, from.delivered.receivedAt)) problem('it had ended when it arrived')
    }
  }

  return {
    notify: (notice) => {
      if (notice._tag === 'Step') step(notice)
    },
    restarted: () => {
      submittedAt = Number.NEGATIVE_INFINITY
      journal.push('— restart')
    },
    forgive: () => {
      submittedAt = Number.NEGATIVE_INFINITY
      open.clear()
    },
    passed: (from, to) => {
      const seconds = (to - from) / 1000
      const made = ports.requests.records.length - calls
      // Failures are half a second apart at first, and up to a minute soon; a rotation is three calls every ten seconds.
      if (made > 30 + seconds / 3) problem(`${made} calls in ${seconds} s`)
      if (steps > 60 + seconds) problem(`${steps} steps in ${seconds} s`)
      calls = ports.requests.records.length
      steps = 0
    },
    note: (line) => {
      journal.push(line)
    },
    problems,
    journal,
  }
}

const said = (state: State): string => ('stage' in state ? `${state._tag}/${state.stage}` : state._tag)

const trouble = ({ setback }: State): string =>
  O.isSome(setback) ? ` (${setback.value.failure._tag}, ${setback.value.delay} ms)` : ''
