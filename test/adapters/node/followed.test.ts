/** What follows a rotation gets to its API server as the rotation itself does, and knows of changes of its kubeconfig. */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { mock } from 'node:test'
import * as O from 'fp-ts/lib/Option.js'
import { follow, httpsAgent } from '../../../adapters/connections/index.js'
import { dispatcher } from '../../../adapters/connections/undici/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { newPki } from '../connections/pki.js'
import { proxy } from '../proxy.js'
import { rotating, type World, world } from './world.js'

const test = suite('following a rotation')

/** Writes the bootstrap kubeconfig anew, with other fields of the cluster. */
const rewrite = async ({ bootstrapKubeconfig, plane }: World, change: (cluster: string) => string) =>
  writeFile(bootstrapKubeconfig, change(plane.bootstrapKubeconfig()))

const statusOf = (url: string, options: object): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })

test('requests go through the proxy-url of its kubeconfig, and expect its tls-server-name', async (context) => {
  const there = await world(context)
  const { port, targets } = await proxy(context, undefined, Number(new URL(there.plane.url).port))
  await rewrite(there, (text) =>
    text.replace(
      /^( +)server: .*$/m,
      `$1server: https://api.test.invalid:6443\n$1proxy-url: http://127.0.0.1:${port}\n$1tls-server-name: localhost`,
    ),
  )
  const rotation = await rotating(context, there)
  await rotation.issued()
  const own = targets.length
  const following = follow(rotation)
  context.defer(following.close)
  const agent = httpsAgent(following)
  context.defer(() => agent.destroy())
  const url = `${rotation.server()}/version`
  assert.is(url, 'https://api.test.invalid:6443/version')
  assert.is(await statusOf(url, { agent }), 200)
  const via = dispatcher(following)
  context.defer(() => via.destroy())
  const init: object = { dispatcher: via }
  assert.is((await fetch(url, init)).status, 200)
  assert.is(targets.length, own + 2)
  assert.is(await statusOf(`${there.plane.url}/version`, { agent }), 200, 'and another server without it')
  assert.is(targets.length, own + 2)
})

const ticking = ({ defer }: TestContext) => {
  mock.timers.enable({ apis: ['setInterval'] })
  defer(() => mock.timers.reset())
  return () => mock.timers.tick(10_000)
}

test('a changed certificate-authority file is followed within ten seconds, without a request', async (context) => {
  const there = await world(context)
  const bundle = join(there.folder, 'ca.crt')
  await writeFile(bundle, there.plane.authority())
  await rewrite(there, (text) =>
    text.replace(/certificate-authority-data: .*/, `certificate-authority: ${bundle}`),
  )
  const tick = ticking(context)
  const rotation = await rotating(context, there, { policy: { probeInterval: 0 } })
  await rotation.issued()
  const requests = there.calls().length
  const before = O.toUndefined(rotation.trust.current())
  const another = (await newPki('another CA')).ca

  await appendFile(bundle, another)
  tick()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(O.toUndefined(rotation.trust.current()), before, 'nobody follows: nobody looks')

  const following = follow(rotation)
  const trusted = () => O.getOrElse(() => '')(following.current().trust)
  tick()
  await eventually('the new CA is trusted', () => trusted().includes(another.trim()))

  const good = await readFile(bundle, 'utf8')
  await writeFile(bundle, 'garbage')
  for (const _ of [1, 2, 3]) {
    tick()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const told = () =>
    rotation.warned.filter((message) => message.includes(bundle) || message.includes('certificate-authority'))
  await eventually('it is told', () => told().length > 0)
  assert.is(told().length, 1)
  assert.match(told()[0] ?? '', /holds no certificate that can be read; what it said before serves on/)
  assert.ok(trusted().includes(another.trim()))

  await writeFile(bundle, good.replace(another, ''))
  tick()
  await eventually(
    'it is read again',
    () => O.toUndefined(rotation.trust.current()) === good.replace(another, ''),
  )
  assert.is(there.calls().length, requests, 'without a request')

  following.close()
  await appendFile(bundle, another)
  tick()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.not.ok(O.getOrElse(() => '')(rotation.trust.current()).includes(another), 'nobody follows any more')
})
