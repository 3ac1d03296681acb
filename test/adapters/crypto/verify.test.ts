import { sign, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { checkAuthorities, cryptoBackend } from '../../../adapters/crypto/index.js'
import { after, day, hour, instant } from '../../../src/model/time.js'
import { assert, sample, seed, suite, type TestContext } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { openssl, withoutOpenssl } from './openssl.js'

const test = suite('certificate chains to a CA')
const skip = { skip: withoutOpenssl }
/** An hour later, so that everything made here has begun. */
const now = after(instant(Date.now()), hour)

interface Made {
  readonly certificate: string
  readonly key: string
}

interface Extensions {
  /** As `basicConstraints` in OpenSSL's words; none: no such extension. */
  readonly constraints?: string
  readonly usage?: string
}

/** Certificates by OpenSSL in a directory of its own; each lasts for ten days from now. */
const workshop = async ({ temporaryDirectory }: TestContext) => {
  const directory = await temporaryDirectory()
  let made = 0
  return (
    subject: string,
    issuer: Made | undefined,
    { constraints = 'critical,CA:TRUE', usage = 'critical,keyCertSign' }: Extensions = {},
    algorithm: ReadonlyArray<string> = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  ): Made => {
    made += 1
    const folder = join(directory, String(made))
    mkdirSync(folder)
    const [config, key, crt] = ['config', 'key', 'crt'].map((name) => join(folder, name))
    if (config === undefined || key === undefined || crt === undefined) throw new Error('three files')
    const extensions = [
      ...(constraints === '' ? [] : [`basicConstraints=${constraints}`]),
      ...(usage === '' ? [] : [`keyUsage=${usage}`]),
      'subjectKeyIdentifier=hash',
    ]
    writeFileSync(
      config,
      ['[req]', 'distinguished_name=dn', 'x509_extensions=x', '[dn]', '[x]', ...extensions, ''].join('\n'),
    )
    const newKey = ['-newkey', ...algorithm, '-nodes', '-keyout', key]
    const self = ['-config', config, '-subj', subject]
    if (issuer === undefined) openssl(['req', '-x509', '-days', '10', ...newKey, ...self, '-out', crt])
    else {
      const [ca, caKey, csr] = ['ca', 'ca.key', 'csr'].map((name) => join(folder, name))
      if (ca === undefined || caKey === undefined || csr === undefined) throw new Error('three files')
      writeFileSync(ca, issuer.certificate)
      writeFileSync(caKey, issuer.key)
      openssl(['req', '-new', ...newKey, ...self, '-out', csr])
      const by = ['-CA', ca, '-CAkey', caKey, '-set_serial', `0x${made}`]
      openssl([
        'x509',
        '-req',
        '-in',
        csr,
        ...by,
        '-days',
        '10',
        '-extfile',
        config,
        '-extensions',
        'x',
        '-out',
        crt,
      ])
    }
    return { certificate: readFileSync(crt, 'utf8'), key: readFileSync(key, 'utf8') }
  }
}

const leafy: Extensions = { constraints: 'critical,CA:FALSE', usage: 'critical,digitalSignature' }
const pem = (...all: ReadonlyArray<Made>): string => all.map(({ certificate }) => certificate).join('')

/** Why the chain does not lead there; an empty text when it does. */
const problem = async (chain: string, authorities: string, at = now): Promise<string> =>
  O.getOrElse(() => '')(await right(cryptoBackend.verifyChain(chain, authorities, at)))

for (const [name, ...algorithm] of [
  ['EC', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'],
  ['RSA', 'rsa:2048'],
  ['Ed25519', 'ed25519'],
] as const)
  test(`chain to an ${name} CA that signed them, among others, text around it`, skip, async (context) => {
    const make = await workshop(context)
    const ca = make('/O=example/CN=ca', undefined, {}, algorithm)
    const other = make('/CN=other', undefined)
    const leaf = make('/CN=leaf', ca, leafy)
    assert.is(await problem(pem(leaf), `# CAs\n${pem(other, ca)}#`), '')
    assert.is(await problem(pem(leaf), pem(other)), 'no CA there is called O=example, CN=ca')
    assert.is(await problem(pem(leaf, ca), pem(other)), 'no CA there is called O=example, CN=ca')
  })

test('do not chain to another CA of the same name', skip, async (context) => {
  const make = await workshop(context)
  const [ca, impostor] = [make('/CN=kubernetes', undefined), make('/CN=kubernetes', undefined)]
  const leaf = make('/CN=leaf', impostor, leafy)
  const message = 'it is not signed by CN=kubernetes, but by another of this name'
  assert.is(await problem(pem(leaf), pem(ca)), message)
  assert.is(await problem(pem(leaf, impostor), pem(ca)), message, 'the impostor sends itself along')
  assert.is(await problem(pem(leaf), pem(ca, impostor)), '', 'both are trusted, as while a CA is replaced')
})

test('may go over intermediates that came with them, in any order', skip, async (context) => {
  const make = await workshop(context)
  const root = make('/CN=root', undefined)
  const one = make('/CN=one', root)
  const two = make('/CN=two', one)
  const leaf = make('/CN=leaf', two, leafy)
  assert.is(await problem(pem(leaf, two, one), pem(root)), '')
  assert.is(await problem(pem(leaf, one, two, root), pem(root)), '')
  assert.is(await problem(pem(leaf, two), pem(root)), 'no CA there is called CN=one')
  assert.is(await problem(pem(leaf), pem(root)), 'no CA there is called CN=two')
  assert.is(await problem(pem(leaf, two), pem(one)), '', 'one that is trusted need not be self-signed')
})

test('do not go over what is no CA, nor to it', skip, async (context) => {
  const make = await workshop(context)
  const root = make('/CN=root', undefined)
  const node = make('/CN=node', root, leafy)
  const leaf = make('/CN=leaf', node, leafy)
  for (const authorities of [pem(root), pem(node)])
    assert.is(await problem(pem(leaf, node), authorities), 'CN=node is no CA')
  const silent = make('/CN=silent', root, { constraints: '', usage: '' })
  assert.is(await problem(pem(make('/CN=leaf', silent, leafy), silent), pem(root)), 'CN=silent is no CA')
  const idle = make('/CN=idle', root, { usage: 'critical,digitalSignature' })
  assert.is(await problem(pem(make('/CN=leaf', idle, leafy), idle), pem(root)), 'CN=idle is no CA')
})

/** The length of what follows, DER, and where that begins. */
const measure = (der: Buffer): readonly [number, number] => {
  const first = der[1] ?? 0
  return first < 0x80 ? [first, 2] : [der.readUIntBE(2, first - 0x80), 2 + first - 0x80]
}

const sequence = (...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const header = length < 256 ? [0x30, 0x81, length] : [0x30, 0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(header), content])
}

/** The same without extensions, in the version of X.509 that had none (RFC 5280, 4.1), signed by its own key again. */
const inVersion1 = ({ certificate, key }: Made): Made => {
  const { raw } = new X509Certificate(certificate)
  const inner = raw.subarray(measure(raw)[1])
  const [length, start] = measure(inner)
  const [version, ...others] = Array.from({ length: 7 }).reduce<ReadonlyArray<Buffer>>((found) => {
    const rest = inner.subarray(start + Buffer.concat(found).length, start + length)
    const [size, header] = measure(rest)
    return [...found, rest.subarray(0, header + size)]
  }, [])
  assert.is(version?.toString('hex'), 'a003020102')
  const tbs = sequence(...others)
  const algorithm = others[1] ?? Buffer.alloc(0)
  const signature = sign('sha256', tbs, key)
  const bits = Buffer.concat([Buffer.from([3, signature.length + 1, 0]), signature])
  const der = sequence(tbs, algorithm, bits).toString('base64')
  return { certificate: `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`, key }
}

test('chain to a CA of version 1 that is known, as for Go, and over none', skip, async (context) => {
  const make = await workshop(context)
  const root = inVersion1(make('/CN=root', undefined))
  const leaf = make('/CN=leaf', root, leafy)
  assert.is(await problem(pem(leaf), pem(root)), '')
  const trusted = make('/CN=trusted', undefined)
  const between = inVersion1(make('/CN=between', undefined))
  const crossed = make('/CN=leaf', between, leafy)
  assert.is(await problem(pem(crossed, between), pem(trusted)), 'CN=between is no CA')
})

test('have no more CAs on the way than one of them allows', skip, async (context) => {
  const make = await workshop(context)
  const root = make('/CN=root', undefined, { constraints: 'critical,CA:TRUE,pathlen:1' })
  const one = make('/CN=one', root, { constraints: 'critical,CA:TRUE,pathlen:0' })
  assert.is(await problem(pem(make('/CN=leaf', one, leafy), one), pem(root)), '')
  const two = make('/CN=two', one)
  assert.is(
    await problem(pem(make('/CN=leaf', two, leafy), two, one), pem(root)),
    'CN=one allows no more than 0 CAs below it',
  )
})

test('lead only to CAs that are valid now; their own dates do not matter', skip, async (context) => {
  const make = await workshop(context)
  const root = make('/CN=root', undefined)
  const one = make('/CN=one', root)
  const leaf = make('/CN=leaf', one, leafy)
  assert.match(await problem(pem(leaf), pem(one), after(now, 20 * day)), /^CN=one expired at 2\d{3}-/)
  assert.match(await problem(pem(leaf, one), pem(root), after(now, 20 * day)), /^CN=one expired at/)
  assert.match(
    await problem(pem(leaf), pem(one), after(now, -day)),
    /^CN=one is not valid before 2.*Z by this machine's clock$/,
  )
  const renewed = make('/CN=again', undefined)
  const child = make('/CN=leaf', renewed, leafy)
  assert.is(await problem(pem(child), pem(one, renewed)), '', 'what else is in the bundle does not matter')
})

test('are looked at in bounded time, whatever is in them', skip, async (context) => {
  const make = await workshop(context)
  const root = make('/CN=root', undefined)
  // Each could be the issuer of each by its name, and every one by its key.
  const same = make('/CN=same', undefined)
  const leaf = make('/CN=leaf', same, leafy)
  const chain = pem(leaf, ...Array.from({ length: 15 }, () => same))
  const began = performance.now()
  assert.is(await problem(chain, pem(root)), 'no CA there is called CN=same')
  assert.ok(performance.now() - began < 5_000)
  const long = `/CN=${'x'.repeat(60)}/O=${'y'.repeat(60)}`
  const told = await problem(pem(make('/CN=leaf', make(long, undefined), leafy)), pem(root))
  assert.ok(told.length < 200, told)
  const nameless = make('/CN=leaf', make('/', undefined), leafy)
  assert.is(await problem(pem(nameless), pem(root)), 'no CA there is called nothing at all')
})

test('lead nowhere when a byte of them was changed', skip, async (context) => {
  const make = await workshop(context)
  const ca = make('/CN=ca', undefined)
  const der = new X509Certificate(pem(make('/CN=leaf', ca, leafy))).raw
  const change = fc.record({ at: fc.nat(der.length - 1), by: fc.integer({ min: 1, max: 255 }) })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, by }) => {
      const changed = Buffer.from(der)
      changed[at] = (changed[at] ?? 0) ^ by
      const block = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`
      const outcome = await cryptoBackend.verifyChain(block, pem(ca), now)()
      return E.isLeft(outcome) || O.isSome(outcome.right)
    }),
    { numRuns: sample(60, 5_000), seed },
  )
})

test('cannot be compared with a bundle that cannot be read', skip, async (context) => {
  const make = await workshop(context)
  const ca = make('/CN=ca', undefined)
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    ['', /the bundle of CAs cannot be read: there is no CERTIFICATE block/],
    [ca.key, /no CERTIFICATE block/],
    [`${pem(ca)}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, /certificate 2 is damaged/],
    [pem(ca).repeat(1_001), /1001 certificates are too many/],
    ['x'.repeat(1024 * 1024 + 1), /characters are too many/],
  ]
  for (const [bundle, message] of cases)
    for (const task of [cryptoBackend.verifyChain(pem(ca), bundle, now), checkAuthorities(bundle)]) {
      const error = await left(task)
      assert.is(error._tag, 'Malformed')
      assert.match(error.message, message)
      assert.not.match(error.message, ca.key.split('\n')[1] ?? '')
    }
  await right(checkAuthorities(pem(ca)))
})
