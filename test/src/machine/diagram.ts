/** The machine's states and what leads from one to another, found by exploring it, as a Mermaid diagram. */
import * as O from 'fp-ts/lib/Option.js'
import type { Event } from '../../../src/machine/event.js'
import { stateOf } from '../../../src/machine/machine.js'
import type { State } from '../../../src/machine/state.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { template } from '../samples.js'
import { type Arrow, explore } from './explorer.js'
import { start } from './steps.js'

/** A row of the transition table. */
export interface Transition {
  /** A state's name, for `Issued` with its stage. */
  readonly from: string
  readonly label: string
  readonly to: string
}

const states = ['Bootstrapping', 'Pending', 'Approved', 'delivered', 'installed', 'RenewDue']
const labels = [
  'loaded',
  'valid now',
  'deadline',
  'expired',
  'clock set back',
  'submitted',
  'approved',
  'issued',
  'installed',
  'denied, gone or defective',
  'template changed',
  'rotation requested',
  'window suggested',
  'credential rejected',
  'credential accepted',
]

const nameOf = (state: State): string => (state._tag === 'Issued' ? state.stage : state._tag)

/** The first 20,000 of some 90,000 classes of states have every transition. */
const enough = 20_000

/** Every transition from one state to another, each once, in a fixed order; of fewer classes, those that they have. */
export const transitions = (classes = enough): ReadonlyArray<Transition> => {
  const found = new Map<string, Transition>()
  const add = (from: State, label: string, to: State) => {
    const row = { from: nameOf(from), label, to: nameOf(to) }
    if (row.from !== row.to) found.set(JSON.stringify(row), row)
  }
  const stateAt = stateOf(defaultPolicy)
  const onArrow = ({ from, before, at, event, to }: Arrow) => {
    // An event brings its time with it: what the time alone does is not the event's doing.
    const meanwhile = stateAt(from, at)
    add(stateAt(from, before), timeLabel(stateAt(from, before), meanwhile), meanwhile)
    if (event !== undefined) add(meanwhile, labelOf(event, stateAt(to, at)), stateAt(to, at))
  }
  explore(
    defaultPolicy,
    [start(O.some(template)), start(O.none)],
    { depth: 0, classes, windows: true, credentials: [] },
    onArrow,
  )
  const order = ({ from, label, to }: Transition) =>
    states.indexOf(from) * 1_000 + states.indexOf(to) * 100 + labels.indexOf(label)
  return [...found.values()].sort((a, b) => order(a) - order(b))
}

/** What happened to the certificate when nothing but time passed. */
const timeLabel = (from: State, to: State): string => {
  if (nameOf(from) === 'delivered') return 'expired'
  if (to._tag === 'RenewDue') return from._tag === 'Bootstrapping' ? 'valid now' : 'deadline'
  if (to._tag === 'Issued') return from._tag === 'Bootstrapping' ? 'valid now' : 'clock set back'
  return to._tag === 'Bootstrapping' && to.why === 'Expired' ? 'expired' : 'clock set back'
}

const labelOf = (event: Event, to: State): string => {
  switch (event._tag) {
    case 'Loaded':
      return 'loaded'
    case 'Submitted':
      return 'submitted'
    case 'SubmitFailed':
    case 'ObserveFailed':
    case 'ProbeFailed':
    case 'InstallFailed':
    case 'CredentialRejected':
      return 'credential rejected'
    case 'CredentialAccepted':
      return 'credential accepted'
    case 'Installed':
      return 'installed'
    case 'RotationRequested':
      return 'rotation requested'
    case 'WindowSuggested':
      return 'window suggested'
    case 'TemplateChanged':
      return 'template changed'
    case 'Observed':
      if (to._tag === 'Approved') return 'approved'
      return to._tag === 'Issued' && to.stage === 'delivered' ? 'issued' : 'denied, gone or defective'
  }
}

/** A Mermaid state diagram: one arrow for each pair of states, its reasons on it. */
export const diagram = (rows: ReadonlyArray<Transition>): string => {
  const arrows = new Map<string, ReadonlyArray<string>>()
  for (const { from, label, to } of rows) {
    const arrow = `${from} --> ${to}`
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), label])
  }
  return [
    '```mermaid',
    'stateDiagram-v2',
    '  [*] --> Bootstrapping',
    '  state Issued {',
    '    delivered',
    '    installed',
    '  }',
    ...[...arrows].map(([arrow, reasons]) => `  ${arrow}: ${reasons.join(', ')}`),
    '```',
  ].join('\n')
}
