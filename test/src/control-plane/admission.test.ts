import * as O from 'fp-ts/lib/Option.js'
import { admissionRefusal, type User } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'
import { workerNames } from './samples.js'

const test = suite('admission')

const worker1: User = { name: 'system:node:worker-1', groups: ['system:nodes'] }
const bootstrapper: User = { name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers'] }
const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet'
const serving = 'kubernetes.io/kubelet-serving'
const client = 'kubernetes.io/kube-apiserver-client'
const worker2Names = { ...workerNames, commonName: 'system:node:worker-2' }

test('admits a node that asks for itself', () => {
  assert.equal(admissionRefusal(worker1, kubelet, workerNames), O.none)
  assert.equal(admissionRefusal(worker1, serving, workerNames), O.none)
})

test('refuses a node that asks for another node', () => {
  const refusal = O.some('can only create a node CSR with CN=system:node:worker-1')
  assert.equal(admissionRefusal(worker1, kubelet, worker2Names), refusal)
  assert.equal(admissionRefusal(worker1, serving, worker2Names), refusal)
})

test('lets a bootstrapper ask for any node', () => {
  assert.equal(admissionRefusal(bootstrapper, kubelet, worker2Names), O.none)
})

test("lets a node ask other signers for other names, but nobody ask the API's for system:masters", () => {
  const names = { ...workerNames, commonName: 'jane', organizations: ['staff'] }
  assert.equal(admissionRefusal(worker1, client, names), O.none)
  assert.equal(
    admissionRefusal(worker1, client, { ...names, organizations: ['staff', 'system:masters'] }),
    O.some('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed'),
  )
  assert.equal(
    admissionRefusal(bootstrapper, kubelet, { ...names, organizations: ['system:masters'] }),
    O.none,
  )
})
