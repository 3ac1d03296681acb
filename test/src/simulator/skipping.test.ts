import fc from 'fast-check'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { type Fleet, fleet } from '../../../src/simulator/fleet.js'
import type { NamedPolicy, Scenario } from '../../../src/simulator/scenario.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { policies, scenarios } from './arbitrary.js'
import { clientGoPolicy, ours, scenarioOf } from './sample.js'

const test = suite('skipping')

const lived = (scenario: Scenario, policy: NamedPolicy, skip: boolean): Fleet => {
  const fleetOf = fleet(scenario, policy, { skip })
  while (fleetOf.advance(1_000));
  fleetOf.end()
  return fleetOf
}

const known = ({ facts, record }: Fleet, { nodes }: Scenario) => ({
  facts: Array.from({ length: nodes.count }, (_, node) => facts(node)),
  requests: record.requests,
  vain: record.vain,
  changes: record.changes,
  signatures: record.signatures,
  installed: record.installed,
  ages: record.ages,
  rates: record.rates,
  peak: record.peak(),
  recoveries: record.outages.map(({ recovery, counts }) => [recovery.total(), counts]),
  bootstraps: record.bootstraps.total(),
  gaps: record.gaps.total(),
})

const isTheSame = (scenario: Scenario, policy: NamedPolicy): void => {
  const [skipped, whole] = [true, false].map((skip) => known(lived(scenario, policy, skip), scenario))
  assert.equal(skipped, whole)
}

test('a suspension does not draw a deadline of client-go anew', () => {
  const { nodes, signer } = scenarioOf()
  const suspensions = [{ at: 10 * minute, over: minute, part: 1, lasting: 18 }]
  const scenario = scenarioOf({ duration: 3 * hour, signer: { ...signer, duration: hour } })
  const suspended = { ...scenario, nodes: { ...nodes, suspensions } }
  const facts = [scenario, suspended, suspended].map(
    (one, index) => known(lived(one, clientGoPolicy, index < 2), one).facts,
  )
  assert.equal(facts[1], facts[0])
  assert.equal(facts[2], facts[0])
})

test('nor what interrupts a renewal that waits for approval or for the signer, or a request on its way', () => {
  const { nodes, signer, approval, api } = scenarioOf()
  const restarts = [
    { at: 100, over: 0, part: 1 },
    { at: 40 * minute, over: 2 * hour, part: 1 },
    { at: 41 * minute, over: 2 * hour, part: 1 },
  ]
  const scenario = scenarioOf({
    duration: 4 * hour,
    nodes: { ...nodes, count: 40, restarts },
    signer: { ...signer, duration: hour },
    approval: { ...approval, delay: 10 * minute, distribution: 'exponential' },
    api: { ...api, latency: 300 },
    outages: [{ of: 'controller-manager', at: 80 * minute, lasting: 30 * minute, part: 1 }],
  })
  for (const policy of scenario.policies) isTheSame(scenario, policy)
})

test('nor an API server that starts while probes, requests and watches are under way', () => {
  const { nodes, signer, approval } = scenarioOf()
  const scenario = scenarioOf({
    duration: 3 * hour,
    nodes: { ...nodes, count: 30, joinOver: hour },
    signer: { ...signer, duration: hour },
    approval: { ...approval, delay: 3 * minute },
    outages: [
      { of: 'api', at: 90 * minute, lasting: 5 * minute, part: 1, starting: 2 * minute },
      { of: 'network', at: 100 * minute, lasting: 10 * minute, part: 0.5 },
    ],
  })
  const policy = { ...defaultPolicy, probeInterval: minute }
  const often: NamedPolicy = { _tag: 'Machine', name: 'often', policy }
  for (const policy of [often, clientGoPolicy]) isTheSame(scenario, policy)
})

test('nor a CA that expires, with requests that are approved and never signed', () => {
  const { signer, approval } = scenarioOf()
  const scenario = scenarioOf({
    duration: 3 * day,
    signer: { ...signer, duration: hour, authorityEnd: 5 * hour },
    approval: { ...approval, denied: 0.1 },
  })
  for (const policy of [ours, clientGoPolicy]) isTheSame(scenario, policy)
})

test('what is skipped makes no difference: the same facts, the same counts, for any scenario and seed', () => {
  fc.assert(fc.property(scenarios, policies, isTheSame), { numRuns: sample(60, 400), seed })
})
