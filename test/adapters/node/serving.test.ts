import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import * as tls from 'node:tls'
import { fixedAddresses, interfaceAddresses } from '../../../adapters/addresses/index.js'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { follow, tlsServer } from '../../../adapters/connections/index.js'
import { nodeAddresses } from '../../../adapters/kubernetes/index.js'
import { virtualClock } from '../../../adapters/memory/index.js'
import {
  clientTemplate,
  type RotationOptions,
  type RunningRotation,
  startRotation,
} from '../../../adapters/node/index.js'
import { kubeletServingSigner, second } from '../../../src/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { noon } from '../../src/samples.js'
import { inProcess } from '../command-line/in-process.js'
import { rotating, until, type World, world } from './world.js'

const test = suite('serving certificates')

const servingOptions = (client: RunningRotation): RotationOptions => ({
  nodeName: 'worker-1',
  authenticateWith: client,
  addressDelay: 0,
})

const own = { name: 'worker-1', addresses: ['127.0.0.2', '.example.com'] }

/** A client certificate, and beside it a serving certificate that is asked for with it. */
const both = async (context: TestContext, there: World) => {
  const client = await rotating(context, there)
  const serving = await rotating(context, there, {
    nodeName: 'worker-1',
    authenticateWith: client,
    addresses: nodeAddresses({ nodeName: 'worker-1', access: client.access }),
    addressDelay: 50,
    policy: { submitInterval: second },
  })
  return { client, serving }
}

test('is asked for with the client certificate, for the addresses of the Node object, and again when they change', async (context) => {
  const there = await world(context, { nodes: [own] })
  const { client, serving } = await both(context, there)
  const first = await serving.issued()
  assert.is(first.commonName, 'system:node:worker-1')
  const [request] = there.plane.requests().filter(({ spec }) => spec.signerName === kubeletServingSigner)
  assert.is(request?.spec.username, 'system:node:worker-1')
  const posted = there.calls().filter(({ method, code }) => method === 'POST' && code === 201)
  assert.equal(posted.at(-1)?.certificateSerialNumber, {
    _tag: 'Some',
    value: client.current()?.serialNumber,
  })

  // A server takes the new certificate; a connection from before goes on.
  const server = createServer((_, response) => response.end('ok'))
  const following = follow(serving)
  const stop = tlsServer(following, server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
  context.defer(async () => {
    stop()
    following.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const connect = (host: string): Promise<tls.TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host, port, ca: there.plane.authority() }, () => resolve(socket))
      socket.on('error', reject)
      context.defer(() => socket.destroy())
    })
  const before = await connect('127.0.0.2')
  assert.is(before.getPeerX509Certificate()?.subjectAltName, 'DNS:worker-1, IP Address:127.0.0.2')

  there.plane.declareNodes([{ ...own, addresses: [...own.addresses, '127.0.0.3', 'worker-1.example.com'] }])
  await eventually('there is another one', () => serving.current()?.serialNumber !== first.serialNumber)
  const after = await connect('127.0.0.2')
  assert.is(
    after.getPeerX509Certificate()?.subjectAltName,
    'DNS:worker-1, DNS:worker-1.example.com, IP Address:127.0.0.2, IP Address:127.0.0.3',
  )
  const answer = new Promise<string>((resolve) =>
    before.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  )
  before.write('GET / HTTP/1.1\r\nHost: worker-1\r\n\r\n')
  assert.match(await answer, /^HTTP\/1\.1 200 OK/)
})

test('waits for the certificate that it is asked for with, and for addresses; then somebody has to approve it', async (context) => {
  const there = await world(context)
  there.plane.approval.hold()
  const { client, serving } = await both(context, there)
  await until(client, 'Pending')
  assert.match(
    serving.explain(),
    /^There is no certificate yet\. It waits for the certificate of the rotation that it authenticates with\.$/,
  )
  there.plane.approval.resume()
  await client.issued()
  await eventually('it is told why', () =>
    /^There is no certificate yet\. It waits for the addresses of this node: .*there is no Node worker-1[^.]*\.$/.test(
      serving.explain(),
    ),
  )
  assert.equal(serving.warned.length, 1)
  assert.is(there.names().length, 1, 'no request without addresses')

  there.plane.declareNodes([])
  const fixed = await rotating(context, there, {
    nodeName: 'worker-1',
    certPrefix: 'other',
    authenticateWith: client,
    addresses: interfaceAddresses({ interfaces: ['lo'], dnsNames: ['worker-1'] }),
    addressDelay: 0,
  })
  await until(fixed, 'Pending')
  const name =
    there.plane.requests().find(({ spec }) => spec.signerName === kubeletServingSigner)?.metadata.name ?? ''
  const advice = `kube-controller-manager approves none for kubernetes.io/kubelet-serving, so somebody has to: kubectl certificate approve ${name}`
  assert.match(fixed.explain(), advice)
  assert.ok(
    fixed.seen.some(({ message }) => message.includes(advice)),
    'in the log',
  )
  await there.decide(name, 'Approved')
  await fixed.issued()
})

test('is told once, and by status, why there are no addresses to ask for', async (context) => {
  const there = await world(context)
  const client = await rotating(context, there)
  const clock = virtualClock(noon)
  let names: ReadonlyArray<string> = ['lo']
  const source = interfaceAddresses({
    interfaces: ['nope', 'lo'],
    clock,
    read: () => Object.fromEntries(names.map((name) => [name, []])),
  })
  const serving = await rotating(context, there, { ...servingOptions(client), addresses: source })
  const silent = await rotating(context, there, {
    ...servingOptions(client),
    certPrefix: 'silent',
    addresses: fixedAddresses([]),
  })
  await client.issued()
  const first = 'there is no network interface nope with an address; there are lo'
  await eventually('it is told', () => serving.warned.length > 0)
  await clock.advanceBy(60 * second)
  assert.equal(serving.warned, [`${first}; name other interfaces, or the addresses themselves`])
  names = ['lo', 'nope']
  await clock.advanceBy(60 * second)
  assert.match(serving.warned.slice(1).join(), /^no address of the network interface nope, lo counts/)
  await eventually('the other is told too', () => silent.warned.length > 0)
  assert.match(silent.warned.join(), /^there are no addresses to request a serving certificate for/)
  const status = await inProcess(statusCommand, `--cert-dir=${there.certDir}`, '--cert-prefix=kubelet-server')
  assert.match(status.stdout, 'waits for    the addresses of this node: no address of the network interface')
  assert.match(
    status.stdout,
    'There is no certificate yet. It waits for the addresses of this node: no address',
  )
  assert.not.match(status.stdout, 'what certificate is wanted')
})

test('is denied for an address that the node has not, and the refusal names it', async (context) => {
  const there = await world(context, { nodes: [own] })
  const client = await rotating(context, there)
  const serving = await rotating(context, there, {
    nodeName: 'worker-1',
    authenticateWith: client,
    addresses: (listener) => {
      listener({ _tag: 'Right', right: { dnsNames: [], ipAddresses: ['192.0.2.7'] } })
      return () => {}
    },
    addressDelay: 0,
  })
  await eventually('it is denied', () => serving.seen.some(({ reason }) => reason === 'Denied'))
  const denial = serving.seen.find(({ reason }) => reason === 'Denied')
  assert.match(denial?.message ?? '', /NotItsAddress.*SAN 192\.0\.2\.7 is not declared for node worker-1/)
})

test('of any signer are asked for with another rotation, which hears when its certificate is rejected', async (context) => {
  const there = await world(context)
  const client = await rotating(context, there)
  const other = await rotating(context, there, {
    template: clientTemplate('agent', []),
    certPrefix: 'agent',
    authenticateWith: client,
  })
  await until(other, 'Pending')
  await there.plane.replaceAuthority({ keepOld: false })()
  other.setTemplate(clientTemplate('agent-2', []))
  await eventually('the rejection is told', () => client.seen.some(({ to }) => to === 'Bootstrapping'))
})

test('refuses addresses without a node or a rotation to ask with', async (context) => {
  const there = await world(context)
  const { certDir, bootstrapKubeconfig } = there
  const error = await startRotation({
    certDir,
    bootstrapKubeconfig,
    nodeName: 'worker-1',
    addresses: () => () => {},
  }).catch(String)
  assert.match(String(error), /nodeName or authenticateWith is missing/)
})

test('a request that waits is judged anew when another node is declared', async (context) => {
  const there = await world(context, { nodes: [{ name: 'worker-2', addresses: ['127.0.0.9'] }] })
  const client = await rotating(context, there)
  const serving = await rotating(context, there, {
    nodeName: 'worker-1',
    authenticateWith: client,
    addresses: fixedAddresses(['127.0.0.2']),
    addressDelay: 0,
  })
  await until(serving, 'Pending')
  there.plane.declareNodes([own])
  await serving.issued()
  assert.is(serving.seen.filter(({ reason }) => reason === 'TemplateChanged').length, 1)
})
