import * as O from 'fp-ts/lib/Option.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { assert, note, sample, suite, thorough } from '../../helper/index.js'
import { template } from '../samples.js'
import { explore } from './explorer.js'
import { start } from './steps.js'

const test = suite('machine, explored')

interface Exploration {
  readonly policy: RotationPolicy
  /** Up to so many steps, all sequences. */
  readonly depth: number
  /** Whether all classes of states are explored, or the first few. */
  readonly whole: boolean
  /** Whether renewal windows are suggested: three times the states. */
  readonly windows: boolean
}

const withoutRotation = { ...defaultPolicy, rotate: false }
const external = { ...defaultPolicy, authenticateWith: 'external' } as const
const explorations: Readonly<Record<string, Exploration>> = {
  'when it rotates as the kubelet does': {
    policy: defaultPolicy,
    depth: sample(3, 4),
    whole: thorough,
    windows: false,
  },
  'when rotation is switched off': {
    policy: withoutRotation,
    depth: 3,
    whole: thorough,
    windows: false,
  },
  'when it authenticates with something else': {
    policy: external,
    depth: 3,
    whole: thorough,
    windows: false,
  },
  'when renewal windows are suggested': {
    policy: defaultPolicy,
    depth: 3,
    whole: thorough,
    windows: true,
  },
}

for (const [name, { policy, depth, whole, windows }] of Object.entries(explorations))
  test(`keeps its promises on every path ${name}`, { deadline: sample(100_000, 600_000) }, () => {
    const began = performance.now()
    const found = explore(policy, [start(O.some(template)), start(O.none)], {
      depth,
      classes: whole ? 200_000 : 1_000,
      windows,
      credentials: [
        { heldIsAccepted: true, bootstrap: true },
        { heldIsAccepted: false, bootstrap: true },
        { heldIsAccepted: true, bootstrap: false },
      ],
    })
    note(
      `${name}: ${found.points} states of machine, clock and journal on all ${found.sequences} sequences up to ${depth} steps; ` +
        `then ${found.classes} classes of states over ${found.edges} steps${found.closed ? ', until no new one was found' : ''}; ${Math.round(performance.now() - began)} ms`,
    )
    assert.equal(found.faults, [])
    assert.is(found.closed, whole, 'whether there are more classes than were explored')
  })
