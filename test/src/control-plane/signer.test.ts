import { type RequestToSign, signing } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'
import { clientUsages, servingUsages, workerNames } from './samples.js'

const test = suite('signer')

const client: RequestToSign = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: clientUsages,
  names: workerNames,
}
const serving: RequestToSign = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: servingUsages,
  names: { ...workerNames, ipAddresses: ['10.0.0.7'] },
}
const anybody: RequestToSign = {
  signerName: 'kubernetes.io/kube-apiserver-client',
  usages: ['client auth'],
  names: { ...workerNames, commonName: 'metrics', organizations: [], emailAddresses: ['a@example.com'] },
}

const named = (request: RequestToSign, names: Partial<RequestToSign['names']>): RequestToSign => ({
  ...request,
  names: { ...request.names, ...names },
})

const accepted: ReadonlyArray<readonly [string, RequestToSign]> = [
  ['a kubelet client', client],
  ['a kubelet client without key encipherment', { ...client, usages: ['client auth', 'digital signature'] }],
  ['a kubelet server', serving],
  ['a kubelet server known by a DNS name only', named(serving, { ipAddresses: [], dnsNames: ['worker-1'] })],
  ['any client of the API', anybody],
]
for (const [who, request] of accepted) {
  test(`signs for ${who}, with the usages of its spec`, () => {
    assert.equal(signing(request), { _tag: 'Sign', usages: request.usages })
  })
}

const clientSet = 'usages did not match [client auth digital signature key encipherment]'
const refused: ReadonlyArray<readonly [string, RequestToSign, string]> = [
  [
    'a client outside system:nodes',
    named(client, { organizations: ['admins'] }),
    'subject organization is not system:nodes',
  ],
  ['a client in no group', named(client, { organizations: [] }), 'subject organization is not system:nodes'],
  [
    'a client in two groups',
    named(client, { organizations: ['system:nodes', 'b'] }),
    'subject organization is not system:nodes',
  ],
  ['a client with a DNS name', named(client, { dnsNames: ['a'] }), 'DNS subjectAltNames are not allowed'],
  [
    'a client with an email address',
    named(client, { emailAddresses: ['a@b'] }),
    'Email subjectAltNames are not allowed',
  ],
  [
    'a client with an IP address',
    named(client, { ipAddresses: ['10.0.0.7'] }),
    'IP subjectAltNames are not allowed',
  ],
  ['a client with a URI', named(client, { uris: ['a:b'] }), 'URI subjectAltNames are not allowed'],
  [
    'a client that is no node',
    named(client, { commonName: 'worker-1' }),
    'subject common name does not begin with system:node:',
  ],
  ['a client with too few usages', { ...client, usages: ['client auth'] }, clientSet],
  ['a client with a usage too many', { ...client, usages: [...clientUsages, 'any'] }, clientSet],
  [
    'a server outside system:nodes',
    named(serving, { organizations: ['admins'] }),
    'subject organization is not system:nodes',
  ],
  ['a server without a name', named(serving, { ipAddresses: [] }), 'DNS or IP subjectAltName is required'],
  [
    'a server with an email address',
    named(serving, { emailAddresses: ['a@b'] }),
    'Email subjectAltNames are not allowed',
  ],
  ['a server with a URI', named(serving, { uris: ['a:b'] }), 'URI subjectAltNames are not allowed'],
  [
    'a server with client usages',
    { ...serving, usages: clientUsages },
    'usages did not match [digital signature key encipherment server auth]',
  ],
  [
    'a server that is no node',
    named(serving, { commonName: 'worker-1' }),
    'subject common name does not begin with system:node:',
  ],
  [
    'any client without client auth',
    { ...anybody, usages: ['digital signature'] },
    'missing required usage for client certificate: client auth',
  ],
  [
    'any client with server auth',
    { ...anybody, usages: ['client auth', 'server auth'] },
    'invalid usage for client certificate: server auth',
  ],
]
for (const [who, request, message] of refused) {
  test(`fails ${who}: ${message}`, () => {
    assert.equal(signing(request), { _tag: 'Fail', reason: 'SignerValidationFailure', message })
  })
}

test("leaves a request for somebody else's signer alone", () => {
  assert.equal(signing({ ...client, signerName: 'example.com/mine' }), { _tag: 'NotOurs' })
})
