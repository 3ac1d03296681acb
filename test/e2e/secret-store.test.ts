/** The worked example of a store in a Kubernetes Secret, where Secrets are real. */
import * as E from 'fp-ts/lib/Either.js'
import { storeContract } from '../../adapters/contract/index.js'
import { type Call, secretStore } from '../adapters/contract/examples/secret-store.js'
import { assert, suite } from '../helper/index.js'
import { bootCluster } from './cluster.js'
import { prepareNode } from './node.js'
import { library } from './package.js'
import { requestsOf } from './requests.js'

const cluster = await bootCluster()

const test = suite(`store in a Secret, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const call: Call = async (method, path, body) => {
  const answer = await cluster.admin(method, path, body)
  return { status: answer.status, json: JSON.parse(JSON.stringify(answer.body)) }
}

let count = 0
const checks = storeContract(async () => {
  count += 1
  const open = () => secretStore(call, 'default', `contract-${count}`)
  return {
    store: open(),
    reopen: async () => open(),
    another: async () => E.right(open()),
    close: async () => {},
  }
})
for (const { name, run } of checks) test(`the contract: ${name}`, run)

test('an agent keeps its certificate and its request in a Secret, and goes on with them when it starts anew', {
  deadline: 90_000,
}, async ({ defer }) => {
  const node = await prepareNode(cluster)
  const { startRotation } = await library()
  const start = async () => {
    const rotation = await startRotation({
      nodeName: node.name,
      bootstrapKubeconfig: node.bootstrapKubeconfig,
      ports: { store: secretStore(call, 'default', node.name) },
    })
    defer(rotation.stop)
    return rotation
  }
  const first = await start()
  const { serialNumber } = await first.issued()
  await first.stop()
  const second = await start()
  assert.is((await second.issued()).serialNumber, serialNumber)
  second.rotateNow()
  for await (const { reason } of second.transitions()) if (reason === 'Installed') break
  assert.not(second.current()?.serialNumber === serialNumber)
  assert.is((await requestsOf(cluster, [node.users.bootstrap, node.users.node])).length, 2)
  const { body } = await cluster.admin('GET', `/api/v1/namespaces/default/secrets/${node.name}`)
  const { data } = JSON.parse(JSON.stringify(body))
  assert.equal(Object.keys(data).toSorted(), ['current', 'previous'])
})
