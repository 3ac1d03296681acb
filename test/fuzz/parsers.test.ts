import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { decodeProtobuf } from '../../adapters/control-plane/protobuf.js'
import { cryptoBackend, parseRequest } from '../../adapters/crypto/index.js'
import { decodeKubeconfig } from '../../adapters/kubernetes/index.js'
import { decodeRequest } from '../../adapters/kubernetes/requests.js'
import { apiResponse, errorFrom } from '../../adapters/kubernetes/response.js'
import { textFromBase64 } from '../../src/model/base64.js'
import { pemBlocks } from '../../src/model/pem.js'
import { conditionOf } from '../../src/model/request.js'
import { secret } from '../../src/model/secret.js'
import { instant } from '../../src/model/time.js'
import { decodeRequest as decodeRequestFile } from '../../src/stored.js'
import { assert, suite } from '../helper/index.js'
import { isAnAnswer, isClear, survive } from './bounds.js'
import { derOf, type Material, material, pemOf } from './material.js'
import { mutants } from './mutation.js'

const test = suite('parsers of what comes from outside, given damaged material: they answer, and soon, for')
const deadline = 600_000

let kept: Material | undefined
test.before(async () => {
  kept = await material()
})
const given = (): Material => {
  if (kept === undefined) throw new Error('there is no material')
  return kept
}

const parsesChain = async (pem: string): Promise<void> => {
  const chain = await cryptoBackend.parseChain(pem)()
  isAnAnswer(chain)
  if (E.isLeft(chain)) return
  assert.match(chain.right.certificate.keyId, /^[0-9a-f]{64}$/)
  assert.ok(Number.isInteger(chain.right.certificate.notAfter))
  assert.ok(pemBlocks(chain.right.pem).length >= 1)
  const verified = await cryptoBackend.verifyChain(chain.right.pem, given().chain, instant(Date.now()))()
  isAnAnswer(verified)
  if (E.isRight(verified) && O.isSome(verified.right)) isClear(verified.right.value)
}

test('certificate chains, as text', { deadline }, () =>
  survive(mutants(given().chain), [150, 8_000], (input) => parsesChain(input.toString('latin1'))),
)

test('certificates, as DER', { deadline }, () =>
  survive(mutants(derOf(given().chain)), [250, 15_000], (input) => parsesChain(pemOf('CERTIFICATE', input))),
)

test('private keys, as text and as DER', { deadline }, async () => {
  const { key } = given()
  const body = key.split('\n')[1] ?? ''
  const restores = async (pem: string): Promise<void> => {
    const restored = await cryptoBackend.restoreKey(secret(pem))()
    isAnAnswer(restored)
    if (E.isLeft(restored)) assert.not.match(JSON.stringify(restored.left), body)
  }
  await survive(mutants(key), [100, 6_000], (input) => restores(input.toString('latin1')))
  await survive(mutants(derOf(key)), [100, 6_000], (input) => restores(pemOf('EC PRIVATE KEY', input)))
})

test('certification requests, as text and as DER', { deadline }, async () => {
  const { request } = given()
  const parses = async (pem: string): Promise<void> => isAnAnswer(await parseRequest(pem)())
  await survive(mutants(request), [80, 4_000], (input) => parses(input.toString('latin1')))
  await survive(mutants(derOf(request)), [150, 8_000], (input) => parses(pemOf('CERTIFICATE REQUEST', input)))
})

test('kubeconfigs', { deadline }, async () => {
  const secrets = [/abcdef\.0123456789abcdef/, given().key.split('\n')[1] ?? '-']
  await survive(mutants(given().kubeconfig), [200, 12_000], (input) => {
    const decoded = decodeKubeconfig('/etc/kubeconfig', input.toString('utf8'))
    isAnAnswer(decoded)
    if (E.isLeft(decoded)) for (const one of secrets) assert.not.match(decoded.left.message, one)
  })
})

test('saved requests', { deadline }, () =>
  survive(mutants(given().requestFile), [150, 8_000], (input) => {
    const decoded = decodeRequestFile(input.toString('utf8'))
    if (E.isLeft(decoded)) isClear(decoded.left)
  }),
)

/** What the adapter and the core make of an object of the API. */
const takesObject = async (value: unknown): Promise<void> => {
  const decoded = decodeRequest(value, 'GET https://x')
  isAnAnswer(decoded)
  if (E.isLeft(decoded)) return
  const condition = conditionOf(decoded.right)
  if (condition._tag === 'Issued') await parsesChain(textFromBase64(condition.certificate))
}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

test('CertificateSigningRequests as JSON', { deadline }, () =>
  survive(mutants(given().served), [200, 10_000], (input) => takesObject(json(input.toString('utf8')))),
)

test('any JSON in the place of one', { deadline }, () =>
  survive(
    fc.jsonValue({ maxDepth: 6 }).map((value) => Buffer.from(JSON.stringify(value))),
    [80, 4_000],
    (input) => {
      const value = json(input.toString('utf8'))
      return takesObject({
        metadata: { name: 'a', uid: 'b', resourceVersion: '1' },
        spec: { request: '' },
        status: value,
      })
    },
  ),
)

test('headers and Status objects', { deadline }, () =>
  survive(
    mutants('Sat, 01 Jan 2000 00:00:00 GMT', '120', '{"message":"no","reason":"x","details":{"name":"a"}}'),
    [150, 8_000],
    (input) => {
      const text = input.toString('latin1')
      const given = apiResponse(
        'GET https://x',
        400 + (input.length % 200),
        { date: text, 'retry-after': text },
        json(text) ?? { message: text },
        (one) => one,
      )
      isAnAnswer(E.left(errorFrom(given)))
    },
  ),
)

test('protobuf bodies', { deadline }, () => {
  // k8s\0, then an Unknown with a TypeMeta and a raw object.
  const type = '\x0a\x16certificates.k8s.io/v1\x12\x19CertificateSigningRequest'
  const meta = '\x0a\x0a\x0a\x03two\x22\x00*\x01x'
  const body = `k8s\0\x0a${String.fromCharCode(type.length)}${type}\x12${String.fromCharCode(meta.length)}${meta}`
  return survive(mutants(Buffer.from(body, 'latin1')), [200, 10_000], (input) => {
    const decoded = decodeProtobuf(input)
    if (E.isLeft(decoded)) isClear(decoded.left.replaceAll(/\\u[0-9a-f]{4}/g, ''))
  })
})
