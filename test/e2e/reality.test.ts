/** A hundred rotations against a real control plane that goes away and comes back, beside the simulator's account of it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { minute, second } from '../../src/model/time.js'
import { share } from '../../src/simulator/random.js'
import type { Scenario } from '../../src/simulator/scenario.js'
import { salts } from '../../src/simulator/world.js'
import { bySecond, compare, type Side, simulated, tally, unprobed } from '../bench/reality.js'
import { assert, suite } from '../helper/index.js'
import { scenarioOf } from '../src/simulator/sample.js'
import { bootCluster } from './cluster.js'
import { library } from './package.js'

const count = 100
/** What is left of a certificate's life when it is signed. */
const life = 36 * second
const [joinOver, outageAt, outageFor, after] = [16 * second, 60 * second, 5 * second, 15 * second]

/** The curves beside each other, and how far they are apart. */
const report = join(import.meta.dirname, 'reality.txt')

const cluster = await bootCluster()
const isOld = cluster.version.minor < 22
// Before 1.22 the five minutes by which a certificate begins early are taken from its end.
const signing = isOld ? 5 * minute + life : life
const test = suite(`simulated and real, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

test(`requests, certificates and recovery of ${count} rotations are near what the simulator says`, {
  deadline: 240_000,
}, async ({ defer }) => {
  await cluster.reconfigure({ clusterSigningDuration: `${signing / second}s` })
  const token = await cluster.createBootstrapToken()
  const bootstrapKubeconfig = await cluster.writeKubeconfig('reality', { token })
  const sample = scenarioOf()
  const { openFleet } = await library()
  const fleet = openFleet()
  defer(fleet.stop)

  const began = Date.now()
  const now = () => Date.now() - began
  const outage = { at: outageAt, until: Number.POSITIVE_INFINITY }
  const { told, tell } = tally(now, outage)
  const joined = Array.from({ length: count }, async (_, node) => {
    await sleep(Math.floor(joinOver * share(sample.seed, node, salts.join)))
    await fleet.start({
      bootstrapKubeconfig,
      certDir: join(cluster.folder, `reality-${node}`),
      nodeName: `node-${node}`,
      policy: { probeInterval: 0 },
      onTransition: tell(),
    })
  })
  await Promise.all(joined)
  await sleep(outageAt - now())
  outage.at = now()
  await cluster.apiServer.stop('SIGKILL')
  await cluster.controllerManager.stop('SIGKILL')
  await sleep(outageFor)
  const started = now()
  await cluster.apiServer.start()
  outage.until = now()
  await cluster.controllerManager.start()
  const managed = now()
  await sleep(after)
  const duration = Math.floor(now() / second) * second
  const log = (await cluster.auditLog()).map((request) => ({ ...request, at: request.received - began }))
  await fleet.stop()

  const ours = log.filter(({ userAgent, at }) => userAgent === 'kube-cert-rotation' && at < duration)
  // An API server that has just started rejects everybody until it has read the tokens: that is not simulated.
  const early = ours.filter(({ code }) => code === 401)
  // Agents of one process and one credential share a watch: each of them reads its request in place of a watch.
  const seen = ours
    .filter((request) => !early.includes(request))
    .map(
      ({ at, verb }) =>
        ({
          at,
          kind: verb === 'create' ? 'create' : verb === 'watch' || verb === 'get' ? 'watch' : 'other',
        }) as const,
    )
  const real: Side = {
    create: bySecond(seen, 'create', duration / second),
    watch: bySecond(seen, 'watch', duration / second),
    ...told(),
  }
  // The API server is back with the first request that it serves.
  const served = ours.find(({ at }) => at > started)?.at ?? outage.until
  // How long they take to come is measured too: on a slow machine longer than they were to.
  const asked = ours.filter(({ verb, resource }) => verb === 'create' && resource !== undefined)
  const nodes = { ...sample.nodes, count, joinOver: Math.max(joinOver, asked[count - 1]?.at ?? 0) }
  const lasting = (until: number) => ({ at: outage.at, lasting: until - outage.at, part: 1 })
  const scenario: Scenario = {
    ...sample,
    duration,
    nodes,
    signer: { ...sample.signer, duration: signing, kubernetes: isOld ? '1.20' : '1.22' },
    outages: [
      { of: 'api', ...lasting(served), starting: served - started },
      { of: 'controller-manager', ...lasting(managed) },
    ],
    policies: [unprobed],
  }
  const model = simulated(scenario)
  const { lines, create, watch, ratio } = compare(real, model)
  const said = [
    `${count} rotations, Kubernetes ${cluster.version.text}: came in ${nodes.joinOver} ms; no API server from ${outage.at} to ${served} ms, no controllers until ${managed} ms; ${early.length} requests that were rejected at the start left out`,
    ...lines,
  ].join('\n')
  await writeFile(report, `${said}\n`)
  // Two samples of some 300 requests from one curve are 0.14 apart once in two hundred times; the rest is for the second or
  // two in which an API server that has just started rejects everybody, and for machines under load (0.38 was seen there).
  assert.ok(create < 0.5, said)
  assert.ok(watch < 0.5, said)
  assert.ok(ratio > 0.5 && ratio < 2, said)
  assert.ok(Math.abs(real.installed - model.installed) < 0.25 * model.installed, said)
  assert.ok(Math.abs((real.recovery ?? 0) - (model.recovery ?? 0)) < 40 * second, said)
})
