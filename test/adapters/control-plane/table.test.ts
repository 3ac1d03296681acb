import type { SigningRequest } from '../../../adapters/control-plane/signing-request.js'
import { conditionSummary, humanDuration, table } from '../../../adapters/control-plane/table.js'
import { day, hour, instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('table')

const durations: ReadonlyArray<readonly [number, string]> = [
  [-3 * second, '<invalid>'],
  [-1 * second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [4 * minute + 30 * second, '4m30s'],
  [10 * minute + 59 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 5 * minute, '3h5m'],
  [8 * hour + 5 * minute, '8h'],
  [24 * hour, '24h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day + 3 * hour, '8d'],
  [365 * day, '365d'],
  [730 * day, '2y'],
  [731 * day, '2y1d'],
  [10 * 365 * day + 3 * day, '10y'],
]
for (const [duration, expected] of durations) {
  test(`writes ${duration / second} seconds as ${expected}, like kubectl`, () => {
    assert.is(humanDuration(duration), expected)
  })
}

const request = (types: ReadonlyArray<string>, certificate = ''): SigningRequest => ({
  resourceVersion: '7',
  metadata: { name: 'csr-1', uid: 'u', creationTimestamp: '2026-11-23T12:00:00Z' },
  spec: {
    request: '',
    signerName: 'example.com/mine',
    usages: ['client auth'],
    username: 'jane',
    groups: [],
    expirationSeconds: 86_400,
  },
  status: { conditions: types.map((type) => ({ type, status: 'True' })), certificate },
})

const summaries: ReadonlyArray<readonly [ReadonlyArray<string>, string, string]> = [
  [[], '', 'Pending'],
  [[], 'x', 'Pending,Issued'],
  [['Approved'], '', 'Approved'],
  [['Approved'], 'x', 'Approved,Issued'],
  [['Approved', 'Failed'], '', 'Approved,Failed'],
  [['Denied'], '', 'Denied'],
]
for (const [types, certificate, expected] of summaries) {
  test(`sums up ${types.join(' and ') || 'no condition'}${certificate && ' with a certificate'} as ${expected}`, () => {
    assert.is(conditionSummary(request(types, certificate)), expected)
  })
}

const now = instant(Date.parse('2026-11-23T12:04:30Z'))

test('has the columns of kubectl get csr', () => {
  const shown = table([request(['Approved'])], '7', now, { version: 'v1', includeObject: 'None' })
  assert.equal(
    shown.columnDefinitions?.map(({ name }) => name),
    ['Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'],
  )
  assert.equal(shown.rows, [
    { cells: ['csr-1', '4m30s', 'example.com/mine', 'jane', '24h', 'Approved'], object: null },
  ])
})

test('comes with as much of the object as was asked for', () => {
  const kind = (includeObject: 'Metadata' | 'Object'): unknown => {
    const object = table([request([])], '7', now, { version: 'v1beta1', includeObject }).rows[0]?.object
    return object !== null && object !== undefined && `${object.apiVersion} ${object.kind}`
  }
  assert.is(kind('Metadata'), 'meta.k8s.io/v1beta1 PartialObjectMetadata')
  assert.is(kind('Object'), 'certificates.k8s.io/v1 CertificateSigningRequest')
})
