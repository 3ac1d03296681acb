/** From a bootstrap token to a certificate: alone, by hand, refused, forgotten, and killed on the way. */
import { execFile } from 'node:child_process'
import { lstat, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, suite } from '../helper/index.js'
import { readStatus, startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { embed, impatient } from './embedded.js'
import { pairFiles, prepareNode, readPair, requestsSpent } from './node.js'
import { projectWith } from './package.js'
import { allowRequests, approve, fail, readRequest, requestsOf } from './requests.js'

const BY_HAND = 'system:bootstrappers:by-hand'
const patience = { deadline: 180_000 }

const cluster = await bootCluster()
const { kubectl, controllerManager } = cluster
await allowRequests(cluster, BY_HAND)

const test = suite(`bootstrap, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const prepareByHand = () => prepareNode(cluster, { groups: [BY_HAND] })

/** The condition that kubectl prints of a request. */
const shown = async (name: string): Promise<string> =>
  (await kubectl(['get', 'csr', name, '--no-headers'])).stdout.trim().split(/\s+/).at(-1) ?? ''

test(
  'a node that has nothing but a bootstrap token gets a kubeconfig with which kubectl is system:node:NAME',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const agent = startAgent(context, cluster, node, '--once')
    const request = await agent.nextRequest('Submitted')
    assert.is(await agent.ended, 0, agent.stderr())

    const { certificate, key } = await readPair(node)
    assert.is(certificate.subject, `O=system:nodes\nCN=${node.users.node}`)
    assert.ok(certificate.checkPrivateKey(key))
    assert.ok((await lstat(node.currentPair)).isSymbolicLink())
    assert.is((await stat(node.currentPair)).mode & 0o777, 0o600)
    assert.is((await stat(node.kubeconfig)).mode & 0o777, 0o600)
    const { code, report } = await readStatus(node)
    assert.equal([code, report.state, report.usable], [0, 'Issued', true])

    const asNode = { kubeconfig: node.kubeconfig }
    const may = async (...what: readonly string[]) =>
      (await kubectl(['auth', 'can-i', ...what], asNode)).stdout.trim()
    assert.is(await may('create', 'certificatesigningrequests'), 'yes')
    assert.is(await may('delete', 'certificatesigningrequests'), 'no')
    const got = await kubectl(['get', 'csr', request, '-o', 'name'], asNode)
    assert.is(got.code, 0, got.stderr)
    const seen = (await cluster.auditLog()).filter(
      ({ userAgent, verb, uri }) =>
        userAgent.startsWith('kubectl') && verb === 'get' && uri.includes(request),
    )
    assert.is(seen.length, 1)
    assert.is(seen[0]?.username, node.users.node)
    assert.ok(seen[0]?.groups.includes('system:nodes'))

    assert.equal(await requestsSpent(cluster, node), [
      'token: create certificatesigningrequests',
      'token: watch certificatesigningrequests',
    ])
  },
)

test(
  "the README's first calls, with node:https, fetch and client-node, are answered",
  patience,
  async (context) => {
    const readme = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8')
    const [, section = ''] = /^## The first call$([\s\S]*?)^## /m.exec(readme) ?? []
    const examples = [...section.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
    assert.is(examples.length, 3)
    const project = await projectWith('undici', '@kubernetes/client-node')
    for (const [index, code] of examples.entries()) {
      const node = await prepareNode(cluster)
      const file = join(project, `first-call-${index}.mjs`)
      const placed = code
        .replaceAll('/etc/kubernetes/bootstrap-kubelet.conf', node.bootstrapKubeconfig)
        .replaceAll('/var/lib/kubelet/pki', node.certDir)
        .replaceAll('worker-1', node.name)
      await writeFile(file, `${placed}\nawait rotation.stop()\n`)
      const { stdout } = await promisify(execFile)(process.execPath, [file], { signal: context.signal })
      assert.match(stdout, new RegExp(`^(200: )?${node.name} sees [1-9]\\d* requests?$`, 'm'))
    }
  },
)

test(
  'kubectl get csr shows the request Pending while nobody decides, then Approved,Issued',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    controllerManager.hold()
    context.defer(controllerManager.resume)
    const agent = startAgent(context, cluster, node)
    const request = await agent.nextRequest('Submitted')
    assert.is(await shown(request), 'Pending')
    const { report } = await readStatus(node)
    assert.equal([report.usable, report.pendingRequest?.name], [false, request])

    controllerManager.resume()
    await agent.next('Approved')
    await agent.next('Installed')
    assert.is(await shown(request), 'Approved,Issued')
    assert.is(await agent.stop(), 0)
  },
)

test(
  'a request that no controller approves waits, alone, until somebody approves it with kubectl',
  patience,
  async (context) => {
    const node = await prepareByHand()
    const agent = startAgent(context, cluster, node)
    const request = await agent.nextRequest('Submitted')
    // The controller manager looked at it and found no reason to approve it: another one's is issued meanwhile.
    await startAgent(context, cluster, await prepareNode(cluster)).next('Installed')
    assert.is(await shown(request), 'Pending')

    const { code, stderr } = await kubectl(['certificate', 'approve', request])
    assert.is(code, 0, stderr)
    const { serialNumber } = await agent.next('Installed')
    assert.is((await readPair(node)).certificate.serialNumber.toLowerCase(), serialNumber)
    assert.is((await requestsOf(cluster, [node.users.bootstrap])).length, 1)
  },
)

test(
  'a request denied with kubectl is reported with the reason, and followed by one with a new key, in no hurry',
  patience,
  async (context) => {
    const node = await prepareByHand()
    const agent = startAgent(context, cluster, node)
    const denied = await agent.nextRequest('Submitted')
    await kubectl(['certificate', 'deny', denied])
    const { level, msg, time } = await agent.next('Denied')
    assert.is(level, 'error')
    assert.match(
      msg,
      `request ${denied} was denied (KubectlDeny: This CSR was denied by kubectl certificate deny.)`,
    )

    const again = await agent.next('Submitted', 40_000)
    assert.ok(Date.parse(again.time) - Date.parse(time) >= 15_000, `${time}, ${again.time}`)
    assert.is.not(again.csr, denied)
    await kubectl(['certificate', 'approve', again.csr ?? ''])
    await agent.next('Installed')
    const requests = await requestsOf(cluster, [node.users.bootstrap])
    assert.is(new Set(requests.map(({ spec }) => spec.request)).size, 2)
  },
)

test(
  'a request that its signer fails is reported with the reason, and followed by one with a new key',
  patience,
  async (context) => {
    const node = await prepareByHand()
    controllerManager.hold()
    context.defer(controllerManager.resume)
    const agent = await embed(context, node, impatient)
    const failed = await agent.nextRequest('Submitted')
    await approve(cluster, failed)
    await agent.next('Approved')
    await fail(cluster, failed, 'SignerValidationFailure', 'the subject is not to my liking')
    const { message } = await agent.next('SignerFailed')
    assert.match(message, 'SignerValidationFailure: the subject is not to my liking')
    assert.is(await shown(failed), 'Approved,Failed')

    const second = await agent.nextRequest('Submitted')
    assert.is.not(second, failed)
    await kubectl(['certificate', 'approve', second])
    controllerManager.resume()
    assert.is((await agent.issued()).commonName, node.users.node)
  },
)

test(
  'a request that is deleted while it waits is sent again with the same key, and still approved',
  patience,
  async (context) => {
    const node = await prepareByHand()
    const agent = startAgent(context, cluster, node)
    const request = await agent.nextRequest('Submitted')
    const before = await readRequest(cluster, request)
    assert.is((await kubectl(['delete', 'csr', request])).code, 0)
    await agent.next('Gone')
    assert.is(await agent.nextRequest('Submitted'), request)
    const after = await readRequest(cluster, request)
    assert.is.not(after.metadata.uid, before.metadata.uid)
    assert.is(after.spec.request, before.spec.request)
    await kubectl(['certificate', 'approve', request])
    await agent.next('Installed')
  },
)

test(
  'an agent that is killed at any stage goes on where it was when it is started again, with the same request',
  patience,
  async (context) => {
    const node = await prepareByHand()
    controllerManager.hold()
    context.defer(controllerManager.resume)
    const killedAfter = async (reason: string): Promise<void> => {
      const agent = startAgent(context, cluster, node)
      await agent.next(reason)
      assert.is(await agent.stop('SIGKILL'), 'SIGKILL')
    }
    await killedAfter('Loaded')
    await killedAfter('Submitted')
    const [request] = await requestsOf(cluster, [node.users.bootstrap])
    assert.ok(request)
    await kubectl(['certificate', 'approve', request.metadata.name])
    await killedAfter('Approved')
    controllerManager.resume()
    await killedAfter('Installed')
    const { certificate } = await readPair(node)

    const agent = startAgent(context, cluster, node)
    const { to, msg } = await agent.next('Loaded')
    assert.equal([to, msg], ['Issued', 'the store has a certificate'])
    assert.is(await agent.stop(), 0)
    assert.is((await readPair(node)).certificate.serialNumber, certificate.serialNumber)
    assert.is((await pairFiles(node)).length, 1)
    assert.is((await requestsOf(cluster, [node.users.bootstrap, node.users.node])).length, 1)
  },
)

test(
  'a second agent on a certificate directory is refused, and told which process has it',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const first = startAgent(context, cluster, node)
    await first.next('Installed')
    const second = startAgent(context, cluster, node)
    assert.is(await second.ended, 1)
    assert.match(second.stderr(), String(first.pid))
    assert.match(second.stderr(), node.certDir)
  },
)
