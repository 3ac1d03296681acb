import { isNoAddresses, isSameAddresses, noAddresses, nodeAddressesOf } from '../../../src/model/addresses.js'
import { kubeletServingTemplate } from '../../../src/model/template.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('addresses of a node')

test('are taken from a Node by the type of each, as a kubelet does', () => {
  const found = nodeAddressesOf([
    { type: 'Hostname', address: 'Worker-1' },
    { type: 'InternalIP', address: '10.0.0.5' },
    { type: 'ExternalIP', address: '2001:db8::5' },
    { type: 'ExternalIP', address: '' },
    { type: 'InternalIP', address: 'no-address' },
    { type: 'InternalDNS', address: 'worker-1.internal' },
    { type: 'ExternalDNS', address: '10.0.0.6' },
    { type: 'Unheard', address: '10.0.0.7' },
  ])
  assert.equal(found, {
    dnsNames: ['worker-1', 'worker-1.internal'],
    ipAddresses: ['10.0.0.5', '2001:db8::5'],
  })
  assert.equal(nodeAddressesOf([{ type: 'Hostname', address: '10.0.0.5' }]), {
    dnsNames: [],
    ipAddresses: ['10.0.0.5'],
  })
})

test('are none as long as there is no IP address among them', () => {
  assert.equal(nodeAddressesOf([{ type: 'Hostname', address: 'worker-1' }]), noAddresses)
  assert.ok(isNoAddresses(noAddresses))
  assert.not(isSameAddresses(noAddresses, { dnsNames: ['a'], ipAddresses: [] }))
})

test('become the SANs of the serving certificate', () => {
  const template = kubeletServingTemplate('worker-1', { dnsNames: ['a'], ipAddresses: ['::1'] }, 'ML-DSA-44')
  assert.equal(template, {
    signerName: 'kubernetes.io/kubelet-serving',
    commonName: 'system:node:worker-1',
    organizations: ['system:nodes'],
    dnsNames: ['a'],
    ipAddresses: ['::1'],
    uris: [],
    usages: ['digital signature', 'server auth'],
    keyAlgorithm: 'ML-DSA-44',
  })
})
