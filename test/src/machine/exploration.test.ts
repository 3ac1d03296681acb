import * as O from 'fp-ts/lib/Option.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { assert, note, sample, suite, thorough } from '../../helper/index.js'
import { template } from '../samples.js'
import { explore } from './explorer.js'
import { start } from './steps.js'

const test = suite('machine, explored')

const policies: Readonly<Record<string, RotationPolicy>> = {
  'when it rotates as the kubelet does': defaultPolicy,
  'when rotation is switched off': { ...defaultPolicy, rotate: false },
  'when it authenticates with something else': { ...defaultPolicy, authenticateWith: 'external' },
}

for (const [name, policy] of Object.entries(policies))
  test(`keeps its promises on every path ${name}`, { deadline: sample(100_000, 600_000) }, () => {
    const depth = sample(3, policy === defaultPolicy ? 5 : 4)
    const whole = thorough || policy === defaultPolicy
    const began = performance.now()
    const found = explore(policy, [start(O.some(template)), start(O.none)], {
      depth,
      classes: whole ? 200_000 : 2_000,
      fine: thorough,
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
