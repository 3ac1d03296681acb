import { join } from 'node:path'
import { openFleet } from '../../../adapters/node/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { world } from './world.js'

const test = suite('a fleet at a control plane')

test('sends two requests for each certificate, and has two watches for all that come at once', async (context) => {
  const there = await world(context, { autoApprove: false })
  const fleet = openFleet()
  context.defer(fleet.stop)
  const nodes = Array.from({ length: 12 }, (_, index) => `worker-${index}`)
  const members = await Promise.all(
    nodes.map((nodeName) =>
      fleet.start({
        nodeName,
        certDir: join(there.folder, nodeName),
        bootstrapKubeconfig: there.bootstrapKubeconfig,
      }),
    ),
  )
  const called = (method: string, path: RegExp) =>
    there.calls().filter((call) => call.method === method && path.test(call.path)).length
  await eventually('all have looked or watch', () => called('GET', /./) === nodes.length)
  assert.is(called('POST', /./), nodes.length)
  assert.is(called('GET', /watch=1.*fieldSelector=/), 1)
  assert.is(called('GET', /watch=1&resourceVersion=/), 1)
  await Promise.all(there.names().map((name) => there.decide(name, 'Approved')))
  const credentials = await Promise.all(members.map((member) => member.issued()))
  assert.equal(
    credentials.map(({ commonName }) => commonName),
    nodes.map((name) => `system:node:${name}`),
  )
})
