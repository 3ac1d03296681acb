import * as O from 'fp-ts/lib/Option.js'
import { summaryOf } from '../../../adapters/command-line/summary.js'
import { evolve } from '../../../src/index.js'
import { noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, keyId, noon, template, trouble } from '../../src/samples.js'

const test = suite('summary')

test('says for how long the API has not answered', () => {
  const holding = { ...noFacts(O.some(template)), held: O.some(held({ notAfter: at(90 * day) })) }
  assert.not.match(summaryOf(defaultPolicy, holding, at(2 * day)), 'no answer')
  const failed = { _tag: 'ProbeFailed', keyId: keyId(1), failure: trouble('Unreachable'), at: noon } as const
  const facts = evolve(defaultPolicy)(holding, failed)
  assert.match(
    summaryOf(defaultPolicy, facts, at(2 * day)),
    /^Issued: a certificate is in use, no answer of the API for 2d, 88d left, renewed in /,
  )
})
