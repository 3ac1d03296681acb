/** Tokens, roles and files that are taken away under an agent, and given back. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRight } from 'fp-ts/lib/Either.js'
import { isNone } from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { parse, stringify } from 'yaml'
import type { Transition } from '../../adapters/node/index.js'
import { clientTemplate } from '../../src/index.js'
import { writeVolume } from '../adapters/connections/volume.js'
import { assert, eventually, suite } from '../helper/index.js'
import { startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { embed, impatient } from './embedded.js'
import { prepareNode, readPair, replaceToken, userOf, watching } from './node.js'
import { kubernetes, library } from './package.js'
import { allowRequests, forbidRequests, issueShort, readRequest, requestsOf } from './requests.js'
import { createStory, RECOVERY } from './story.js'

const BY_HAND = 'system:bootstrappers:by-hand'
const FORBIDDEN = 'system:bootstrappers:forbidden'
const patience = { deadline: 90_000 }

const TokenRequest = t.type({ status: t.type({ token: t.string }) })

const cluster = await bootCluster()
const { apiServer, controllerManager, kubectl } = cluster
await allowRequests(cluster, BY_HAND)

const test = suite(`credentials, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

test(
  'a bootstrap kubeconfig that is put in its place later is all that a waiting agent needs',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    await rename(node.bootstrapKubeconfig, `${node.bootstrapKubeconfig}.later`)
    const agent = startAgent(context, cluster, node)
    const { msg } = await agent.next('NoCredential')
    assert.match(msg, node.bootstrapKubeconfig)
    await rename(`${node.bootstrapKubeconfig}.later`, node.bootstrapKubeconfig)
    await agent.next('Installed')
  },
)

test(
  'a token that has expired is refused, named as the trouble, and shown in no log; its successor is used',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const token = 'abcdef.0123456789abcdef'
    await cluster.writeKubeconfig(`bootstrap-${node.name}`, { token })
    const agent = startAgent(context, cluster, node)
    const { msg } = await agent.next('CredentialRejected')
    assert.match(msg, /401 Unauthorized.*supply a fresh bootstrap credential/)
    await replaceToken(cluster, node)
    await agent.next('Installed', 40_000)
    assert.not.match(JSON.stringify(agent.steps) + agent.stderr(), token.slice(7))
  },
)

test(
  'a token that is revoked while the request waits costs nothing but another token: the request stays the same',
  patience,
  async (context) => {
    const node = await prepareNode(cluster, { groups: [BY_HAND] })
    const agent = await embed(context, node, impatient)
    const request = await agent.nextRequest('Submitted')
    const id = node.users.bootstrap.split(':').at(-1)
    assert.is((await kubectl(['-n', 'kube-system', 'delete', 'secret', `bootstrap-token-${id}`])).code, 0)
    // An open watch goes on with a token that is gone.
    await apiServer.stop('SIGKILL')
    await apiServer.start()
    await agent.next('CredentialRejected')
    const { user } = await replaceToken(cluster, node)
    await kubectl(['certificate', 'approve', request])
    await agent.next('Installed', RECOVERY)
    assert.is((await requestsOf(cluster, [node.users.bootstrap, user])).length, 1)
  },
)

test(
  'a role that is missing is named as the trouble, and all goes on when it is given',
  patience,
  async (context) => {
    await allowRequests(cluster, FORBIDDEN)
    await forbidRequests(cluster, FORBIDDEN)
    const node = await prepareNode(cluster, { groups: [FORBIDDEN] })
    const agent = await embed(context, node, impatient)
    const { message } = await agent.next('Forbidden')
    assert.match(
      message,
      /403 Forbidden: .*cannot create resource "certificatesigningrequests".*node-bootstrapper/,
    )
    await allowRequests(cluster, FORBIDDEN)
    const request = await agent.nextRequest('Submitted')
    await watching(cluster, node)
    await forbidRequests(cluster, FORBIDDEN)
    await kubectl(['certificate', 'approve', request])
    // The watch was allowed when it was opened.
    await agent.next('Installed')
  },
)

test(
  'a kubeconfig that is deleted under a running agent is written again, and does not keep it from renewing',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const agent = await embed(context, node, impatient)
    await agent.next('Installed')
    const kubeconfig = await readFile(node.kubeconfig, 'utf8')
    await rm(node.kubeconfig)
    agent.rotateNow()
    await agent.next('Installed')
    assert.is(await readFile(node.kubeconfig, 'utf8'), kubeconfig)
  },
)

test(
  'a certificate directory that is emptied under a running agent is filled again by the next renewal',
  patience,
  async (context) => {
    const node = await prepareNode(cluster)
    const agent = await embed(context, node, impatient)
    await agent.next('Installed')
    await rm(node.certDir, { recursive: true })
    agent.rotateNow()
    const { serialNumber } = await agent.next('Installed')
    assert.is((await readPair(node)).certificate.serialNumber.toLowerCase(), serialNumber)
  },
)

test(
  'a certificate that expired while its agent was off or asleep is replaced as soon as that is back',
  patience,
  async (context) => {
    const [off, asleep] = [await prepareNode(cluster), await prepareNode(cluster)]
    controllerManager.hold()
    context.defer(controllerManager.resume)
    const [first, sleeper] = [startAgent(context, cluster, off), startAgent(context, cluster, asleep)]
    await issueShort(cluster, off, first, 12_000)
    await first.stop('SIGKILL')
    await issueShort(cluster, asleep, sleeper, 12_000)
    sleeper.signal('SIGSTOP')
    const { certificate } = await readPair(asleep)
    controllerManager.resume()
    await eventually('the certificates have expired', () => Date.now() > Date.parse(certificate.validTo), {
      deadline: 15_000,
    })
    sleeper.signal('SIGCONT')
    const second = startAgent(context, cluster, off)
    for (const [node, agent] of [
      [off, second],
      [asleep, sleeper],
    ] as const) {
      const request = await agent.nextRequest('Submitted')
      await agent.next('Installed')
      assert.is((await readRequest(cluster, request)).spec.username, node.users.bootstrap)
      assert.ok(Date.parse((await readPair(node)).certificate.validTo) > Date.now())
    }
  },
)

test(
  "client certificates are compared with their own CA where it is named, and only expected to chain to the API server's",
  patience,
  async (context) => {
    const on = async (...flags: readonly string[]) =>
      startAgent(context, cluster, await prepareNode(cluster), ...flags)
    const [bare, named, misled] = await Promise.all([
      on(),
      on(`--client-ca-file=${join(cluster.folder, 'client-ca-bundle.crt')}`),
      on(`--client-ca-file=${join(cluster.folder, 'ca.crt')}`),
    ])
    const { commonName } = cluster.clientAuthority()
    const stranger = (steps: typeof bare.steps) =>
      steps.filter(({ level, msg }) => level === 'warn' && msg.includes('does not chain to a CA'))
    await bare.next('Installed')
    assert.is(stranger(bare.steps).length, 1)
    assert.match(stranger(bare.steps)[0]?.msg ?? '', `no CA there is called CN=${commonName}`)
    await named.next('Installed')
    assert.equal(stranger(named.steps), [])
    const { msg } = await misled.next('Defective')
    assert.match(msg, `does not chain to a CA in ${join(cluster.folder, 'ca.crt')}`)
  },
)

test(
  'a credential plugin is run once for a bootstrap, and once more when its token was revoked while the request waits',
  patience,
  async (context) => {
    const node = await prepareNode(cluster, { groups: [BY_HAND] })
    const plugin = join(node.folder, 'plugin')
    const runs = async () => (await readFile(`${plugin}.runs`, 'utf8')).split('\n').length - 1
    const answers = async (token: string) => {
      const apiVersion = 'client.authentication.k8s.io/v1beta1'
      const answer = JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } })
      await writeFile(`${plugin}.new`, `#!/bin/sh\necho run >> ${plugin}.runs\necho '${answer}'\n`, {
        mode: 0o755,
      })
      await rename(`${plugin}.new`, plugin)
    }
    const kubeconfig = parse(await readFile(node.bootstrapKubeconfig, 'utf8'))
    await answers(kubeconfig.users[0].user.token)
    kubeconfig.users[0].user = {
      exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: plugin },
    }
    await writeFile(node.bootstrapKubeconfig, stringify(kubeconfig))

    const agent = await embed(context, node, impatient)
    const request = await agent.nextRequest('Submitted')
    assert.is(await runs(), 1)
    const successor = await cluster.createBootstrapToken({ groups: [BY_HAND] })
    await answers(successor)
    const id = node.users.bootstrap.split(':').at(-1)
    assert.is((await kubectl(['-n', 'kube-system', 'delete', 'secret', `bootstrap-token-${id}`])).code, 0)
    await apiServer.stop('SIGKILL')
    await apiServer.start()
    await kubectl(['certificate', 'approve', request])
    await agent.next('Installed', RECOVERY)
    assert.ok((await runs()) <= 2, `it was run ${await runs()} times`)
    assert.is((await requestsOf(cluster, [node.users.bootstrap, userOf(successor)])).length, 1)
  },
)

test('a service account token that is replaced: the one before is refused, and the next one is read when it is there', {
  deadline: 150_000,
}, async (context) => {
  const path = '/api/v1/namespaces/default/serviceaccounts'
  const group = 'system:serviceaccounts:default'
  await allowRequests(cluster, group)
  const createAccount = async () => {
    const { status } = await cluster.admin('POST', path, { metadata: { name: 'agent' } })
    assert.is(status, 201)
  }
  const issueToken = async (): Promise<string> => {
    const { body } = await cluster.admin('POST', `${path}/agent/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [], expirationSeconds: 600 },
    })
    const answer = TokenRequest.decode(body)
    if (isRight(answer)) return answer.right.status.token
    throw new Error(JSON.stringify(body))
  }
  await createAccount()
  const first = await issueToken()
  const node = await prepareNode(cluster)
  const volume = join(node.folder, 'serviceaccount')
  await mkdir(volume)
  writeVolume(volume, 1, { token: first, 'ca.crt': cluster.ca })
  const { hostname, port } = new URL(cluster.url)
  const { inCluster, certificateSigningRequests } = await kubernetes()
  const found = inCluster({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, volume)
  if (isNone(found)) throw new Error('the service account is not found')
  const requests = certificateSigningRequests({
    cluster: found.value.cluster,
    external: found.value.access,
  })
  context.defer(async () => requests.close())
  const { startRotation } = await library()
  const { story, tell, end } = createStory<Transition>('the pod')
  const rotation = await startRotation({
    template: clientTemplate('agent', ['agents']),
    certDir: node.certDir,
    certPrefix: 'agent',
    policy: { ...impatient, authenticateWith: 'external' },
    ports: { requests },
    onTransition: tell,
  })
  context.defer(rotation.stop)
  rotation.ended.then(
    () => end('it was stopped'),
    (error: Error) => end(error.message),
  )
  await kubectl(['certificate', 'approve', await story.nextRequest('Submitted')])
  await story.next('Installed')

  // The account is made anew: its tokens of before are worth nothing any more.
  assert.is((await cluster.admin('DELETE', `${path}/agent`)).status, 200)
  await createAccount()
  await eventually(
    'the first token is refused',
    async () => {
      const { status } = await cluster.client({ token: first })('GET', '/apis')
      return status === 401
    },
    { deadline: 40_000 },
  )
  rotation.rotateNow()
  const refused = await story.next('CredentialRejected')
  assert.match(refused.message, /401/)
  assert.not.match(refused.message, first.slice(-20))
  assert.ok(rotation.current() !== undefined)
  writeVolume(volume, 2, { token: await issueToken(), 'ca.crt': cluster.ca })
  const request = await story.nextRequest('Submitted')
  assert.is((await readRequest(cluster, request)).spec.username, 'system:serviceaccount:default:agent')
  await kubectl(['certificate', 'approve', request])
  await story.next('Installed')
})
