import { rm, symlink, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import * as O from 'fp-ts/lib/Option.js'
import { follow, fromFiles, httpsAgent, type Problem } from '../../../adapters/connections/index.js'
import { assert, eventually, sample, suite, type TestContext } from '../../helper/index.js'
import { newPki, type Pair } from './pki.js'
import { writeVolume } from './volume.js'

const test = suite('credentials from files')

const setting = async ({ temporaryDirectory, defer }: TestContext) => {
  const directory = await temporaryDirectory()
  const files = {
    certificate: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
    ca: join(directory, 'ca.crt'),
  }
  const problems: Array<Problem> = []
  const open = (interval = 3_600_000) => {
    const sources = fromFiles(files, { interval, onProblem: (problem) => problems.push(problem) })
    defer(sources.close)
    return sources
  }
  const write = async ({ pem, key }: Pair) => {
    await writeFile(files.certificate, pem)
    await writeFile(files.key, key)
  }
  return { directory, files, problems, open, write, pki: await newPki() }
}

const serial = (sources: ReturnType<typeof fromFiles>): string | undefined =>
  O.toUndefined(sources.credentials.current())?.certificate.serialNumber.padStart(4, '0')

test('has the pair and the bundle as soon as it is made', async (context) => {
  const { files, open, write, pki, problems } = await setting(context)
  const pair = await pki.client()
  await write(pair)
  await writeFile(files.ca, pki.ca)
  const sources = open()
  assert.is(serial(sources), pair.serial)
  assert.equal(sources.trust.current(), O.some(pki.ca))
  assert.equal(problems, [])
})

test('sees a pair that was rewritten', async (context) => {
  const { files, open, write, pki } = await setting(context)
  await write(await pki.client())
  await writeFile(files.ca, pki.ca)
  const sources = open(5)
  const following = follow(sources)
  const next = await pki.client()
  await write(next)
  await eventually('it is there', () => serial(sources) === next.serial)
  assert.is(O.toUndefined(following.current().credential)?.pem, next.pem)
  following.close()
})

test('keeps the old pair while only one of two files has been rewritten, and tells once', async (context) => {
  const { files, open, write, pki, problems } = await setting(context)
  const [first, next] = [await pki.client(), await pki.client()]
  await write(first)
  await writeFile(files.ca, pki.ca)
  const sources = open()
  await writeFile(files.certificate, next.pem)
  sources.look()
  sources.look()
  assert.is(serial(sources), first.serial)
  assert.equal(
    problems.map(({ message }) => /another certificate/.test(message)),
    [true],
  )
  await writeFile(files.key, next.key)
  sources.look()
  assert.is(serial(sources), next.serial)
})

test('keeps the last good pair and bundle when the files are damaged, empty or gone', async (context) => {
  const { files, open, write, pki, problems } = await setting(context)
  const pair = await pki.client()
  await write(pair)
  await writeFile(files.ca, pki.ca)
  const sources = open()
  for (const text of ['', 'not PEM', pair.pem.slice(0, 100)]) {
    await writeFile(files.certificate, text)
    await writeFile(files.ca, text)
    sources.look()
  }
  await rm(files.key)
  await rm(files.ca)
  sources.look()
  assert.is(serial(sources), pair.serial)
  assert.equal(sources.trust.current(), O.some(pki.ca))
  assert.equal([...new Set(problems.map(({ _tag }) => _tag))].sort(), [
    'CredentialUnusable',
    'TrustUnusable',
    'Unreadable',
  ])
})

test('never takes an expired pair', async (context) => {
  const { files, open, write, pki, problems } = await setting(context)
  await write(await pki.client({ from: -60_000, until: -1_000 }))
  await writeFile(files.ca, pki.ca)
  assert.is(serial(open()), undefined)
  const both = `${files.certificate} and ${files.key}: using the certificate and its key for TLS`
  assert.match(problems[0]?.message ?? '', `${both}: it expired on`)
  await write({ ...(await pki.client()), key: (await pki.client()).key })
  open()
  assert.match(problems[1]?.message ?? '', `${both}: its private key is another certificate’s`)
})

/** The same certificate with a key of a kind that nobody knows, or with a date that is none. */
const damaged = ({ pem }: Pair, what: 'key' | 'date'): string => {
  const der = Buffer.from(pem.replaceAll(/-----[^-]*-----/g, ''), 'base64')
  // id-ecPublicKey (RFC 5480, 2.1.1), or the first UTCTime (RFC 5280, 4.1.2.5.1).
  const at = der.indexOf(Buffer.from(what === 'key' ? '2a8648ce3d0201' : '170d', 'hex'))
  if (what === 'key') der[at + 6] = 0x7f
  else der.write('99', at + 4)
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
}

for (const what of ['key', 'date'] as const)
  test(`keeps the last good pair when a certificate has a damaged ${what}`, async (context) => {
    const { files, open, write, pki, problems } = await setting(context)
    const pair = await pki.client()
    await write(pair)
    await writeFile(files.ca, pki.ca)
    const sources = open()
    await writeFile(files.certificate, damaged(await pki.client(), what))
    sources.look()
    assert.is(serial(sources), pair.serial)
    assert.equal(
      problems.map(({ message }) => message),
      [
        `${files.certificate} and ${files.key}: using the certificate and its key for TLS: ${what === 'key' ? 'the public key in the certificate cannot be read' : 'a date in the certificate is damaged'}`,
      ],
    )
  })

test('reads chain and key from one file behind a link, as a kubelet keeps them', async (context) => {
  const { directory, pki } = await setting(context)
  const write = async (name: string, { pem, key }: Pair) => {
    await writeFile(join(directory, name), pem + key)
    await rm(current, { force: true })
    await symlink(name, current)
  }
  const current = join(directory, 'kubelet-client-current.pem')
  const [first, next] = [await pki.client(), await pki.client()]
  await write('first.pem', first)
  const sources = fromFiles({ certificate: current })
  assert.is(serial(sources), first.serial)
  await write('next.pem', next)
  sources.look()
  assert.is(serial(sources), next.serial)
  assert.equal(sources.trust.current(), O.none)
  sources.close()
})

test('tells of missing files even if nobody asked, and lets no request go out without them', async (context) => {
  const { directory, files } = await setting(context)
  const warnings: Array<Error> = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  context.defer(() => process.off('warning', hear))
  const sources = fromFiles({ certificate: files.certificate, key: files.key })
  context.defer(sources.close)
  sources.look()
  await eventually('it is told', () => warnings.length > 0)
  assert.equal(
    warnings.map(({ message }) => message),
    [
      `the file ${files.certificate} cannot be read: no such file or directory (ENOENT); look at the file and its permissions`,
    ],
  )
  const following = follow(sources)
  context.defer(following.close)
  const agent = httpsAgent(following)
  context.defer(() => agent.destroy())
  const error = await new Promise<Error>((resolve) =>
    get('https://127.0.0.1:1', { agent }).on('error', resolve),
  )
  assert.match(
    error.message,
    `no certificate to connect with: the file ${join(directory, 'tls.crt')} cannot be read`,
  )
  assert.is('code' in error && error.code, 'NoCredential')
})

test('says why a server cannot be verified while there are no CAs', async (context) => {
  const { files, open, write, pki } = await setting(context)
  await write(await pki.client())
  await writeFile(files.ca, 'garbage')
  const sources = open()
  const following = follow(sources)
  context.defer(following.close)
  const agent = httpsAgent(following)
  context.defer(() => agent.destroy())
  const asked = () =>
    new Promise<Error>((resolve) => get('https://127.0.0.1:1', { agent }).on('error', resolve))
  assert.match(
    (await asked()).message,
    `there is no CA to verify the server with: ${files.ca}: using the bundle of trusted CAs`,
  )
  await writeFile(files.ca, pki.ca)
  sources.look()
  assert.match((await asked()).message, 'ECONNREFUSED')
})

test('no certificate is needed where none was configured', async (context) => {
  const { files, pki } = await setting(context)
  await writeFile(files.ca, pki.ca)
  const sources = fromFiles({ ca: files.ca })
  const following = follow(sources)
  context.defer(() => {
    sources.close()
    following.close()
  })
  assert.is(following.current().problem(), undefined)
})

test('reads a credential bundle: the key first, then the chain', async (context) => {
  const { directory, pki, problems } = await setting(context)
  const pair = await pki.client()
  const bundle = join(directory, 'credentialbundle.pem')
  await writeFile(bundle, pair.key + pair.pem)
  const sources = fromFiles({ certificate: bundle }, { onProblem: (problem) => problems.push(problem) })
  context.defer(sources.close)
  assert.is(serial(sources), pair.serial)
  assert.equal(problems, [])
})

test('does not take a file for whole that ends within a block', async (context) => {
  const { files, open, write, pki, problems } = await setting(context)
  const pair = await pki.client()
  await write(pair)
  await writeFile(files.ca, pki.ca)
  const sources = open()
  const next = await newPki()
  // The first certificate is there already, the second one only in part.
  await writeFile(files.ca, next.ca + pki.ca.slice(0, -40))
  sources.look()
  assert.equal(sources.trust.current(), O.some(pki.ca))
  assert.match(problems[0]?.message ?? '', 'ca.crt ends within a block of PEM')
  await writeFile(files.ca, next.ca + pki.ca)
  sources.look()
  assert.equal(sources.trust.current(), O.some(next.ca + pki.ca))
})

const swaps = sample(400, 3_000)
test(`reads no mixed pair while a kubelet swaps a volume ${swaps} times`, {
  deadline: sample(60_000, 600_000),
}, async (context) => {
  const { directory, pki, open, problems } = await setting(context)
  const pairs = await Promise.all([1, 2, 3].map(() => pki.client()))
  // Each generation has a bundle of its own length, with which its half would be a bundle too.
  const generations = pairs.map(({ pem, key }, index) => ({
    'tls.crt': pem,
    'tls.key': key,
    'ca.crt': pki.ca.repeat(index + 1),
  }))
  writeVolume(directory, 0, generations[0] ?? {})
  const sources = open()
  const swapping = new Worker(new URL('./volume-thread.js', import.meta.url), {
    workerData: { volume: directory, generations, swaps },
  })
  context.defer(() => swapping.terminate())
  const state = { done: false }
  swapping.once('message', () => {
    state.done = true
  })
  const seen = new Set<string | undefined>()
  while (!state.done) {
    sources.look()
    seen.add(serial(sources))
    await setImmediate()
  }
  sources.look()
  const last = generations[swaps % generations.length]
  assert.is(serial(sources), pairs[swaps % pairs.length]?.serial)
  assert.equal(sources.trust.current(), O.some(last?.['ca.crt']))
  assert.is(seen.size, pairs.length)
  // Swaps come so fast here that a look may meet several; never that it takes halves of two for a pair.
  assert.equal(
    problems.map(({ message }) => message).filter((message) => !/changed while being read/.test(message)),
    [],
  )
})
