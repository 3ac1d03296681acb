import { X509Certificate } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import {
  type Authority,
  type CertificateParameters,
  createAuthority,
  createCertificate,
  cryptoBackend,
  parseRequest,
} from '../../../adapters/crypto/index.js'
import type { Names } from '../../../src/model/certificate.js'
import { instant } from '../../../src/model/time.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { openssl, withoutOpenssl } from './openssl.js'

const test = suite('certificate chains')

const names: Names = {
  commonName: 'system:node:worker-1',
  organizations: ['system:nodes', 'others'],
  dnsNames: ['worker-1'],
  ipAddresses: ['10.0.0.1', 'fd00::1'],
  uris: ['spiffe://example.com/worker-1'],
}
const validity = {
  serialNumber: '00f1e2d3c4b5a6978801',
  notBefore: instant(Date.UTC(2026, 10, 23, 17, 20, 2)),
  notAfter: instant(Date.UTC(2051, 0, 1)),
}
const usages = ['digital signature', 'key encipherment', 'client auth']

const authority = (): Promise<Authority> =>
  right(createAuthority({ ...validity, serialNumber: '1', commonName: 'test-ca' }))

const certificate = async (parameters: Partial<CertificateParameters> = {}) => {
  const [ca, key] = [await authority(), await right(cryptoBackend.generateKey('ECDSA-P256'))]
  const { publicKey } = await right(parseRequest(await right(key.createRequest(names))))
  const pem = await right(createCertificate(ca, { ...names, ...validity, usages, publicKey, ...parameters }))
  return { ca, key, pem }
}

test('are read with every field of their leaf', async () => {
  const { ca, key, pem } = await certificate()
  const chain = await right(cryptoBackend.parseChain(`Certificate:\n  Data: …\n${pem}\nand\n${ca.pem}`))
  assert.equal(
    { ...chain.certificate, organizations: [...chain.certificate.organizations].sort() },
    {
      ...names,
      organizations: ['others', 'system:nodes'],
      serialNumber: 'f1e2d3c4b5a6978801',
      issuer: 'test-ca',
      keyId: key.id,
      keyAlgorithm: 'ECDSA-P256',
      notBefore: validity.notBefore,
      notAfter: validity.notAfter,
      extendedKeyUsages: O.some(['client auth']),
    },
  )
  assert.is(chain.pem, pem + ca.pem)
})

test('whose leaf no server would believe are refused', async () => {
  const { pem } = await certificate()
  const der = new X509Certificate(pem).raw.toString('hex')
  const refusal = async (from: string, to: string): Promise<string> => {
    assert.is(der.split(from).length, 2)
    const base64 = Buffer.from(der.replace(from, to), 'hex').toString('base64')
    const text = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
    return (await left(cryptoBackend.parseChain(text))).message
  }
  // The critical basicConstraints become 1.2.3.4, and the authorityKeyIdentifier a second extKeyUsage.
  assert.match(
    await refusal('0603551d130101ff', '06032a03040101ff'),
    'no server knows its critical extension 1.2.3.4',
  )
  assert.match(await refusal('0603551d23', '0603551d25'), 'its extension 2.5.29.37 is there twice')
})

test('with Windows line ends are the same chain', async () => {
  const { pem } = await certificate()
  assert.is((await right(cryptoBackend.parseChain(pem.replaceAll('\n', '\r\n')))).pem, pem)
})

test('that we made are accepted by OpenSSL', { skip: withoutOpenssl }, async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const [caFile, file] = [join(directory, 'ca.crt'), join(directory, 'leaf.crt')]
  const { ca, pem } = await certificate()
  await writeFile(caFile, ca.pem)
  await writeFile(file, pem)
  const at = String(Date.UTC(2030, 0, 1) / 1000)
  const args = ['verify', '-x509_strict', '-attime', at, '-purpose', 'sslclient', '-CAfile', caFile, file]
  assert.match(openssl(args), /: OK/)
  const text = openssl(['x509', '-in', file, '-noout', '-text'])
  assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\n/)
  assert.match(text, /Extended Key Usage: ?\n\s+TLS Web Client Authentication\n/)
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/)
  assert.match(text, /Not Before: Nov 23 17:20:02 2026 GMT\s+Not After : Jan {2}1 00:00:00 2051 GMT/)
  assert.match(text, /O = others \+ O = system:nodes, CN = system:node:worker-1/)
  assert.match(openssl(['x509', '-in', caFile, '-noout', '-text']), /CA:TRUE/)
  await rm(directory, { recursive: true })
})

test('made elsewhere are read', { skip: withoutOpenssl }, async () => {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-set_serial',
    '0x0ABC',
  ]
  const plain = openssl([...args, '-subj', '/C=DE/O=Somebody', '-days', '1'])
  const { certificate: first } = await right(cryptoBackend.parseChain(plain))
  assert.is(first.commonName, '')
  assert.is(first.issuer, 'C=DE, O=Somebody')
  assert.is(first.serialNumber, '0abc')
  assert.equal(first.extendedKeyUsages, O.none)
  assert.is(first.notAfter - first.notBefore, 86_400_000)
  const extension = 'extendedKeyUsage=serverAuth,timeStamping,1.2.3.4'
  const extended = openssl([...args, '-subj', '/CN=a\\/b/CN=c', '-addext', extension])
  const { certificate: second } = await right(cryptoBackend.parseChain(extended))
  assert.equal(second.extendedKeyUsages, O.some(['server auth', 'timestamping', '1.2.3.4']))
  assert.is(second.commonName, 'c')
})

test('are refused when there is nothing in them, or too much', async () => {
  const { pem } = await certificate()
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['', /no CERTIFICATE block/],
    ['-----BEGIN CERTIFICATE-----\n', /no CERTIFICATE block/],
    ['\0'.repeat(5_000), /no CERTIFICATE block/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /certificate 1 is damaged/],
    [`${pem}${pem.slice(0, 200)}\n-----END CERTIFICATE-----\n`, /certificate 2 is damaged/],
    [pem.repeat(17), /17 certificates are too many/],
    [pem.repeat(1_000), /characters are too many/],
    ['-----BEGIN CERTIFICATE-----\n'.repeat(9_000), /no CERTIFICATE block/],
  ]
  for (const [text, message] of cases) {
    const error = await left(cryptoBackend.parseChain(text))
    assert.is(error._tag, 'Malformed')
    assert.match(error.message, message)
    assert.ok(error.message.length < 300)
  }
})

test('that were tampered with are read as OpenSSL reads them, or refused', { deadline: 60_000 }, async () => {
  const { pem } = await certificate()
  const der = new X509Certificate(pem).raw
  const change = fc.record({ at: fc.nat(der.length - 1), to: fc.integer({ min: 0, max: 255 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const changed = Buffer.from(der)
      for (const { at, to } of changes) changed[at] = to
      const block = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`
      const outcome = await cryptoBackend.parseChain(block)()
      if (outcome._tag === 'Left') return outcome.left._tag === 'Malformed'
      const reference = new X509Certificate(block)
      const read = outcome.right.certificate
      return (
        read.notAfter === Date.parse(reference.validTo) &&
        read.notBefore === Date.parse(reference.validFrom) &&
        read.serialNumber === reference.serialNumber.toLowerCase()
      )
    }),
    { numRuns: sample(100, 5_000), seed },
  )
})

test('are not made with parameters that do not do', async () => {
  const bad: ReadonlyArray<readonly [Partial<CertificateParameters>, RegExp]> = [
    [{ serialNumber: '0' }, /"0" is no serial number/],
    [{ serialNumber: 'x' }, /"x" is no serial number/],
    [{ usages: ['client auth', 'world domination'] }, /"world domination" is no key usage/],
    [{ publicKey: new Uint8Array(10) }, /the certificate cannot be made/],
  ]
  const { ca, key } = await certificate()
  const { publicKey } = await right(parseRequest(await right(key.createRequest(names))))
  for (const [parameters, message] of bad) {
    const task = createCertificate(ca, { ...names, ...validity, usages, publicKey, ...parameters })
    assert.match((await left(task)).message, message)
  }
})
