import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { createCertificate, cryptoBackend, parseRequest } from '../../adapters/crypto/index.js'
import { readCertificateDirectory } from '../../adapters/filesystem/index.js'
import { clusterFromKubeconfig, decodeKubeconfig } from '../../adapters/kubernetes/index.js'
import { textFromBase64 } from '../../src/model/base64.js'
import { secret } from '../../src/model/secret.js'
import { kubeletClientTemplate, missingFrom } from '../../src/model/template.js'
import { after, day, instant, wholeSecond } from '../../src/model/time.js'
import { bootstrapper, requestsPath, signingRequest, started } from '../adapters/control-plane/client.js'
import { left, right } from '../adapters/outcome.js'
import { authority } from '../faults/serving.js'
import { assert, suite } from '../helper/index.js'
import { heap, isClear } from './bounds.js'
import { pemOf } from './material.js'

const test = suite('something enormous')
const megabyte = 1024 * 1024

/** It takes a few seconds of processor time and not much memory, whatever else the machine has to do. */
const soon = async <A>(run: () => A | Promise<A>): Promise<A> => {
  const before = heap()
  const began = process.cpuUsage()
  const result = await run()
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 4_000_000, `took ${(user + system) / 1_000} ms`)
  assert.ok(heap() - before < 32 * megabyte)
  return result
}

const refused = async (
  run: () => Promise<{ readonly message: string; readonly remedy: string }>,
): Promise<string> => {
  const { message, remedy } = await soon(run)
  isClear(message)
  isClear(remedy)
  return message
}

const config = (value: string): string => `apiVersion: v1\nkind: Config\nextra: ${value}\n`

test('a YAML bomb is refused', async () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 30; level += 1)
    lines.push(`a${level}: &a${level} [${new Array(9).fill(`*a${level - 1}`).join(', ')}]`)
  const bombs = [
    lines.join('\n'),
    config('['.repeat(200_000)),
    config(`${'{a: '.repeat(50_000)}`),
    config(`\n${Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth + 1)}a:`).join('\n')}`),
    config(`"${'\\u0041'.repeat(80_000)}`),
    `${'- '.repeat(100_000)}x`,
    `${'? '.repeat(100_000)}x`,
    Array.from({ length: 40_000 }, (_, index) => `k${index}: &k${index} v`).join('\n'),
  ]
  for (const bomb of bombs) {
    const decoded = await soon(() => decodeKubeconfig('/bomb', bomb.slice(0, 512 * 1024)))
    if (E.isRight(decoded)) throw new Error(`it was accepted: ${bomb.slice(0, 60)}`)
    isClear(decoded.left.message)
    assert.match(decoded.left.message, '/bomb')
  }
})

test('a million PEM blocks are refused', { deadline: 60_000 }, async (context) => {
  const block = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const million = block.repeat(1_000_000)
  const many = block.repeat(40_000)
  assert.match(await refused(() => left(cryptoBackend.parseChain(million))), 'too many')
  assert.match(await refused(() => left(cryptoBackend.parseChain(block.repeat(4_000)))), 'too many')
  assert.match(await refused(() => left(cryptoBackend.restoreKey(secret(many)))), 'too long')
  assert.match(await refused(() => left(parseRequest(many))), 'too many')
  assert.match(
    await refused(() => left(cryptoBackend.parseChain('-----BEGIN CERTIFICATE-----\n'.repeat(9_000)))),
    'no CERTIFICATE',
  )

  const directory = await context.temporaryDirectory()
  writeFileSync(join(directory, 'kubelet-client-current.pem'), million, { mode: 0o600 })
  writeFileSync(join(directory, 'kubelet-client-request.json'), many, { mode: 0o600 })
  const { pairs, warnings } = await soon(() => right(readCertificateDirectory({ directory })))
  assert.is(pairs.length, 0)
  assert.is(warnings.filter((warning) => warning.includes('larger than')).length, 2, warnings.join('\n'))

  const kubeconfig = join(directory, 'kubeconfig')
  writeFileSync(join(directory, 'ca.crt'), many)
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://a', 'certificate-authority': 'ca.crt' } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  assert.match(await refused(() => left(clusterFromKubeconfig(kubeconfig))), 'larger than')
  // As many as an answer of the API can hold.
  const text = await soon(() =>
    textFromBase64(Buffer.from(block.repeat(13_000)).toString('base64').slice(0, megabyte)),
  )
  assert.match(await refused(() => left(cryptoBackend.parseChain(text))), 'too many')
})

test('a subject of ten megabytes is refused, and one of a hundred kilobytes is told in a line', {
  deadline: 60_000,
}, async (context) => {
  const ca = await authority('CA')
  const handle = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const key = (await right(handle.forStorage)).reveal()
  const now = wholeSecond(instant(Date.now()))
  const names = (length: number) => ({
    commonName: `${'x'.repeat(length)}\u001b[2J`,
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
    uris: [],
  })
  const certificate = (length: number) =>
    right(
      createCertificate(ca, {
        ...names(length),
        usages: ['client auth'],
        serialNumber: '1',
        notBefore: now,
        notAfter: after(now, day),
        publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
      }),
    )
  const huge = await certificate(10 * megabyte)
  assert.match(await refused(() => left(cryptoBackend.parseChain(huge))), 'too many')
  const large = await certificate(100_000)
  const parsed = await soon(() => cryptoBackend.parseChain(large)())
  if (E.isRight(parsed))
    for (const one of missingFrom(kubeletClientTemplate('a'), parsed.right.certificate)) isClear(one)
  else isClear(parsed.left.message)

  const request = await right(handle.createRequest(names(2 * megabyte)))
  assert.match(await refused(() => left(parseRequest(request))), 'too many')
  const controlPlane = await started(context)
  const { call } = bootstrapper(context, controlPlane)
  const answer = await soon(() =>
    call('POST', requestsPath, signingRequest('csr-1', Buffer.from(request).toString('base64'))),
  )
  assert.is(answer.code, 413)
})

test('DER that is nested without end is refused', async () => {
  let der = Buffer.alloc(0)
  const levels: Array<Buffer> = []
  let length = 0
  for (let depth = 0; depth < 40_000; depth += 1) {
    const header = Buffer.from([0x30, 0x83, (length >> 16) & 255, (length >> 8) & 255, length & 255])
    levels.push(header)
    length += header.length
  }
  der = Buffer.concat(levels.reverse())
  await refused(() => left(parseRequest(pemOf('CERTIFICATE REQUEST', der))))
  await refused(() => left(cryptoBackend.parseChain(pemOf('CERTIFICATE', der.subarray(0, 150_000)))))
})
