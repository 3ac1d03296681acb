import { approval, type RequestToApprove } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'
import { clientUsages, servingUsages, workerNames } from './samples.js'

const test = suite('approver')

const renewal: RequestToApprove = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: clientUsages,
  names: workerNames,
  username: 'system:node:worker-1',
}
const bootstrap: RequestToApprove = { ...renewal, username: 'system:bootstrap:abcdef' }

const self = 'Auto approving self kubelet client certificate after SubjectAccessReview.'
const other = 'Auto approving kubelet client certificate after SubjectAccessReview.'

test('approves a renewal by the node itself when it may create selfnodeclient requests', () => {
  const decision = approval(renewal, (subresource) => subresource === 'selfnodeclient')
  assert.equal(decision, { _tag: 'Approve', reason: 'AutoApproved', message: self })
})

test('approves a bootstrap request when its sender may create nodeclient requests', () => {
  const decision = approval(bootstrap, (subresource) => subresource === 'nodeclient')
  assert.equal(decision, { _tag: 'Approve', reason: 'AutoApproved', message: other })
})

test('asks for nodeclient too when a node may not approve itself', () => {
  const decision = approval(renewal, (subresource) => subresource === 'nodeclient')
  assert.equal(decision, { _tag: 'Approve', reason: 'AutoApproved', message: other })
})

test('does not deny a node whose access reviews are refused: it tried both and waits', () => {
  const decision = approval(renewal, () => false)
  assert.equal(decision, { _tag: 'Refused', tried: ['selfnodeclient', 'nodeclient'] })
})

test('never reviews selfnodeclient for a request that names somebody else', () => {
  const decision = approval(bootstrap, (subresource) => subresource === 'selfnodeclient')
  assert.equal(decision, { _tag: 'Refused', tried: ['nodeclient'] })
})

const unrecognised: ReadonlyArray<readonly [string, Partial<RequestToApprove>]> = [
  ['is for another signer', { signerName: 'kubernetes.io/kube-apiserver-client' }],
  ['is for a serving certificate', { signerName: 'kubernetes.io/kubelet-serving', usages: servingUsages }],
  ['has a usage too many', { usages: [...clientUsages, 'server auth'] }],
  ['has no usage client auth', { usages: ['digital signature'] }],
  ['is not for a node', { names: { ...workerNames, commonName: 'worker-1' } }],
  ['names two organizations', { names: { ...workerNames, organizations: ['system:nodes', 'admins'] } }],
  ['names a DNS name', { names: { ...workerNames, dnsNames: ['worker-1'] } }],
]
for (const [what, change] of unrecognised) {
  test(`leaves a request that ${what} to others, without a word`, () => {
    assert.equal(
      approval({ ...bootstrap, ...change }, () => true),
      { _tag: 'NotRecognised' },
    )
  })
}
