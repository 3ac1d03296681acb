/** Ten certificates by one `--config`, reloaded while a renewal is under way. */
import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { assert, eventually, suite } from '../helper/index.js'
import { type Agent, type Line, runProgram, startRun } from './agent.js'
import { bootCluster } from './cluster.js'
import { prepareNode } from './node.js'
import { requestsOf } from './requests.js'

const MINUTE = 60_000

const cluster = await bootCluster()

const test = suite(`configuration, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const approve = async (request: string): Promise<void> => {
  const { code, stderr } = await cluster.kubectl(['certificate', 'approve', request])
  assert.is(code, 0, stderr)
}

/** Lines about a certificate, with this reason. */
const told = ({ steps }: Agent, certificate: string, reason: string): readonly Line[] =>
  steps.filter((line) => line.certificate === certificate && line.reason === reason)

const reached = (agent: Agent, certificate: string, reason: string, times = 1): Promise<Line> =>
  eventually(`${certificate}: ${reason}, ${times} times`, () => told(agent, certificate, reason)[times - 1], {
    deadline: MINUTE,
  })

test('ten certificates of a file in one process, reloaded while a renewal is under way', {
  deadline: 5 * MINUTE,
}, async (context) => {
  const node = await prepareNode(cluster)
  const client = {
    name: 'client',
    hostnameOverride: node.name,
    bootstrapKubeconfig: node.bootstrapKubeconfig,
    kubeconfig: node.kubeconfig,
    certDir: 'pki',
  }
  const serving = {
    name: 'serving',
    hostnameOverride: node.name,
    certDir: 'pki',
    authenticateWith: 'client',
    serverAddresses: ['192.0.2.5'],
  }
  const kinds = ['ECDSA-P256', 'ECDSA-P384', 'ECDSA-P521', 'RSA-2048']
  const further = Array.from({ length: 8 }, (_, index) => ({
    name: `agent-${index}`,
    certDir: 'agents',
    certPrefix: `agent-${index}`,
    authenticateWith: 'client',
    signerName: 'kubernetes.io/kube-apiserver-client',
    commonName: `agent-${index}`,
    organizations: ['agents'],
    keyAlgorithm: kinds[index % kinds.length],
    outputs: [{ bundle: `agent-${index}.pem` }],
  }))
  const file = join(node.folder, 'config.yaml')
  const write = (certificates: readonly object[]): Promise<void> =>
    writeFile(
      file,
      stringify({
        apiVersion: 'kube-cert-rotation/v1',
        kind: 'RotationConfiguration',
        logFormat: 'json',
        certificates,
      }),
    )
  await write([client, serving, ...further])
  const agent = startRun(context, cluster, node, [`--config=${file}`])
  await reached(agent, 'client', 'Installed')
  const others = [serving, ...further]
  for (const { name } of others) await approve((await reached(agent, name, 'Submitted')).csr ?? '')
  for (const { name } of others) await reached(agent, name, 'Installed')

  for (const { commonName } of further) {
    const pem = await readFile(join(node.folder, `${commonName}.pem`), 'utf8')
    assert.is(new X509Certificate(pem).subject, `O=agents\nCN=${commonName}`)
  }

  // Two renewals wait for somebody when the file changes: of what is changed there, and of what is not.
  const rotate = (name: string) => runProgram(node, ['rotate', `--config=${file}`, `--certificate=${name}`])
  assert.is((await rotate('agent-1')).code, 0)
  const { csr: pending = '' } = await reached(agent, 'agent-1', 'Submitted', 2)
  assert.is((await rotate('agent-2')).code, 0)
  const { csr: taken = '' } = await reached(agent, 'agent-2', 'Submitted', 2)
  const lines = agent.steps.filter(({ certificate }) => certificate === 'agent-1').length
  const [, , third] = further
  const changed = { ...third, outputs: [{ bundle: 'elsewhere.pem' }] }
  const fresh = { ...further[0], name: 'fresh', certPrefix: 'fresh', commonName: 'fresh', outputs: [] }
  await write([client, serving, ...further.slice(1, 2), changed, ...further.slice(3), fresh])
  agent.signal('SIGHUP')
  const { csr: asked = '' } = await reached(agent, 'fresh', 'Submitted')
  const summary = agent.steps.find(({ msg }) => msg.includes('was read again'))
  assert.match(summary?.msg ?? '', /new: fresh; changed: agent-2; removed: agent-0; unchanged: 8$/)
  assert.is(
    agent.steps.filter(({ certificate }) => certificate === 'agent-1').length,
    lines,
    'what is unchanged is not disturbed',
  )
  for (const request of [pending, taken, asked]) await approve(request)
  await reached(agent, 'agent-1', 'Installed', 2)
  await reached(agent, 'agent-2', 'Installed', 2)
  await reached(agent, 'fresh', 'Installed')
  // One request for each certificate there has been, and one for each of the two renewals: none was asked for twice.
  assert.is((await requestsOf(cluster, [node.users.bootstrap, node.users.node])).length, 1 + 1 + 8 + 1 + 2)

  const { code, stdout } = await runProgram(node, ['status', `--config=${file}`, '--check'])
  assert.is(code, 0, stdout)
  assert.match(stdout, /^CERTIFICATE OK: 10 certificates work/)
  assert.is(await agent.stop(), 0)
})
