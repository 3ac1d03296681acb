/**
 * Real rotations in one process against the embedded control plane with a shaped API (a queue, latency, an outage),
 * beside the simulator's account of the same: `npx tsc -b && node dist/test/bench/reality.bench.js [ROTATIONS]` (300)
 */
import { subscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { startControlPlane } from '../../adapters/control-plane/index.js'
import { openFleet } from '../../adapters/node/index.js'
import { second } from '../../src/model/time.js'
import { share } from '../../src/simulator/random.js'
import type { Scenario } from '../../src/simulator/scenario.js'
import { requestQueue } from '../../src/simulator/server.js'
import { salts } from '../../src/simulator/world.js'
import { scenarioOf } from '../src/simulator/sample.js'
import { bySecond, compare, type Seen, simulated, tally, unprobed } from './reality.js'

const count = Number(process.argv[2] ?? 300)
const outage = { of: 'api', at: 190 * second, lasting: 30 * second, part: 1 } as const
const sample = scenarioOf()
const scenario: Scenario = {
  ...sample,
  duration: 330 * second,
  nodes: { ...sample.nodes, count, joinOver: 80 * second },
  signer: { ...sample.signer, duration: 150 * second, perSecond: 100_000 },
  approval: { ...sample.approval, perSecond: 100_000 },
  api: { requestsPerSecond: 60, seats: 6, queue: 100, latency: 50, watches: 10_000, retryAfter: second },
  outages: [outage],
  policies: [unprobed],
}

const plane = await startControlPlane({ clusterSigningDuration: 150 * second })()
if (E.isLeft(plane)) throw new Error(plane.left.message)
const folder = await mkdtemp(join(tmpdir(), 'reality-'))
const bootstrapKubeconfig = join(folder, 'bootstrap.kubeconfig')
await writeFile(bootstrapKubeconfig, plane.right.bootstrapKubeconfig())

let began = Date.now()
const now = () => Date.now() - began
const isDown = () => now() >= outage.at && now() < outage.at + outage.lasting
const queue = requestQueue(scenario.api)
const seen: Array<Seen> = []
const { told, tell } = tally(now, { at: outage.at, until: outage.at + outage.lasting })

/** The simulator's queue in front of the server, by the wall clock. */
const shaped = (serve: (request: IncomingMessage, response: ServerResponse) => void) => {
  let served = 0
  return async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '' } = request
    seen.push({
      at: now(),
      kind: !url.includes('certificatesigningrequests') ? 'other' : method === 'POST' ? 'create' : 'watch',
    })
    served += 1
    const end = queue.arrive(now(), share(2, 0, salts.service, served), 0)
    await sleep(Math.max(0, end - now()) + scenario.api.latency)
    if (isDown()) return request.socket.destroy()
    if (end >= 0) return serve(request, response)
    return response.writeHead(429, { 'Retry-After': '1', 'Content-Type': 'application/json' }).end('{}')
  }
}

const servers = new Set<unknown>()
subscribe('http.server.request.start', (message) => {
  const server =
    typeof message === 'object' && message !== null && 'server' in message ? message.server : undefined
  if (!(server instanceof Server || server instanceof HttpServer) || servers.has(server)) return
  servers.add(server)
  const [serve] = server.listeners('request')
  server.removeAllListeners('request')
  server.on(
    'request',
    shaped((request, response) => serve?.call(server, request, response)),
  )
  server.prependListener('secureConnection', (socket) => {
    if (isDown()) socket.destroy()
  })
  setTimeout(() => server.closeAllConnections(), outage.at - now()).unref()
})

const fleet = openFleet()
began = Date.now()
const starting = Array.from({ length: count }, async (_, node) => {
  await sleep(Math.floor(scenario.nodes.joinOver * share(scenario.seed, node, salts.join)))
  await fleet.start({
    bootstrapKubeconfig,
    certDir: join(folder, `node-${node}`),
    nodeName: `node-${node}`,
    policy: { probeInterval: 0 },
    onTransition: tell(),
  })
})
await Promise.all(starting)
await sleep(scenario.duration - now())
const seconds = scenario.duration / second
const real = {
  create: bySecond(seen, 'create', seconds),
  watch: bySecond(seen, 'watch', seconds),
  ...told(),
}
await fleet.stop()
await plane.right.close()
await rm(folder, { recursive: true, force: true })
console.log(`${count} rotations; real against the embedded control plane, simulated beside it`)
console.log(compare(real, simulated(scenario)).lines.join('\n'))
process.exit()
