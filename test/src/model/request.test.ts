import * as E from 'fp-ts/lib/Either.js'
import {
  CertificateSigningRequest,
  type Condition,
  conditionOf,
  identityOf,
  nameOf,
} from '../../../src/model/request.js'
import { assert, suite } from '../../helper/index.js'
import { keyId, template } from '../samples.js'

const test = suite('request')

const base = {
  metadata: { name: 'csr-1', uid: 'u', resourceVersion: '7', labels: {} },
  spec: { request: 'AAAA', signerName: 'example.com/signer', usages: [] },
}
const conditionFor = (status: unknown): Condition => {
  const request = CertificateSigningRequest.decode({ ...base, status })
  if (E.isLeft(request)) throw new Error('does not decode')
  return conditionOf(request.right)
}
const approved = { type: 'Approved', status: 'True' }

const cases: ReadonlyArray<readonly [string, unknown, Condition]> = [
  ['without a status it is pending', undefined, { _tag: 'Pending' }],
  ['with an empty status it is pending', {}, { _tag: 'Pending' }],
  ['with null for conditions it is pending', { conditions: null, certificate: null }, { _tag: 'Pending' }],
  ['a certificate without approval does not count', { certificate: 'BBBB' }, { _tag: 'Pending' }],
  [
    'a condition that is not true does not count',
    { conditions: [{ type: 'Approved', status: 'False' }] },
    { _tag: 'Pending' },
  ],
  ['an approval of v1beta1 needs no status', { conditions: [{ type: 'Approved' }] }, { _tag: 'Approved' }],
  ['approved, not yet signed', { conditions: [approved] }, { _tag: 'Approved' }],
  ['an empty certificate is none', { conditions: [approved], certificate: '' }, { _tag: 'Approved' }],
  [
    'approved and signed',
    { conditions: [approved], certificate: 'BBBB' },
    { _tag: 'Issued', certificate: 'BBBB' },
  ],
  [
    'a denial says why',
    { conditions: [{ type: 'Denied', status: 'True', reason: 'No', message: 'not you' }] },
    { _tag: 'Denied', reason: 'No', message: 'not you' },
  ],
  [
    'a denial may say nothing',
    { conditions: [{ type: 'Denied' }] },
    { _tag: 'Denied', reason: '', message: '' },
  ],
  [
    'a failure ends an approved request, certificate or not',
    {
      conditions: [approved, { type: 'Failed', status: 'True', reason: 'SignerValidationFailure' }],
      certificate: 'B',
    },
    { _tag: 'Failed', reason: 'SignerValidationFailure', message: '' },
  ],
]
for (const [sentence, status, condition] of cases)
  test(sentence, () => {
    assert.equal(conditionFor(status), condition)
  })

test('refuses an object that is no request', () => {
  assert.ok(E.isLeft(CertificateSigningRequest.decode({ ...base, spec: {} })))
})

test('names a request after its key and everything that is asked for', () => {
  const identities = [
    identityOf(keyId(1), template),
    identityOf(keyId(2), template),
    identityOf(keyId(1), { ...template, signerName: 'example.com/signer' }),
    identityOf(keyId(1), { ...template, dnsNames: ['x'] }),
    identityOf(keyId(1), { ...template, uris: ['x'] }),
    identityOf(keyId(1), { ...template, expirationSeconds: 600 }),
  ]
  assert.is(new Set(identities).size, identities.length)
  assert.is(identityOf(keyId(1), { ...template }), identities[0])
  assert.is(nameOf('0123456789abcdef'.repeat(4)), 'csr-0123456789abcdef0123456789abcdef')
})
