/**
 * How long agents take in memory, and whether twice as many take twice as long: `npx tsc -b && node dist/test/bench/memory.bench.js [AGENTS]...`
 *
 * Each number of agents lives in a process of its own: half a day with certificates of four hours, on one clock and one API, on
 * one agenda (`together`) and on one of its own each (`apart`), as tests of embedders may have it. Times are the
 * processor's.
 */
import { spawnSync } from 'node:child_process'
import * as O from 'fp-ts/lib/Option.js'
import { memoryPorts, memoryStore } from '../../adapters/memory/index.js'
import {
  defaultPolicy,
  driver,
  hour,
  instant,
  interruption,
  kubeletClientTemplate,
  minute,
  rotation,
  second,
} from '../../src/index.js'

const live = async (count: number, isTogether: boolean): Promise<void> => {
  const shared = memoryPorts({ now: instant(Date.UTC(2026, 0, 1)), api: { signingDuration: 4 * hour } })
  const one = driver(shared.clock)
  const began = process.cpuUsage()
  const stop = interruption()
  const agents = Array.from({ length: count }, (_, node) => {
    const agent = (isTogether ? one.rotation : rotation)({
      policy: defaultPolicy,
      template: O.some(kubeletClientTemplate(`node-${node}`)),
      ports: { ...shared, store: memoryStore() },
      notify: () => {},
    })
    return { agent, ended: agent.run(stop.signal)() }
  })
  await shared.clock.settle()
  for (let at = 0; at < 12 * hour; at += 30 * minute) await shared.clock.advanceBy(30 * minute)
  const { user, system } = process.cpuUsage(began)
  const working = agents.filter(({ agent }) => agent.state()._tag === 'Issued').length
  const calls = shared.requests.records.length
  stop.interrupt()
  await Promise.all(agents.map(({ ended }) => ended))
  const took = (user + system) / 1e6
  console.log(
    `${count} agents ${isTogether ? 'together' : 'apart'}: ${took.toFixed(2)} s, ${((took * second) / count).toFixed(2)} ms an agent, ${((took * 1e6) / calls).toFixed(1)} µs a call of the API (${calls}); ${working} have a certificate`,
  )
}

const [first, ...rest] = process.argv.slice(2)
const counts = [first, ...rest].flatMap((given) => (given === undefined ? [] : [Number(given)]))
if (first === 'together' || first === 'apart') await live(Number(rest[0]), first === 'together')
else
  for (const how of ['together', 'apart'])
    for (const agents of counts.length > 0 ? counts : [500, 1_000, 2_000])
      spawnSync(process.execPath, [import.meta.filename, how, String(agents)], { stdio: 'inherit' })
