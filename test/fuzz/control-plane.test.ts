import { connect } from 'node:tls'
import fc from 'fast-check'
import {
  bootstrapper,
  newRequest,
  requestsPath,
  signingRequest,
  started,
} from '../adapters/control-plane/client.js'
import { assert, sample, seed, suite } from '../helper/index.js'
import { count, heap } from './bounds.js'
import { changes, mutants, mutated } from './mutation.js'

const test = suite('a control plane that is sent damaged requests')
const deadline = 900_000

test('answers each with a code, and lives on', { deadline }, async (context) => {
  const controlPlane = await started(context)
  const { call } = bootstrapper(context, controlPlane)
  const { base64 } = await newRequest()
  const body = Buffer.from(JSON.stringify(signingRequest('csr-1', base64)))
  const types = [
    'application/json',
    'application/vnd.kubernetes.protobuf',
    'application/merge-patch+json',
    'text/plain',
    '',
  ]
  const paths = [
    requestsPath,
    `${requestsPath}/csr-1`,
    `${requestsPath}/csr-1/approval`,
    `${requestsPath}?watch=1&timeoutSeconds=1&resourceVersion=`,
    '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    '/openapi/v3',
  ]
  const asked = fc.record({
    method: fc.constantFrom('POST', 'POST', 'PUT', 'PATCH', 'DELETE'),
    path: fc.tuple(fc.constantFrom(...paths), changes, fc.boolean()).map(([path, list, same]) =>
      same
        ? path
        : mutated(Buffer.from(path), list)
            .toString('latin1')
            .replaceAll(/[^!-~]/g, '%')
            .replace(/^[^/]*/, '/'),
    ),
    type: fc.constantFrom(...types),
    body: mutants(body, 'k8s\0\x0a\x02\x0a\x00', '{"metadata":null,"spec":{"usages":null}}', '[]'),
  })
  const before = heap()
  await fc.assert(
    fc.asyncProperty(asked, async ({ method, path, type, body }) => {
      count()
      const began = performance.now()
      const answer = await call(method, path.includes('watch') ? requestsPath : path, body, {
        'Content-Type': type,
        'Content-Length': String(body.length),
      })
      assert.ok(
        answer.code >= 200 && answer.code < 500,
        `${method} ${path} was answered ${answer.code} ${answer.text}`,
      )
      assert.ok(performance.now() - began < 2_000)
    }),
    { numRuns: sample(150, 6_000), seed },
  )
  const whole = await call('POST', requestsPath, signingRequest('csr-whole', base64))
  assert.is(whole.code, 201)
  assert.ok(heap() - before < 64 * 1024 * 1024)
})

test('survives noise in the place of HTTP', { deadline }, async (context) => {
  const controlPlane = await started(context)
  const text = `POST ${requestsPath} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\nauthorization: Bearer x\r\n\r\n{"kind":"x"}`
  await fc.assert(
    fc.asyncProperty(mutants(text), async (bytes) => {
      count()
      await new Promise<void>((resolve) => {
        const socket = connect({ port: controlPlane.port, host: '127.0.0.1', ca: controlPlane.authority() })
        socket
          .on('error', () => {})
          .on('close', () => resolve())
          .on('data', () => socket.end())
        socket.once('secureConnect', () => {
          socket.write(bytes, () => setTimeout(() => socket.destroy(), 10))
        })
      })
    }),
    { numRuns: sample(40, 1_000), seed },
  )
  assert.is((await bootstrapper(context, controlPlane).call('GET', '/version')).code, 200)
})
