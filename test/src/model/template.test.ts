import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Certificate } from '../../../src/model/certificate.js'
import { keyAlgorithms } from '../../../src/model/key-algorithm.js'
import {
  CertificateTemplate,
  clientSigner,
  clientTemplate,
  covers,
  kubeletClientTemplate,
  kubeletServingSigner,
  missingFrom,
  usagesFor,
} from '../../../src/model/template.js'
import { assert, suite } from '../../helper/index.js'
import { certificate, template } from '../samples.js'

const test = suite('template')

test('asks for a kubelet what the signer of kubelets demands', () => {
  assert.equal(kubeletClientTemplate('worker-1'), {
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    commonName: 'system:node:worker-1',
    organizations: ['system:nodes'],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
    usages: ['digital signature', 'key encipherment', 'client auth'],
  })
})

test('asks the general signer for somebody who is no node', () => {
  const { signerName, commonName, organizations } = clientTemplate('agent', ['agents'])
  assert.equal([signerName, commonName, organizations], [clientSigner, 'agent', ['agents']])
})

test('calls the signers what Kubernetes calls them', () => {
  assert.is(clientSigner, 'kubernetes.io/kube-apiserver-client')
  assert.is(kubeletServingSigner, 'kubernetes.io/kubelet-serving')
})

test('reads a template back from JSON, and refuses what is none', () => {
  assert.equal(CertificateTemplate.decode(JSON.parse(JSON.stringify(template))), E.right(template))
  assert.ok(E.isLeft(CertificateTemplate.decode({ ...template, usages: 'client auth' })))
  assert.ok(E.isLeft(CertificateTemplate.decode({ ...template, expirationSeconds: '1h' })))
})

const wanted: CertificateTemplate = {
  ...template,
  dnsNames: ['a.example'],
  ipAddresses: ['::1', '10.0.0.1'],
  uris: ['spiffe://a'],
}
const good: Partial<Certificate> = {
  dnsNames: ['a.example'],
  ipAddresses: ['0:0:0:0:0:0:0:1', '10.0.0.1'],
  uris: ['spiffe://a'],
}

const cases: ReadonlyArray<readonly [string, Partial<Certificate>, ReadonlyArray<string>]> = [
  ['is satisfied by all names, addresses compared as addresses', {}, []],
  [
    'is satisfied by extra names',
    {
      organizations: ['system:nodes', 'x'],
      dnsNames: ['b.example', 'a.example'],
      ipAddresses: ['::1', '::2', '10.0.0.1'],
      uris: ['spiffe://a', 'spiffe://b'],
    },
    [],
  ],
  ['misses the common name', { commonName: 'x' }, ['common name is x, wanted is system:node:worker-1']],
  ['misses an organization', { organizations: [] }, ['organization system:nodes is missing']],
  ['misses a DNS name', { dnsNames: ['b.example'] }, ['DNS name a.example is missing']],
  ['misses an IP address', { ipAddresses: ['10.0.0.1'] }, ['IP address ::1 is missing']],
  ['misses a URI', { uris: [] }, ['URI spiffe://a is missing']],
  ['misses a usage', { extendedKeyUsages: O.some(['server auth']) }, ['usage client auth is missing']],
  ['takes a certificate without purposes for one for any purpose', { extendedKeyUsages: O.none }, []],
]
for (const [sentence, differences, missing] of cases)
  test(sentence, () => {
    assert.equal(missingFrom(wanted, certificate({ ...good, ...differences })), missing)
  })

const covering: ReadonlyArray<readonly [string, Partial<CertificateTemplate>, boolean]> = [
  ['the same', {}, true],
  ['more names', { dnsNames: ['a.example', 'b.example'] }, true],
  ['more usages', { usages: [...template.usages, 'server auth'] }, true],
  ['another life', { expirationSeconds: 600 }, true],
  ['fewer names', { dnsNames: [] }, false],
  ['fewer usages', { usages: ['client auth'] }, false],
  ['another signer', { signerName: 'example.com/other' }, false],
  ['another kind of key', { keyAlgorithm: 'RSA-2048' }, true],
]
for (const [what, differences, accepted] of covering)
  test(`${accepted ? 'still accepts' : 'no longer accepts'} a request that asked for ${what}`, () => {
    assert.is(covers({ ...wanted, ...differences }, wanted), accepted)
  })

test('is not satisfied by a key of another kind than it says', () => {
  const rsa = { ...template, keyAlgorithm: 'RSA-2048' } as const
  assert.equal(missingFrom(rsa, certificate({ keyAlgorithm: 'RSA-2048' })), [])
  assert.equal(missingFrom(rsa, certificate({ keyAlgorithm: 'ECDSA-P256' })), [
    'key is ECDSA-P256, wanted is RSA-2048',
  ])
  assert.equal(missingFrom(template, certificate({ keyAlgorithm: 'RSA-2048' })), [], 'it does not say')
  assert.equal(missingFrom(rsa, certificate()), [], 'the kind was not written down')
  assert.not(covers(template, rsa), 'what does not say is asked for with ECDSA-P256')
  assert.ok(covers(template, { ...template, keyAlgorithm: 'ECDSA-P256' }))
})

test('asks for the usages that are approved wherever there are keys of the kind', () => {
  const three = ['digital signature', 'key encipherment', 'server auth']
  for (const algorithm of keyAlgorithms)
    assert.equal(
      usagesFor('server auth', algorithm),
      algorithm.startsWith('ML-DSA-') ? ['digital signature', 'server auth'] : three,
    )
  assert.equal(clientTemplate('a', [], 'ML-DSA-44').usages, ['digital signature', 'client auth'])
  assert.is(kubeletClientTemplate('a', 'Ed25519').keyAlgorithm, 'Ed25519')
})
