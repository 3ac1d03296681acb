/** Short certificates of the controller manager's, in real time: what they cost, and when they are too short. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, suite } from '../helper/index.js'
import { startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { pairFiles, prepareNode, readPair, requestsSpent } from './node.js'
import { readRequest, requestsOf } from './requests.js'

const MINUTE = 60_000

// Five minutes lie in the past when it arrives: 1.20 and 1.21 count a certificate's end from there, later
// versions count short durations from now.
const cluster = await bootCluster()
const backdated = cluster.version.minor < 22
await cluster.reconfigure({ clusterSigningDuration: backdated ? '6m' : '60s' })

const test = suite(`renewal, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const publicKey = ({ publicKey }: X509Certificate): string =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

test('certificates of a minute are renewed with the certificate itself, in time, each time with a new key, for two requests', {
  deadline: 5 * MINUTE,
}, async (context) => {
  const node = await prepareNode(cluster)
  // Without it there is a warning: the cluster's clients have a CA of their own.
  const authorities = join(cluster.folder, 'client-ca-bundle.crt')
  const agent = startAgent(context, cluster, node, `--client-ca-file=${authorities}`)
  let held = await agent.next('Installed')
  const kubeconfig = await readFile(node.kubeconfig, 'utf8')
  const keys = new Set<string>()

  for (let renewal = 1; renewal <= 3; renewal++) {
    const before = await readPair(node)
    keys.add(publicKey(before.certificate))
    const received = Date.parse(held.time)
    const life = Date.parse(held.notAfter ?? '') - received
    assert.ok(life > 55_000 && life <= MINUTE, `it is good for ${life} ms`)

    const submitted = await agent.next('Submitted', MINUTE)
    const age = Date.parse(submitted.time) - received
    assert.ok(age > 0.68 * life && age < 0.95 * life, `renewed after ${age} of ${life} ms`)
    held = await agent.next('Installed')
    assert.ok(Date.parse(held.time) - received < life)

    const after = await readPair(node)
    assert.is.not(after.certificate.serialNumber, before.certificate.serialNumber)
    assert.is(after.certificate.serialNumber.toLowerCase(), held.serialNumber)
    assert.ok(after.certificate.checkPrivateKey(after.key))
    const request = await readRequest(cluster, submitted.csr ?? '')
    assert.is(request.spec.username, node.users.node)
    assert.ok(request.spec.groups?.includes('system:nodes'))

    // The pair before is kept, older ones are not.
    const files = await pairFiles(node)
    assert.is(files.length, 2)
    const kept = new X509Certificate(await readFile(join(node.certDir, files[0] ?? '')))
    assert.is(kept.serialNumber, before.certificate.serialNumber)

    assert.is(await readFile(node.kubeconfig, 'utf8'), kubeconfig)
    const asNode = await cluster.kubectl(['get', 'csr'], { kubeconfig: node.kubeconfig })
    assert.is(asNode.code, 0, asNode.stderr)
  }
  keys.add(publicKey((await readPair(node)).certificate))
  assert.is(keys.size, 4)

  assert.equal(await requestsSpent(cluster, node), [
    'token: create certificatesigningrequests',
    'token: watch certificatesigningrequests',
    ...Array.from({ length: 3 }, () => [
      'node: create certificatesigningrequests',
      'node: watch certificatesigningrequests',
    ]).flat(),
  ])
  assert.equal(
    agent.steps.filter(({ level }) => level !== 'info'),
    [],
  )
})

test('a certificate of 90 s is worth 90 s, or, where it has ended before it arrives, a clear message and no hot loop', {
  deadline: 2 * MINUTE,
}, async (context) => {
  await cluster.reconfigure({ clusterSigningDuration: '90s' })
  const node = await prepareNode(cluster)
  const agent = startAgent(context, cluster, node)
  if (!backdated) {
    const { time, notAfter, rotateAt } = await agent.next('Installed')
    const received = Date.parse(time)
    const left = Date.parse(notAfter ?? '') - received
    const until = Date.parse(rotateAt ?? '') - received
    assert.ok(left > 85_000 && left <= 90_000, `it is good for ${left} ms`)
    assert.ok(until > 0.68 * left && until < 0.95 * left, `renewed after ${until} of ${left} ms`)
    return
  }
  const first = await agent.nextRequest('Submitted')
  const refused = await agent.next('Defective')
  assert.is(refused.level, 'error')
  assert.match(
    refused.msg,
    /it expired at .*, 3m(?: \d+s)? before it arrived \(a signing duration shorter than the signer's backdating/,
  )
  await cluster.reconfigure({ clusterSigningDuration: '8760h' })
  const again = await agent.next('Submitted', 40_000)
  const pause = Date.parse(again.time) - Date.parse(refused.time)
  assert.ok(pause >= 15_000, `the next request came after ${pause} ms`)
  await agent.next('Installed')
  assert.equal(
    (await requestsOf(cluster, [node.users.bootstrap])).map(({ metadata }) => metadata.name),
    [first, again.csr],
  )
})
