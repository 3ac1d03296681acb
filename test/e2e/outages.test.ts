/** Parts of the cluster that stop, freeze, forget and come back, while a certificate is needed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { assert, eventually, suite } from '../helper/index.js'
import { startAgent } from './agent.js'
import { bootCluster, type Cluster } from './cluster.js'
import { embed, impatient } from './embedded.js'
import { prepareNode, readPair, replaceToken, requestsSpent, watching } from './node.js'
import { allowRequests, issueShort, readRequest, requestsOf } from './requests.js'
import { RECOVERY } from './story.js'

const BY_HAND = 'system:bootstrappers:by-hand'
const patience = { deadline: 120_000 }

const cluster = await bootCluster()
const { apiServer, controllerManager, etcd, kubectl } = cluster
await allowRequests(cluster, BY_HAND)

const test = suite(`outages, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const approveWithKubectl = async (request: string): Promise<void> => {
  const { code, stderr } = await kubectl(['certificate', 'approve', request])
  assert.is(code, 0, stderr)
}

for (const [how, signal] of [
  ['crashes', 'SIGKILL'],
  ['is stopped', 'SIGTERM'],
] as const)
  test(
    `a waiting request outlives an API server that ${how} and comes back, and is issued once approved`,
    patience,
    async (context) => {
      const node = await prepareNode(cluster, { groups: [BY_HAND] })
      const agent = startAgent(context, cluster, node)
      const request = await agent.nextRequest('Submitted')
      await watching(cluster, node)
      await apiServer.stop(signal)
      await agent.next('Unreachable')
      await apiServer.start()
      await approveWithKubectl(request)
      await agent.next('Installed', RECOVERY)
      assert.is((await requestsOf(cluster, [node.users.bootstrap])).length, 1)
    },
  )

test(
  'an API server that freezes while a request is watched delays its certificate, and nothing else',
  patience,
  async (context) => {
    const node = await prepareNode(cluster, { groups: [BY_HAND] })
    const agent = startAgent(context, cluster, node)
    const request = await agent.nextRequest('Submitted')
    await watching(cluster, node)
    apiServer.hold()
    context.defer(apiServer.resume)
    await eventually('the API server is silent', () => silent(cluster))
    apiServer.resume()
    await approveWithKubectl(request)
    await agent.next('Installed')
    assert.equal(await requestsSpent(cluster, node), [
      'token: create certificatesigningrequests',
      'token: watch certificatesigningrequests',
    ])
  },
)

test(
  'an etcd that freezes while the request is sent delays its certificate, and nothing else',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    etcd.hold()
    context.defer(etcd.resume)
    const agent = startAgent(context, cluster, node)
    await eventually(
      'the request has reached the API server',
      async () => (await requestsSpent(cluster, node)).length > 0,
    )
    etcd.resume()
    await agent.next('Installed')
    assert.is((await requestsOf(cluster, [node.users.bootstrap])).length, 1)
  },
)

test('an etcd that freezes until the answer is lost makes no second request: the first is found and taken up', {
  deadline: 150_000,
}, async (context) => {
  const node = await prepareNode(cluster)
  etcd.hold()
  context.defer(etcd.resume)
  const agent = startAgent(context, cluster, node)
  await eventually('it gives up an attempt', () => agent.steps.some(({ level }) => level === 'warn'), {
    deadline: 180_000,
  })
  etcd.resume()
  await agent.next('Installed', RECOVERY)
  assert.is((await requestsOf(cluster, [node.users.bootstrap])).length, 1)
})

test(
  'an agent that is started before the API server gets its certificate when that has come',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    await apiServer.stop()
    const agent = startAgent(context, cluster, node)
    await agent.next('Unreachable')
    await apiServer.start()
    await agent.next('Installed', RECOVERY)
  },
)

test(
  'a rotation time that passes while the API server is away is made up for with the certificate that still works',
  patience,
  async (context) => {
    const node = await prepareNode(cluster, { groups: [BY_HAND] })
    const agent = await embed(context, node, { ...impatient, renewFrom: 0.3, renewTo: 0.4 })
    controllerManager.hold()
    context.defer(controllerManager.resume)
    await issueShort(cluster, node, agent, 40_000)
    const { certificate } = await readPair(node)
    await apiServer.stop()
    controllerManager.resume()
    await agent.next('Unreachable')
    assert.is(agent.state()._tag, 'RenewDue')
    await apiServer.start()
    const renewed = await agent.nextRequest('Submitted')
    await agent.next('Installed', RECOVERY)
    assert.is((await readRequest(cluster, renewed)).spec.username, node.users.node)
    assert.is.not((await readPair(node)).certificate.serialNumber, certificate.serialNumber)
  },
)

test(
  'a certificate that ends while the controller manager is away is replaced, by the same request, when that is back',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    await controllerManager.stop()
    const agent = startAgent(context, cluster, node)
    await issueShort(cluster, node, agent, 20_000)
    const request = await agent.nextRequest('Submitted', 30_000)
    assert.is((await readRequest(cluster, request)).spec.username, node.users.node)
    const { certificate } = await readPair(node)
    await eventually('the certificate has expired', () => Date.now() > Date.parse(certificate.validTo), {
      deadline: 30_000,
    })
    await controllerManager.start()
    const { csr } = await agent.next('Installed', RECOVERY)
    assert.is(csr, request)
    assert.is((await requestsOf(cluster, Object.values(node.users))).length, 2)
  },
)

test('a cluster that has forgotten everything gets the request again, with the new token, and the certificate in use still renews itself', {
  deadline: 150_000,
}, async (context) => {
  const waiting = await prepareNode(cluster, { groups: [BY_HAND] })
  const renewing = await prepareNode(cluster)
  const pending = await embed(context, waiting, impatient)
  const settled = await embed(context, renewing, impatient)
  const request = await pending.nextRequest('Submitted')
  await settled.next('Installed')
  await cluster.wipeEtcd()
  settled.rotateNow()
  const renewal = await settled.nextRequest('Submitted')
  await settled.next('Installed')
  assert.is((await readRequest(cluster, renewal)).spec.username, renewing.users.node)

  await pending.next('CredentialRejected', 60_000)
  const { user } = await replaceToken(cluster, waiting)
  await pending.next('Installed', RECOVERY)
  assert.equal(
    (await requestsOf(cluster, [user])).map(({ metadata }) => metadata.name),
    [request],
  )
})

test(
  'a new CA of the cluster is noticed by the probe, and a new certificate obtained, without help',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const agent = startAgent(context, cluster, node, '--probe-interval=2s')
    const { serialNumber } = await agent.next('Installed')
    await cluster.replaceClientAuthority()
    const { level, to } = await agent.next('CredentialRejected', 30_000)
    assert.equal([level, to], ['warn', 'Bootstrapping'])
    const request = await agent.nextRequest('Submitted', 40_000)
    const renewed = await agent.next('Installed')
    assert.is((await readRequest(cluster, request)).spec.username, node.users.bootstrap)
    assert.is.not(renewed.serialNumber, serialNumber)
    // A controller manager that has not ended yet may have signed it with the old CA: then it is replaced again.
    await eventually(
      'kubectl works',
      async () => (await kubectl(['get', 'csr'], { kubeconfig: node.kubeconfig })).code === 0,
      { deadline: 60_000, interval: 1_000 },
    )
  },
)

test('after the CA of the cluster was replaced for servers and clients, a fresh bootstrap kubeconfig is all it takes: kubectl works by the kubeconfig that is written', {
  deadline: 240_000,
}, async (context) => {
  const [running, resting] = [await prepareNode(cluster), await prepareNode(cluster)]
  const agent = startAgent(context, cluster, running, '--probe-interval=2s')
  const before = startAgent(context, cluster, resting)
  await Promise.all([agent.next('Installed'), before.next('Installed')])
  await before.stop()
  await cluster.replaceAuthorities()
  const { msg } = await agent.next('ServerUntrusted', RECOVERY)
  assert.match(msg, `put the CA of this server into kubeconfig ${running.kubeconfig}: `)
  await replaceToken(cluster, running)
  await replaceToken(cluster, resting)
  const restarted = startAgent(context, cluster, resting, '--probe-interval=2s')
  await agent.next('Installed', RECOVERY)
  await restarted.next('Installed', RECOVERY)
  for (const { kubeconfig } of [running, resting]) {
    const asNode = await kubectl(['get', 'csr'], { kubeconfig })
    assert.is(asNode.code, 0, asNode.stderr)
  }
})

/** Whether a request goes without an answer for a second. */
const silent = async ({ admin }: Cluster): Promise<boolean> => {
  const answer = admin('GET', '/readyz').then(
    () => false,
    () => false,
  )
  return Promise.race([answer, sleep(1_000, true)])
}
