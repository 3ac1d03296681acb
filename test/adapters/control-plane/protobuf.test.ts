import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { decodeProtobuf } from '../../../adapters/control-plane/protobuf.js'
import { assert, sample, seed, suite } from '../../helper/index.js'
import { right } from './client.js'

const test = suite('protobuf')

/** What kubectl 1.32.4 sent, byte for byte. */
const captured = (name: string): Buffer =>
  Buffer.from(
    readFileSync(
      join(import.meta.dirname, '../../../../test/adapters/control-plane/captured', `${name}.hex`),
      'utf8',
    ).replaceAll('\n', ''),
    'hex',
  )
const names = ['certificate-deny', 'auth-whoami', 'auth-can-i-create', 'auth-can-i-get-path'] as const

test('reads what kubectl certificate deny sends', () => {
  const object = right(decodeProtobuf(captured('certificate-deny')))
  assert.is(object['apiVersion'], 'certificates.k8s.io/v1')
  assert.is(object['kind'], 'CertificateSigningRequest')
  assert.equal(object['metadata'], {
    name: 'two',
    generateName: '',
    uid: 'b15dd7e4-18f3-458c-acee-b5d700b467d0',
    resourceVersion: '1795462186502',
    labels: { color: 'blue' },
  })
  assert.equal(object['status'], {
    conditions: [
      {
        type: 'Denied',
        reason: 'KubectlDeny',
        message: 'This CSR was denied by kubectl certificate deny.',
        lastUpdateTime: '2026-11-23T19:29:47Z',
        lastTransitionTime: undefined,
        status: 'True',
      },
    ],
  })
  const { spec } = object
  assert.ok(typeof spec === 'object' && spec !== null && 'request' in spec && 'usages' in spec)
  assert.equal(spec.usages, ['digital signature', 'key encipherment', 'client auth'])
  assert.match(
    Buffer.from(String(spec.request), 'base64').toString(),
    /^-----BEGIN CERTIFICATE REQUEST-----\n[^-]+\n-----END CERTIFICATE REQUEST-----\n$/,
  )
})

test('reads what kubectl auth whoami sends', () => {
  const object = right(decodeProtobuf(captured('auth-whoami')))
  assert.is(object['apiVersion'], 'authentication.k8s.io/v1')
  assert.is(object['kind'], 'SelfSubjectReview')
})

test('reads what kubectl auth can-i sends, for a resource and for a path', () => {
  assert.equal(right(decodeProtobuf(captured('auth-can-i-create')))['spec'], {
    resourceAttributes: {
      namespace: 'default',
      verb: 'create',
      group: 'certificates.k8s.io',
      version: '',
      resource: 'certificatesigningrequests',
      subresource: '',
      name: '',
    },
  })
  assert.equal(right(decodeProtobuf(captured('auth-can-i-get-path')))['spec'], {
    nonResourceAttributes: { path: '/version', verb: 'get' },
  })
})

/** One length-delimited field. */
const field = (number: number, value: Buffer | string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes])
}
const enveloped = (kind: string, raw: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
    field(2, raw),
  ])

test('passes over fields that it does not know, of every wire type', () => {
  const raw = Buffer.concat([
    Buffer.from([15 * 8 + 0, 0x96, 0x01]),
    Buffer.from([14 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([13 * 8 + 5, 1, 2, 3, 4]),
    field(12, 'whatever'),
    field(2, field(1, 'uid-1')),
  ])
  assert.equal(right(decodeProtobuf(enveloped('DeleteOptions', raw))), {
    preconditions: { uid: 'uid-1' },
    apiVersion: 'v1',
    kind: 'DeleteOptions',
  })
})

test('reads a number, a negative one too', () => {
  const seconds = (bytes: ReadonlyArray<number>): unknown =>
    right(decodeProtobuf(enveloped('CertificateSigningRequest', field(2, Buffer.from([8 * 8, ...bytes])))))[
      'spec'
    ]
  assert.equal(seconds([0xd8, 0x04]), { expirationSeconds: 600 })
  assert.equal(seconds([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), {
    expirationSeconds: -1,
  })
})

const refused: ReadonlyArray<readonly [string, Buffer, RegExp]> = [
  ['a body without the magic', Buffer.from('{}'), /does not begin with k8s/],
  ['an empty body', Buffer.alloc(0), /does not begin with k8s/],
  ['an object of another kind', enveloped('Pod', Buffer.alloc(0)), /no object of kind "Pod"/],
  ['an envelope without a kind', Buffer.from('k8s\0'), /no object of kind ""/],
  ['a field longer than the body', enveloped('DeleteOptions', Buffer.from([2 * 8 + 2, 90])), /in the middle/],
  ['a number that does not end', enveloped('DeleteOptions', Buffer.from([0xff, 0xff])), /in the middle/],
  ['a group, which proto3 has not', enveloped('DeleteOptions', Buffer.from([1 * 8 + 3])), /wire type 3/],
]
for (const [what, body, reason] of refused) {
  test(`refuses ${what}`, () => {
    const answer = decodeProtobuf(body)
    assert.ok(E.isLeft(answer))
    if (E.isLeft(answer)) assert.match(answer.left, reason)
  })
}

test('answers something to every body, whole or mutilated, and never throws', () => {
  const bodies = names.map(captured)
  const mutilated = fc.record({
    body: fc.constantFrom(...bodies),
    cut: fc.nat(1_100),
    changes: fc.array(fc.tuple(fc.nat(1_100), fc.nat(255)), { maxLength: 5 }),
  })
  fc.assert(
    fc.property(mutilated, ({ body, cut, changes }) => {
      const bytes = Buffer.from(body.subarray(0, cut))
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      assert.match(decodeProtobuf(bytes)._tag, /^(Left|Right)$/)
    }),
    { numRuns: sample(2_000, 50_000), seed },
  )
})
