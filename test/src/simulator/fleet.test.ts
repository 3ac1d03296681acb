import * as O from 'fp-ts/lib/Option.js'
import { rotationDeadline } from '../../../src/machine/due.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, minute, second } from '../../../src/model/time.js'
import { fleet, reportOf, simulate } from '../../../src/simulator/index.js'
import { binLength, recorder } from '../../../src/simulator/record.js'
import type { Scenario } from '../../../src/simulator/scenario.js'
import { world } from '../../../src/simulator/world.js'
import { assert, suite } from '../../helper/index.js'
import { clientGoPolicy, ours, scenarioOf } from './sample.js'

const test = suite('fleet of the simulator')

/** One node, and a server that takes no time but that of the network. */
const alone = (differences: Partial<Scenario> = {}): Scenario => {
  const { nodes, signer, api } = scenarioOf()
  return scenarioOf({
    duration: 40 * minute,
    nodes: { ...nodes, count: 1 },
    signer: { ...signer, duration: hour },
    api: { ...api, requestsPerSecond: 10_000_000, seats: 1 },
    ...differences,
  })
}

const lived = (scenario: Scenario, policy = ours) => {
  const all = fleet(scenario, policy)
  while (all.advance(10));
  all.end()
  return { all, report: reportOf(scenario, policy, all) }
}

test('does what one can work out by hand', () => {
  const { all, report } = lived(alone())
  const facts = all.facts(0)
  const held = facts === undefined ? undefined : O.toUndefined(facts.held)
  if (facts === undefined || held === undefined) throw new Error('there is no certificate')
  // Created at 1 ms (the server's least), answered 10 ms later; the approver takes a tenth of a second, the signer a
  // twentieth, and the watch tells it 10 ms later: 1 + 100 + 50 + 10.
  assert.is(report.bootstraps.longest, 161)
  const { start } = alone()
  assert.is(held.certificate.notBefore, start - 5 * minute)
  assert.is(held.certificate.notAfter, start + hour)
  // Renewed at 70 to 90 % of its hour: not within 40 minutes. A probe comes ten minutes after the last answer, which takes
  // 10 ms: at 600,161, 1,200,171 and 1,800,181 ms; the fourth would be at 2,400,191.
  const deadline = rotationDeadline(defaultPolicy, held, held.certificate.notAfter) - start
  assert.ok(deadline >= 42 * minute && deadline < 54 * minute)
  assert.equal(report.requests.byKind, { create: 1, watch: 1, get: 0, list: 0, probe: 3 })
  assert.equal(facts.checkedAt, O.some(start + 1_800_191))
  assert.is(report.objects.most, 1)
  assert.is(report.requests.inVain, 0)
})

test('client-go knows nothing of a request after a restart, and sends another one with another key', () => {
  const { nodes, approval } = scenarioOf()
  const restarts = [{ at: minute, over: 0, part: 1 }]
  const waiting = { approval: { ...approval, delay: 10 * minute }, nodes: { ...nodes, count: 1, restarts } }
  assert.is(lived(alone(waiting), clientGoPolicy).report.requests.byKind.create, 2)
  // The same name, which is there already: it is taken up.
  const { objects } = lived(alone(waiting)).report
  assert.is(objects.most, 1)
  assert.is(lived(alone(waiting), clientGoPolicy).report.objects.most, 2)
})

test('asks again for what was deleted because nobody had decided about it for a day', () => {
  const { approval } = scenarioOf()
  const { report } = lived(
    alone({ duration: 30 * hour, approval: { ...approval, pauses: [{ at: 0, lasting: 28 * hour }] } }),
  )
  assert.is(report.requests.inVainBy.deleted, 1)
  assert.is(report.bootstraps.count, 1)
})

test('expires when nobody approves, for as long as one can work out by hand', () => {
  const { approval } = scenarioOf()
  const pauses = [{ at: 30 * minute, lasting: 90 * minute }]
  const { report } = lived(alone({ duration: 3 * hour, approval: { ...approval, pauses } }))
  assert.is(report.expired.count, 1)
  // From one hour to two hours, and the tenth of a second that approval takes, a twentieth and 10 ms.
  assert.ok(Math.abs(report.expired.longest - hour - 160) <= second, String(report.expired.longest))
  assert.is(report.without.most, 1)
  assert.match(report.worst, '1 times before there was another one')
})

test('recovers from an outage within the pause of a retry, and counts what was in vain', () => {
  const { report } = lived(
    alone({ duration: 3 * hour, outages: [{ of: 'api', at: 40 * minute, lasting: 15 * minute, part: 1 }] }),
  )
  const [outage] = report.outages
  assert.ok(outage !== undefined && outage.recovery.count === 1 && outage.recovery.longest <= minute)
  assert.ok(report.requests.inVainBy.unreachable > 0)
  assert.is(report.expired.count, 0)
  assert.match(report.worst, 'After the outage 40m from the start')
})

test('lets those wait who call a server that is starting, and serves them all when it has', () => {
  const { nodes, approval, signer } = scenarioOf()
  const after = (starting: number) => {
    const scenario = scenarioOf({
      duration: 5 * minute,
      nodes: { ...nodes, count: 200, joinOver: minute },
      approval: { ...approval, perSecond: 1_000 },
      signer: { ...signer, perSecond: 1_000 },
      outages: [{ of: 'api', at: 0, lasting: minute, part: 1, starting }],
    })
    const [outage] = lived(scenario).report.outages
    if (outage === undefined) throw new Error('there was no outage')
    return outage
  }
  // Each is asked for after 1, 2, 4, 8, 16 … seconds: half of them in the last twenty.
  assert.ok(after(0).peakAfter < 60)
  assert.ok(after(20 * second).peakAfter > 150)
  assert.ok(after(20 * second).recovery.longest < after(0).recovery.longest)
  // Nobody waits for an answer for longer than 40 seconds.
  assert.is(after(50 * second).recovery.count, 200)
})

test('tells of those who have no certificate at the end', () => {
  const { report } = lived(
    alone({ duration: day, bootstrapTokensUntil: minute, authorities: [{ at: 30 * minute, overlap: 0 }] }),
  )
  assert.is(report.without.atEnd, 1)
  assert.match(report.worst, 'At the end 1 of 1 nodes (100 %)')
})

test('says how busy it was where nothing went wrong', () => {
  const { policies } = simulate(scenarioOf({ policies: [ours, clientGoPolicy] }))
  assert.equal(
    policies.map(({ policy, worst }) => [policy, worst.slice(0, 23)]),
    [
      ['default', 'No certificate expired.'],
      ['client-go', 'No certificate expired.'],
    ],
  )
})

test('counts in bins that are some thousands, whatever the time', () => {
  assert.equal([hour, day, 365 * day, 3_000 * day].map(binLength), [second, 10 * second, hour, day])
})

test('says nothing of an outage that goes on at the end', () => {
  const { report } = lived(alone({ outages: [{ of: 'api', at: minute, lasting: hour, part: 1 }] }))
  assert.equal(report.outages, [])
})

test('notices that the CA was replaced between a signature and its receipt, with skipping and without', () => {
  const scenario = alone({ duration: 56 * minute })
  const before = lived(scenario).all.facts(0)
  const submittedAt = before === undefined ? undefined : O.toUndefined(before.submittedAt)
  if (submittedAt === undefined) throw new Error('there was no renewal')
  // Signed 140 ms after the request was answered, received 10 ms later.
  const at = submittedAt - scenario.start + 145
  const [skipped, whole] = [true, false].map((skip) => {
    const all = fleet({ ...scenario, authorities: [{ at, overlap: 0 }] }, ours, { skip })
    while (all.advance(10));
    all.end()
    return [all.facts(0), reportOf(scenario, ours, all).without.atEnd]
  })
  assert.equal(skipped, whole)
  assert.is(skipped?.[1], 1)
})

test('renews under clocks that find each certificate early, with skipping and without', () => {
  const { signer, nodes } = scenarioOf()
  const scenario = scenarioOf({
    duration: 6 * hour,
    nodes: { ...nodes, clockSkew: 5 * minute },
    signer: { ...signer, duration: hour, backdating: 0 },
  })
  const [skipped, whole] = [true, false].map((skip) => {
    const all = fleet(scenario, ours, { skip })
    while (all.advance(100));
    return Array.from({ length: nodes.count }, (_, node) => all.facts(node))
  })
  assert.equal(skipped, whole)
})

test('counts no probe of a rest that ends in the second in which it began', () => {
  const scenario = scenarioOf({ duration: minute })
  const record = recorder(scenario, 2 * second)
  record.startProbes(2 * second)
  record.endProbes(2 * second, 0, -1)
  record.advance(1.5 * second)
  record.startProbes(3 * second)
  record.advance(10 * second)
  assert.is(
    record.requests.probe.reduce((sum, count) => sum + count, 0),
    4,
  )
})

test('lets the nodes of an elastic fleet join while it is large enough for them', () => {
  const { nodes } = scenarioOf()
  const autoscaling = { lowest: 0.2, every: day }
  const around = world(scenarioOf({ nodes: { ...nodes, joinOver: day, autoscaling } }))
  const size = (time: number) => 0.2 + (0.8 * (1 - Math.cos((2 * Math.PI * time) / day))) / 2
  const joined = Array.from({ length: 500 }, (_, node) => around.joins(node))
  const nodesAt = (time: number) =>
    joined.filter((from, node) => from <= time && around.nextChange(node, from).at > time).length
  // Two days on the first are there or have left; by noon of the first day all have joined that could.
  assert.ok(joined.every((time) => time >= 0 && time < 2 * day))
  assert.ok(Math.abs(nodesAt(day - 1) / 500 - size(day)) < 0.1, String(nodesAt(day - 1)))
})

test('is the same for the same seed, and another one for another', () => {
  const busy = (seed: number) => {
    const { nodes, signer } = scenarioOf()
    return simulate(
      scenarioOf({
        seed,
        duration: 2 * day,
        nodes: { ...nodes, joinOver: hour },
        signer: { ...signer, duration: hour },
      }),
    )
  }
  assert.equal(busy(1), busy(1))
  assert.not.equal(busy(1).policies, busy(2).policies)
})
