/** Many agents at once, in one process, with the library. */
import { X509Certificate } from 'node:crypto'
import { assert, suite } from '../helper/index.js'
import { bootCluster } from './cluster.js'
import { embed } from './embedded.js'
import { prepareNode, readPair, userOf } from './node.js'
import { requestsOf } from './requests.js'

const FLEET = 50

const cluster = await bootCluster()
const test = suite(`fleet, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

test(`${FLEET} machines that join at the same moment all get their certificates, and send no request in vain`, {
  deadline: 180_000,
}, async (context) => {
  const token = await cluster.createBootstrapToken()
  const nodes = await Promise.all(Array.from({ length: FLEET }, () => prepareNode(cluster, { token })))
  const agents = await Promise.all(nodes.map((node) => embed(context, node)))
  const credentials = await Promise.all(agents.map((agent) => agent.issued()))

  assert.equal(
    credentials.map(({ commonName }) => commonName),
    nodes.map(({ users }) => users.node),
  )
  for (const [index, node] of nodes.entries()) {
    const { certificate } = await readPair(node)
    assert.is(
      new X509Certificate(credentials[index]?.certificate ?? '').serialNumber,
      certificate.serialNumber,
    )
    assert.is(agents[index]?.state()._tag, 'Issued')
  }
  assert.is(new Set(credentials.map(({ keyId }) => keyId)).size, FLEET)
  const requests = await requestsOf(cluster, [userOf(token)])
  assert.is(requests.length, FLEET)

  const spent = (await cluster.auditLog()).filter(({ userAgent }) => userAgent === 'kube-cert-rotation')
  const counted = new Map<string, number>()
  for (const { verb, resource = '', code } of spent) {
    const what = `${verb} ${resource} ${code ?? 'open'}`
    counted.set(what, (counted.get(what) ?? 0) + 1)
  }
  assert.equal(Object.fromEntries(counted), {
    'create certificatesigningrequests 201': FLEET,
    'watch certificatesigningrequests 200': FLEET,
  })
})
