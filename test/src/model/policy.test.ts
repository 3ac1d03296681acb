import { defaultPolicy, policyProblems, type RotationPolicy } from '../../../src/model/policy.js'
import { hour, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('policy')

test('has nothing against its own defaults', () => {
  assert.equal(policyProblems(defaultPolicy), [])
})

const bad: ReadonlyArray<readonly [string, Partial<RotationPolicy>]> = [
  ['renewFrom', { renewFrom: 0 }],
  ['renewFrom', { renewFrom: 0.9, renewTo: 0.7 }],
  ['renewTo', { renewTo: 1 }],
  ['renewTo', { renewTo: Number.NaN }],
  ['minimumUsefulLifetime', { minimumUsefulLifetime: -1 }],
  ['minimumUsefulLifetime', { minimumUsefulLifetime: Number.POSITIVE_INFINITY }],
  ['probeInterval', { probeInterval: Number.NaN }],
  ['probeInterval', { probeInterval: 1 }],
  ['submitInterval', { submitInterval: 0 }],
  ['submitInterval', { submitInterval: 24 * 3_600_000 }],
  ['retrySoon', { retrySoon: { initial: 0, maximum: 1 } }],
  ['retrySoon', { retrySoon: { initial: 2, maximum: 1 } }],
  ['retryLater', { retryLater: { initial: 1, maximum: Number.POSITIVE_INFINITY } }],
  ['longestDelay', { longestDelay: 0 }],
  ['longestDelay', { longestDelay: Number.NaN }],
]
for (const [name, differences] of bad)
  test(`objects to ${JSON.stringify(differences)}`, () => {
    const problems = policyProblems({ ...defaultPolicy, ...differences })
    assert.is(problems.length, 1)
    assert.match(problems[0] ?? '', name)
  })

const justGood: ReadonlyArray<Partial<RotationPolicy>> = [
  { renewFrom: 0.8, renewTo: 0.8 },
  { minimumUsefulLifetime: 0 },
  { probeInterval: 0 },
  { probeInterval: second },
  { submitInterval: second },
  { submitInterval: hour },
  { retrySoon: { initial: 1, maximum: 1 } },
  { longestDelay: second },
]
for (const differences of justGood)
  test(`has nothing against ${JSON.stringify(differences)}`, () => {
    assert.equal(policyProblems({ ...defaultPolicy, ...differences }), [])
  })

test('names everything that is wrong', () => {
  assert.is(policyProblems({ ...defaultPolicy, renewFrom: 2, submitInterval: 0, longestDelay: 0 }).length, 3)
})
