/**
 * Keys and requests of each kind beside the `openssl` program, on one thread each: `npx tsc -b && node
 * dist/test/bench/keys.bench.js [SECONDS]`. What a key and its request take of a process of its own (`openssl req
 * -newkey`) is less the start of that process; `openssl speed` measures signatures in a loop, and has no PKCS#10 to write.
 */
import { spawnSync } from 'node:child_process'
import { createPrivateKey, sign } from 'node:crypto'
import { cryptoBackend } from '../../adapters/crypto/index.js'
import { type KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import { right } from '../adapters/outcome.js'
import { template } from '../src/samples.js'

const time = Number(process.argv[2] ?? 1) * 1_000

/** How often a second, one after the other. */
const rate = async (once: () => Promise<unknown>): Promise<number> => {
  await once()
  const began = performance.now()
  let count = 0
  while (performance.now() - began < time || count === 0) {
    await once()
    count += 1
  }
  return (count * 1_000) / (performance.now() - began)
}

const openssl = async (...args: ReadonlyArray<string>): Promise<void> => {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
}

/** `-newkey` of `openssl req` for this kind. */
const newKeyOf = (algorithm: KeyAlgorithm): ReadonlyArray<string> => {
  const [family = '', size = ''] = algorithm.split('-')
  if (family === 'RSA') return ['-newkey', `rsa:${size}`]
  if (family === 'ECDSA') return ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${size.replace('P', 'P-')}`]
  return ['-newkey', algorithm]
}

const short = (number: number): string => number.toPrecision(3).padStart(9)

console.log(`${'a second'.padEnd(12)}      keys  requests     both   openssl   ours/openssl   bare/request`)
const start = 1 / (await rate(() => openssl('version')))
for (const algorithm of keyAlgorithms) {
  const made = await cryptoBackend.generateKey(algorithm)()
  if (made._tag === 'Left') {
    console.log(`${algorithm.padEnd(12)} ${made.left.message}`)
    continue
  }
  const key = made.right
  const keys = await rate(() => right(cryptoBackend.generateKey(algorithm)))
  const requests = await rate(() => right(key.createRequest(template)))
  const both = await rate(async () =>
    right((await right(cryptoBackend.generateKey(algorithm))).createRequest(template)),
  )
  const args = [
    'req',
    '-new',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-out',
    '/dev/null',
    '-subj',
    '/O=system:nodes/CN=a',
  ]
  const process_ = await rate(() => openssl(...args, ...newKeyOf(algorithm)))
  const theirs = 1 / Math.max(1 / process_ - start, 1e-6)
  const bareKey = createPrivateKey((await right(key.forStorage)).reveal())
  const hash =
    bareKey.asymmetricKeyType === 'ec' || bareKey.asymmetricKeyType === 'rsa' ? 'sha256' : undefined
  const signatures = await rate(async () => sign(hash, Buffer.alloc(200), bareKey))
  console.log(
    `${algorithm.padEnd(12)} ${[keys, requests, both, theirs].map(short).join(' ')} ${short(both / theirs)}      ${short(signatures / requests)}`,
  )
}
