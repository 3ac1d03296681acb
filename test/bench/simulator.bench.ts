/**
 * How long fleets take to live through, and what a node takes of memory: `npx tsc -b && node dist/test/bench/simulator.bench.js`
 *
 * `node dist/test/bench/simulator.bench.js NODES HOURS DAYS` is one line of it: so many nodes, with certificates of so many
 * hours, for so many days, with an outage of an hour in the middle. Each line is a process of its own; where it is linear in
 * nodes and certificates, what it takes for each is the same from line to line.
 */
import { spawnSync } from 'node:child_process'
import { day, hour, second } from '../../src/model/time.js'
import { fleet, reportOf } from '../../src/simulator/index.js'
import { ours, scenarioOf } from '../src/simulator/sample.js'

const lines: ReadonlyArray<readonly [nodes: number, hours: number, days: number]> = [
  [1_000, 8_760, 365],
  [10_000, 8_760, 365],
  [100_000, 8_760, 365],
  [1_000_000, 8_760, 365],
  [1_000, 24, 365],
  [10_000, 24, 365],
  [100_000, 24, 365],
  [1_000_000, 24, 30],
]

const live = (nodes: number, hours: number, days: number): void => {
  const sample = scenarioOf()
  const scenario = scenarioOf({
    duration: days * day,
    nodes: { ...sample.nodes, count: nodes, joinOver: day },
    signer: { ...sample.signer, duration: hours * hour, perSecond: 1_000 },
    approval: { ...sample.approval, perSecond: 1_000 },
    api: { ...sample.api, requestsPerSecond: 4_000, seats: 100, queue: 10_000, watches: 1_000_000 },
    outages: [{ of: 'api', at: (days / 2) * day, lasting: hour, part: 1 }],
  })
  globalThis.gc?.()
  const before = process.memoryUsage()
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const all = fleet(scenario, ours)
  while (all.advance(10_000));
  all.end()
  const [took, used] = [(performance.now() - began) / second, process.cpuUsage(cpu)]
  const { certificates } = reportOf(scenario, ours, all)
  globalThis.gc?.()
  const after = process.memoryUsage()
  // What typed arrays take is outside of the heap; facts and templates are in it.
  const beside = (after.arrayBuffers - before.arrayBuffers) / nodes
  const facts = (after.heapUsed - before.heapUsed) / nodes
  const processor = (used.user + used.system) / 1e6
  console.log(
    [
      `${nodes} nodes, certificates of ${hours} h, ${days} days:`,
      `${took.toFixed(1)} s (${processor.toFixed(1)} s of processor),`,
      `${certificates.installed} certificates,`,
      `${((1e6 * processor) / nodes).toFixed(0)} µs a node, ${((1e6 * processor) / Math.max(certificates.installed, 1)).toFixed(1)} a certificate,`,
      `${beside.toFixed(0)} bytes a node beside ${facts.toFixed(0)} of facts`,
    ].join(' '),
  )
}

const [nodes, hours, days] = process.argv.slice(2).map(Number)
if (nodes !== undefined && hours !== undefined && days !== undefined) live(nodes, hours, days)
else
  for (const line of lines) {
    const options = ['--expose-gc', '--max-old-space-size=16000', '--max-semi-space-size=64']
    spawnSync(process.execPath, [...options, import.meta.filename, ...line.map(String)], { stdio: 'inherit' })
  }
