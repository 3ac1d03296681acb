/** A little of machine.exploration.test.ts: what breaks a promise of the design is noticed even where no example shows it. */
import * as O from 'fp-ts/lib/Option.js'
import { defaultPolicy } from '../../src/model/policy.js'
import { assert, suite } from '../helper/index.js'
import { explore } from '../src/machine/explorer.js'
import { start } from '../src/machine/steps.js'
import { template } from '../src/samples.js'

const test = suite('machine, explored a little')

for (const policy of [defaultPolicy, { ...defaultPolicy, authenticateWith: 'external' } as const])
  test(`keeps its promises with the credential ${policy.authenticateWith}`, { deadline: 300_000 }, () => {
    const { faults } = explore(policy, [start(O.some(template)), start(O.none)], {
      depth: 2,
      classes: 500,
      windows: true,
      credentials: [
        { heldIsAccepted: true, bootstrap: true },
        { heldIsAccepted: false, bootstrap: true },
        { heldIsAccepted: true, bootstrap: false },
      ],
    })
    assert.equal(faults, [])
  })
