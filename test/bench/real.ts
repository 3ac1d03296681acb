/** A kube-apiserver as the benchmark's server; the end-to-end suite's. */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensure } from '../e2e/api-client.js'
import { bootCluster } from '../e2e/cluster.js'
import { issue } from '../e2e/pki.js'
import type { Target } from './target.js'

const node = 'bench'

/**
 * Clients are a node that asks for itself. Which certificate a request came with is told by the API server's audit log:
 * each certificate has a group of its own.
 */
export const realTarget = async (): Promise<Target> => {
  const cluster = await bootCluster()
  await cluster.controllerManager.stop()
  await ensure(cluster.admin, '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } })
  const auditLog = join(dirname(cluster.etcd.log), 'audit.log')
  const port = Number(new URL(cluster.url).port)
  return {
    url: cluster.url,
    ca: cluster.ca,
    path: `/api/v1/nodes/${node}`,
    grpc: false,
    pair: async () => {
      pairs += 1
      const serial = `generation-${pairs}`
      const { certificate, key } = issue(cluster.clientAuthority(), {
        commonName: `system:node:${node}`,
        organizations: ['system:nodes', serial],
      })
      return { pem: certificate, key, serial }
    },
    lastRequests: () => lastRequests(auditLog),
    openWith: async () => null,
    open: () => connectionsTo(port),
    close: cluster.stop,
  }
}

let pairs = 0

/** The log is read line by line: it has hundreds of thousands. */
const lastRequests = async (auditLog: string): Promise<ReadonlyMap<string, number>> => {
  const last = new Map<string, number>()
  for await (const line of createInterface(createReadStream(auditLog))) {
    const [, group] = /"(generation-\d+)"/.exec(line) ?? []
    const [, received] = /"requestReceivedTimestamp":"([^"]+)"/.exec(line) ?? []
    if (group === undefined || received === undefined) continue
    last.set(group, Math.max(last.get(group) ?? 0, Date.parse(received)))
  }
  return last
}

/** Connections to a port of this machine, by Linux' table (proc(5)): those of the API server to itself included. */
const connectionsTo = async (port: number): Promise<number> => {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = (await readFile('/proc/self/net/tcp', 'utf8'))
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  return rows.filter(([, , to = '', state]) => to.endsWith(remote) && state === '01').length
}
