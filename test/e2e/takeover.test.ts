/** A certificate directory that goes back and forth between us and a kubelet: its own code for its own directory. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { assert, suite, type TestContext } from '../helper/index.js'
import { readStatus, startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { type Embedded, embed, impatient } from './embedded.js'
import { createKubelet, missingKubelet } from './kubelet.js'
import { type Node, prepareNode } from './node.js'
import { issueShort, readRequest, requestsOf } from './requests.js'
import { currentSerial, currentTarget, kubeletsName, kubeletsPairs, mode, newPair, serial } from './stored.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND

const cluster = await bootCluster()
const { controllerManager, kubectl } = cluster
const options = { deadline: 180_000, skip: missingKubelet(cluster.assets) }

const test = suite(`certificate directory of a kubelet, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const pairFor = ({ name }: Node, lifetime?: number): string =>
  newPair(cluster.clientAuthority(), name, lifetime)

/** A node whose program has bootstrapped and ended. */
const bootstrapped = async (context: TestContext): Promise<Node> => {
  const node = await prepareNode(cluster)
  const agent = startAgent(context, cluster, node, '--once')
  assert.is(await agent.ended, 0, agent.stderr())
  return node
}

/** What a kubeconfig that uses the stored pair is to a kubelet. */
const followed = (node: Node) => ({
  bootstraps: false,
  server: cluster.url,
  certificateFile: node.currentPair,
  keyFile: node.currentPair,
  embeddedCertificate: false,
})

const works = async (kubeconfig: string): Promise<void> => {
  const { code, stderr } = await kubectl(['get', 'csr'], { kubeconfig })
  assert.is(code, 0, stderr)
}

test(
  'a kubelet takes over: our kubeconfig is valid to it, our pair is its current one, and it stores its own beside ours',
  options,
  async (context) => {
    const kubelet = createKubelet(context, cluster.assets)
    const node = await bootstrapped(context)
    const [ours, ourFile] = [await currentSerial(node.certDir), await currentTarget(node.certDir)]
    const kubeconfig = await readFile(node.kubeconfig, 'utf8')
    assert.equal(await kubelet.loadConfig(node), followed(node))
    assert.is(await readFile(node.kubeconfig, 'utf8'), kubeconfig, 'it had no reason to write it')
    const current = await kubelet.current(node.certDir)
    assert.equal([current.serialNumber, current.path], [ours, node.currentPair])

    const pair = pairFor(node)
    await kubelet.update(node.certDir, pair)
    const target = await currentTarget(node.certDir)
    assert.match(basename(target), kubeletsName)
    assert.is(target, join(node.certDir, basename(target)), 'its links are absolute')
    assert.is(serial(await readFile(join(node.certDir, ourFile), 'utf8')), ours)
    assert.equal([await mode(node.certDir), await mode(target)], ['700', '600'])
    const { code, report } = await readStatus(node)
    assert.equal([code, report.state, report.certificate?.serialNumber], [0, 'Issued', serial(pair)])
    assert.equal(report.warnings, [])
  },
)

test(
  'we take over: what a kubelet left is used as it is, renewed in time with its certificate, and kept',
  options,
  async (context) => {
    const kubelet = createKubelet(context, cluster.assets)
    const node = await prepareNode(cluster)
    assert.is((await kubelet.loadConfig(node)).bootstraps, true)
    const kubeconfig = await readFile(node.kubeconfig, 'utf8')
    const life = 20 * SECOND
    const pair = pairFor(node, life)
    await kubelet.update(node.certDir, pair)
    const file = await currentTarget(node.certDir)
    const receivedAt = Math.floor((await stat(file)).mtimeMs / SECOND) * SECOND
    assert.is(await mode(node.certDir), '755')
    const { code, report } = await readStatus(node)
    assert.equal(
      [code, report.state, report.certificate?.serialNumber, Date.parse(report.receivedAt ?? '')],
      [0, 'Issued', serial(pair), receivedAt],
    )
    assert.equal(report.warnings, [])

    const agent = await embed(context, node, { ...impatient, renewFrom: 0.3, renewTo: 0.4 })
    const loaded = await agent.next('Loaded')
    assert.equal([loaded.to, loaded.message], ['Issued', 'the store has a certificate'])
    const { csr = '', at } = await agent.next('Submitted')
    assert.ok(at.getTime() - receivedAt > 0.28 * (life - SECOND), `renewed at ${at.toISOString()}`)
    assert.is((await readRequest(cluster, csr)).spec.username, node.users.node)
    const { serialNumber } = await agent.next('Installed')
    assert.is((await kubelet.current(node.certDir)).serialNumber, serialNumber)
    assert.equal(await kubeletsPairs(node.certDir), { [basename(file)]: serial(pair) })
    assert.is(await readFile(node.kubeconfig, 'utf8'), kubeconfig)
    assert.equal(await kubelet.loadConfig(node), followed(node))
  },
)

test(
  'in turns each goes on with what the other stored last, renews it with that, and loses nothing of it',
  options,
  async (context) => {
    const kubelet = createKubelet(context, cluster.assets)
    const node = await prepareNode(cluster)
    const stored: Record<string, string> = {}
    context.defer(controllerManager.resume)
    for (let round = 1; round <= 3; round += 1) {
      const before = round === 1 ? undefined : await currentSerial(node.certDir)
      controllerManager.hold()
      const agent = await embed(context, node, impatient)
      if (before !== undefined) {
        assert.is((await agent.issued()).serialNumber, before)
        agent.rotateNow()
      }
      // A kubelet counts from notBefore: for it this one is due at once.
      await issueShort(cluster, node, agent, 5 * MINUTE, 60 * MINUTE)
      await agent.stop()
      controllerManager.resume()
      const ours = await currentSerial(node.certDir)
      assert.is.not(ours, before)

      const renewed = await kubelet.rotate(node)
      assert.equal(renewed.config, followed(node))
      assert.equal([renewed.before?.serialNumber], [ours])
      assert.is.not(renewed.after.serialNumber, ours)
      assert.is(await currentSerial(node.certDir), renewed.after.serialNumber)
      stored[basename(await currentTarget(node.certDir))] = renewed.after.serialNumber
      assert.equal(await kubeletsPairs(node.certDir), stored)
      const { code, report } = await readStatus(node)
      assert.equal([code, report.certificate?.serialNumber], [0, renewed.after.serialNumber])
      assert.equal([await mode(node.certDir), await mode(node.currentPair)], ['700', '600'])
    }
    assert.is((await requestsOf(cluster, [node.users.bootstrap])).length, 1)
    assert.is((await requestsOf(cluster, [node.users.node])).length, 5)
    await works(node.kubeconfig)
  },
)

test(
  'the serving certificate goes back and forth in the same directory, and the client certificate takes no notice',
  options,
  async (context) => {
    const kubelet = createKubelet(context, cluster.assets)
    const node = await bootstrapped(context)
    const prefix = 'kubelet-server'
    const client = [await currentTarget(node.certDir), await currentSerial(node.certDir)]
    const template = {
      commonName: node.users.node,
      organizations: ['system:nodes'],
      dnsNames: [node.name],
      ipAddresses: [],
      uris: [],
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'key encipherment', 'server auth'],
    }
    const renew = async (agent: Embedded): Promise<string> => {
      const request = await agent.nextRequest('Submitted')
      await kubectl(['certificate', 'approve', request])
      await agent.next('Installed')
      await agent.stop()
      return (await agent.issued()).serialNumber
    }
    const serving = () =>
      embed(context, node, { ...impatient, authenticateWith: 'external' }, { template, certPrefix: prefix })
    for (let round = 1; round <= 2; round += 1) {
      const agent = await serving()
      if (round > 1) {
        assert.is(
          (await agent.issued()).serialNumber,
          (await kubelet.current(node.certDir, prefix)).serialNumber,
        )
        agent.rotateNow()
      }
      const ours = await renew(agent)
      assert.is((await kubelet.current(node.certDir, prefix)).serialNumber, ours)
      await kubelet.update(node.certDir, pairFor(node), prefix)
      assert.match(basename(await currentTarget(node.certDir, prefix)), kubeletsName)
    }
    assert.equal([await currentTarget(node.certDir), await currentSerial(node.certDir)], client)
  },
)

for (const named of [true, false])
  test(
    `a certificate and a key in kubelet-client.crt and .key, ${named ? 'which the kubeconfig names' : 'and no kubeconfig'}, are used like a kubelet does, and replaced by a pair at once`,
    options,
    async (context) => {
      const kubelet = createKubelet(context, cluster.assets)
      const node = await prepareNode(cluster)
      const [certificate, key] = ['crt', 'key'].map((kind) => join(node.certDir, `kubelet-client.${kind}`))
      assert.ok(certificate && key)
      const pair = pairFor(node)
      const keyBegins = pair.lastIndexOf('-----BEGIN')
      await mkdir(node.certDir, { mode: 0o755 })
      await writeFile(certificate, pair.slice(0, keyBegins))
      await writeFile(key, pair.slice(keyBegins), { mode: 0o600 })
      assert.is((await kubelet.current(node.certDir)).serialNumber, serial(pair))
      if (named) {
        await kubelet.loadConfig(node)
        const text = await readFile(node.kubeconfig, 'utf8')
        await writeFile(
          node.kubeconfig,
          text.replace(node.currentPair, certificate).replace(node.currentPair, key),
        )
        const { bootstraps, certificateFile, keyFile } = await kubelet.loadConfig(node)
        assert.equal([bootstraps, certificateFile, keyFile], [false, certificate, key])
      }
      assert.equal(
        [(await readStatus(node)).code, (await readStatus(node)).report.certificate?.serialNumber],
        [0, serial(pair)],
      )

      controllerManager.hold()
      context.defer(controllerManager.resume)
      const agent = startAgent(context, cluster, node)
      assert.is((await agent.next('Loaded')).to, 'Issued')
      const request = await agent.nextRequest('Submitted')
      assert.is((await readRequest(cluster, request)).spec.username, node.users.node)
      // Nobody has approved it yet: those who used the kubeconfig need not wait.
      if (named) await works(node.kubeconfig)
      controllerManager.resume()
      const { serialNumber } = await agent.next('Installed')
      assert.is((await kubelet.current(node.certDir)).serialNumber, serialNumber)
      assert.is(serial(await readFile(certificate, 'utf8')), serial(pair))
      assert.equal(await kubelet.loadConfig(node), followed(node))
      await works(node.kubeconfig)
    },
  )
