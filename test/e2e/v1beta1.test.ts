/** Clusters that serve certificates.k8s.io only as v1beta1; up to 1.21 they can be made. */
import { assert, suite } from '../helper/index.js'
import { startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { prepareNode, readPair } from './node.js'
import { approve, readRequest, sign } from './requests.js'

const cluster = await bootCluster()
const test = suite(`v1beta1, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

test('a cluster without certificates.k8s.io/v1 serves as well: the request is made, watched and taken as v1beta1', {
  deadline: 180_000,
  skip:
    cluster.version.minor <= 21 ? undefined : `${cluster.version.text} has no certificates.k8s.io/v1beta1`,
}, async (context) => {
  await cluster.reconfigure({ certificatesV1: false })
  const node = await prepareNode(cluster)
  const agent = startAgent(context, cluster, node)
  const request = await agent.nextRequest('Submitted')
  const { spec } = await readRequest(cluster, request, 'v1beta1')
  assert.is(spec.signerName, 'kubernetes.io/kube-apiserver-client-kubelet')
  assert.is(spec.username, node.users.bootstrap)

  // The controller manager of 1.20 needs v1, and so does kubectl: nobody else approves and signs.
  await approve(cluster, request, 'v1beta1')
  await agent.next('Approved')
  await sign(cluster, request, { node: node.name, lifetime: 60 * 60 * 1000, version: 'v1beta1' })
  const { serialNumber } = await agent.next('Installed')
  assert.is((await readPair(node)).certificate.serialNumber.toLowerCase(), serialNumber)

  const asked = (await cluster.auditLog())
    .filter(({ userAgent }) => userAgent === 'kube-cert-rotation')
    .map(({ verb, uri, code }) => `${verb} ${uri.split('/')[3]} ${code}`)
  assert.equal(asked, ['create v1 404', 'create v1beta1 201', 'watch v1beta1 200'])
})
