import { createPublicKey } from 'node:crypto'
import fc from 'fast-check'
import { cryptoBackend, parseRequest } from '../../../adapters/crypto/index.js'
import type { Names } from '../../../src/model/certificate.js'
import { secret } from '../../../src/model/secret.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { openssl, withoutOpenssl } from './openssl.js'

const test = suite('certification requests')

const node: Names = {
  commonName: 'system:node:worker-1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  uris: [],
}
const everything: Names = {
  commonName: 'Zoë * worker',
  organizations: ['system:nodes', 'a&b', 'b'],
  dnsNames: ['worker-1', 'worker-1.example.com'],
  ipAddresses: ['10.0.0.1', 'fd00:0:0:0:0:0:0:1', '::ffff:10.0.0.2'],
  uris: ['spiffe://example.com/worker-1'],
}
const requestFor = async (names: Names) => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  return { key, pem: await right(key.createRequest(names)) }
}

test('name the organisation before the common name, in printable strings, as the kubelet does', async () => {
  const { key, pem } = await requestFor(node)
  const request = await right(parseRequest(pem))
  assert.equal(
    { ...request, publicKey: undefined },
    {
      ...node,
      emailAddresses: [],
      otherNames: 0,
      otherAttributes: [],
      publicKey: undefined,
      keyId: key.id,
    },
  )
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  const subject = '31153013060355040a130c73797374656d3a6e6f646573'
  assert.ok(der.toString('hex').includes(subject), 'SEQUENCE { SET { O PrintableString } …')
})

test('carry every kind of name there and back', async () => {
  const { pem } = await requestFor(everything)
  const request = await right(parseRequest(pem))
  assert.is(request.commonName, everything.commonName)
  assert.equal([...request.organizations].sort(), [...everything.organizations].sort())
  assert.equal(request.dnsNames, everything.dnsNames)
  assert.equal(request.ipAddresses, ['10.0.0.1', 'fd00::1', '10.0.0.2'])
  assert.equal(request.uris, everything.uris)
})

test('are read and verified by openssl', { skip: withoutOpenssl }, async () => {
  const { pem } = await requestFor(everything)
  const text = openssl(['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253,utf8,-esc_msb'], pem)
  assert.match(text, /self-signature verify OK/)
  assert.match(text, 'CN=Zoë * worker,O=')
  assert.match(text, 'DNS:worker-1, DNS:worker-1.example.com, IP Address:10.0.0.1, IP Address:FD00:')
  assert.match(text, 'IP Address:10.0.0.2, URI:spiffe://example.com/worker-1')
  const types = openssl(['asn1parse'], pem)
  const organizations = types.split('\n').filter((line) => /STRING +:(system:nodes|a&b|b)$/.test(line))
  assert.equal(
    organizations.map((line) => /(PRINTABLE|UTF8)STRING +:(.*)/.exec(line)?.[0].replace(/ +/, '')),
    ['PRINTABLESTRING:b', 'UTF8STRING:a&b', 'PRINTABLESTRING:system:nodes'],
    'one set of all organisations, in the order of DER',
  )
  assert.equal(
    organizations.map((line) => /d=(\d)/.exec(line)?.[1]),
    ['5', '5', '5'],
  )
})

test('made by openssl are read, with what Kubernetes has no place for', {
  skip: withoutOpenssl,
}, async () => {
  const extension = 'subjectAltName=DNS:a.example,email:root@example.com,IP:::1,RID:1.2.3'
  const args = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-addext', extension]
  const pem = openssl([...args, '-subj', '/C=DE/O=one/OU=two/CN=first/CN=last'])
  const request = await right(parseRequest(pem))
  assert.is(request.commonName, 'last')
  assert.equal(request.organizations, ['one'])
  assert.equal(request.otherAttributes, [
    { type: '2.5.4.6', value: 'DE' },
    { type: '2.5.4.11', value: 'two' },
  ])
  assert.equal(request.dnsNames, ['a.example'])
  assert.equal(request.emailAddresses, ['root@example.com'])
  assert.equal(request.ipAddresses, ['::1'])
  assert.is(request.otherNames, 1)
  const key = createPublicKey({ key: Buffer.from(request.publicKey), type: 'spki', format: 'der' })
  assert.is(key.asymmetricKeyType, 'rsa')
})

test('are made with RSA keys and larger curves too', { skip: withoutOpenssl }, async () => {
  const curves = ['P-256', 'P-384', 'P-521'].map((curve) => ['EC', `ec_paramgen_curve:${curve}`])
  for (const [algorithm = '', option = ''] of [['RSA', 'rsa_keygen_bits:2048'], ...curves]) {
    const pem = openssl(['genpkey', '-algorithm', algorithm, '-pkeyopt', option])
    const key = await right(cryptoBackend.restoreKey(secret(pem)))
    const request = await right(key.createRequest(node))
    assert.match(openssl(['req', '-verify', '-noout'], request), /verify OK/)
    assert.is((await right(parseRequest(request))).keyId, key.id)
  }
})

test('for a name that X.509 cannot carry are an error that says which', async () => {
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const bad: ReadonlyArray<readonly [Partial<Names>, RegExp]> = [
    [{ ipAddresses: ['10.0.0.256'] }, /"10\.0\.0\.256" is no IP address/],
    [{ dnsNames: ['wörker'] }, /DNS name "wörker" is not printable ASCII/],
    [{ uris: ['a b'] }, /URI "a b" is not printable ASCII/],
  ]
  for (const [names, message] of bad) {
    const error = await left(key.createRequest({ ...node, ...names }))
    assert.is(error._tag, 'Malformed')
    assert.match(error.message, message)
  }
})

test('that are damaged, or signed by another key, are refused', async () => {
  const { pem } = await requestFor(node)
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  const block = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  const changed = Buffer.from(der)
  changed[40] = (changed[40] ?? 0) ^ 1
  assert.match((await left(parseRequest(block(changed)))).message, /signature is not by the key/)
  for (const damaged of [
    '',
    'x'.repeat(2_000_000),
    block(der.subarray(0, -1)),
    block(Buffer.concat([der, Buffer.from([0])])),
    block(Buffer.alloc(1000)),
    pem.replace('M', '!'),
  ])
    assert.is((await left(parseRequest(damaged)))._tag, 'Malformed')
})

test('with a few bytes changed are refused, or are another request of the same key', {
  deadline: 120_000,
}, async () => {
  const { key, pem } = await requestFor(everything)
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  const change = fc.record({ at: fc.nat(der.length - 1), to: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const changed = Buffer.from(der)
      for (const { at, to } of changes) changed[at] = to
      const block = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      const outcome = await parseRequest(block)()
      return outcome._tag === 'Left' ? outcome.left._tag === 'Malformed' : outcome.right.keyId === key.id
    }),
    { numRuns: sample(100, 5_000), seed },
  )
})
