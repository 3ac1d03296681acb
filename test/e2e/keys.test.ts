/** Each kind of key, from ten minutes to ten years, through the real controller manager; and a serving certificate. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lifetimes, usualAlgorithms } from '../adapters/node/lifetimes.js'
import { assert, suite } from '../helper/index.js'
import { startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { prepareNode, readPair } from './node.js'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const cluster = await bootCluster()
// Certificates end with their CA at the latest.
await cluster.replaceClientAuthority({ notAfter: Date.now() + 4_000 * DAY })

const test = suite(`kinds of keys, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

for (const [name, lifetime] of lifetimes)
  test(`each kind has a certificate of ${name}, which is renewed in its last third`, {
    deadline: 4 * MINUTE,
  }, async (context) => {
    await cluster.reconfigure({ clusterSigningDuration: `${lifetime / 1000}s` })
    for (const algorithm of usualAlgorithms) {
      const node = await prepareNode(cluster)
      const agent = startAgent(context, cluster, node, `--key-algorithm=${algorithm}`)
      const { time, notAfter = '', rotateAt = '' } = await agent.next('Installed', MINUTE)
      const { certificate, key } = await readPair(node)
      assert.ok(certificate.checkPrivateKey(key))
      const [family = '', size] = algorithm.split('-')
      assert.is(key.asymmetricKeyType, family === 'ECDSA' ? 'ec' : family.toLowerCase())
      if (family === 'RSA') assert.is(String(key.asymmetricKeyDetails?.modulusLength), size)
      const received = Date.parse(time)
      const left = Date.parse(notAfter) - received
      assert.ok(left <= lifetime && left > lifetime - 6 * MINUTE, `${left} ms are left of ${lifetime}`)
      const until = Date.parse(rotateAt) - received
      assert.ok(until > 0.68 * left && until < 0.91 * left, `renewed after ${until} of ${left} ms`)
      const asNode = await cluster.kubectl(['get', 'csr'], { kubeconfig: node.kubeconfig })
      assert.is(asNode.code, 0, `${algorithm}: ${asNode.stderr}`)
      await agent.stop()
    }
  })

test('a serving certificate is asked for by the node itself, waits, and is approved with kubectl', {
  deadline: 3 * MINUTE,
}, async (context) => {
  const node = await prepareNode(cluster)
  const agent = startAgent(
    context,
    cluster,
    node,
    '--rotate-server-certificates',
    '--server-addresses=192.0.2.5,worker-1.example.com',
    '--server-key-algorithm=RSA-2048',
  )
  await agent.next('Installed')
  const submitted = await agent.next('Submitted', MINUTE)
  assert.match(submitted.msg, `kubectl certificate approve ${submitted.csr}`)
  const { code, stderr } = await cluster.kubectl(['certificate', 'approve', submitted.csr ?? ''])
  assert.is(code, 0, stderr)
  await agent.next('Installed')
  const pem = await readFile(join(node.certDir, 'kubelet-server-current.pem'), 'utf8')
  const { subject, subjectAltName, publicKey } = new X509Certificate(pem)
  assert.is(subject, `O=system:nodes\nCN=${node.users.node}`)
  assert.is(subjectAltName, 'DNS:worker-1.example.com, IP Address:192.0.2.5')
  assert.is(publicKey.asymmetricKeyDetails?.modulusLength, 2048)
})

test('the addresses of the Node object are followed: no request before there are any, another one when they change', {
  deadline: 3 * MINUTE,
}, async (context) => {
  const node = await prepareNode(cluster)
  const agent = startAgent(context, cluster, node, '--rotate-server-certificates')
  await agent.next('Installed')
  const status = async (...addresses: readonly string[]): Promise<void> => {
    const body = { status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } }
    const patched = await cluster.admin('PATCH', `/api/v1/nodes/${node.name}/status`, body)
    assert.is(patched.status, 200)
  }
  const created = await cluster.admin('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: node.name },
  })
  assert.is(created.status, 201)
  for (const addresses of [['192.0.2.7'], ['192.0.2.7', '192.0.2.8']]) {
    await status(...addresses)
    const { csr = '' } = await agent.next('Submitted', 90_000)
    assert.is((await cluster.kubectl(['certificate', 'approve', csr])).code, 0)
    await agent.next('Installed')
    const pem = await readFile(join(node.certDir, 'kubelet-server-current.pem'), 'utf8')
    assert.is(new X509Certificate(pem).subjectAltName, addresses.map((one) => `IP Address:${one}`).join(', '))
  }
})
