/**
 * The invariants of the design, checked on every step that a rotation takes in a world of memory: those of the machine as
 * the exploration checks them, and beside them what only the API server can see.
 */
import * as O from 'fp-ts/lib/Option.js'
import type { MemoryPorts } from '../../adapters/memory/index.js'
import { type Facts, type Notice, type RotationPolicy, rfc3339, type State } from '../../src/index.js'
import { blank, type Journal, onEvent, onRestart } from '../src/machine/invariants.js'

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
  /** Requests that were submitted and whose end was not seen. */
  const open = new Set<string>()
  let known: Journal = blank(ports.clock.now())
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

  const step = ({ at, event, before, after, from, to }: Extract<Notice, { readonly _tag: 'Step' }>) => {
    steps += 1
    journal.push(`${rfc3339(at)} ${event?._tag ?? 'time'} ${said(from)} → ${said(to)}${trouble(after)}`)
    if (event === undefined) return
    const remembered = event._tag === 'Loaded' ? onRestart(known, event) : known
    const verdict = onEvent(policy, remembered, before, event, after)
    verdict.faults.forEach(problem)
    known = verdict.journal
    if (event._tag === 'Submitted') {
      const { name } = event.request
      for (const other of open)
        if (other !== name && undecided(other)) problem(`${name} was submitted while ${other} is outstanding`)
      open.add(name)
    }
    if (event._tag === 'Observed' && !['Pending', 'Approved'].includes(event.observation._tag))
      if ('request' in from) open.delete(from.request.name)
    if (event._tag === 'TemplateChanged') open.clear()
  }

  return {
    notify: (notice) => {
      if (notice._tag === 'Step') step(notice)
    },
    restarted: () => {
      known = { ...known, submittedAt: undefined }
      journal.push('— restart')
    },
    forgive: () => {
      known = { ...known, submittedAt: undefined }
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

const trouble = ({ lastFailure }: Facts): string =>
  O.isSome(lastFailure) ? ` (${lastFailure.value.failure._tag}, ${lastFailure.value.delay} ms)` : ''
