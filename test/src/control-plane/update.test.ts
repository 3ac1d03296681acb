import {
  inOneLine,
  type RequestStatus,
  type StoredCondition,
  type Subresource,
  updateErrors,
  withTimes,
} from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('update')

const condition = (type: string, change: Partial<StoredCondition> = {}): StoredCondition => ({
  type,
  status: 'True',
  lastUpdateTime: '2026-11-23T12:00:00Z',
  lastTransitionTime: '2026-11-23T12:00:00Z',
  ...change,
})
const status = (conditions: ReadonlyArray<StoredCondition>, certificate = ''): RequestStatus => ({
  conditions,
  certificate,
})
const pending = status([])
const approved = status([condition('Approved')])
const issued = status([condition('Approved')], 'Y2VydA==')

const exclusive = 'Approved and Denied conditions are mutually exclusive'
const cases: ReadonlyArray<readonly [string, Subresource, RequestStatus, RequestStatus, string]> = [
  ['an approver approves', 'approval', pending, approved, ''],
  ['an approver denies', 'approval', pending, status([condition('Denied')]), ''],
  [
    'an approver adds words to its decision',
    'approval',
    approved,
    status([condition('Approved', { message: 'fine' })]),
    '',
  ],
  ['a signer issues', 'status', approved, issued, ''],
  ['a signer fails', 'status', approved, status([condition('Approved'), condition('Failed')]), ''],
  [
    'a signer says something of its own',
    'status',
    approved,
    status([condition('Approved'), condition('Ready', { status: 'Unknown' })]),
    '',
  ],
  [
    'nobody approves and denies',
    'approval',
    pending,
    status([condition('Approved'), condition('Denied')]),
    `status.conditions[1].type: Invalid value: "Denied": ${exclusive}`,
  ],
  [
    'nobody denies and approves',
    'approval',
    status([condition('Denied')]),
    status([condition('Denied'), condition('Approved')]),
    `status.conditions[1].type: Invalid value: "Approved": ${exclusive}`,
  ],
  [
    'nobody takes an approval back',
    'approval',
    approved,
    pending,
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ],
  [
    'a signer that leaves the approval out is refused',
    'status',
    approved,
    status([], 'Y2VydA=='),
    'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
  ],
  [
    'a signer does not approve',
    'status',
    pending,
    approved,
    'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
  ],
  ...(['reason', 'message', 'lastUpdateTime', 'lastTransitionTime'] as const).map(
    (field) =>
      [
        `a signer does not change an approval's ${field}`,
        'status',
        approved,
        status([condition('Approved', { [field]: 'x' })]),
        'status.conditions: Forbidden: updates may not modify a condition of type "Approved"',
      ] as const,
  ),
  [
    'an approver sets no certificate',
    'approval',
    approved,
    issued,
    'status.certificate: Forbidden: updates may not set certificate content',
  ],
  [
    'a signer does not change a certificate',
    'status',
    issued,
    status(issued.conditions, 'b3RoZXI='),
    'status.certificate: Forbidden: updates may not modify existing certificate content',
  ],
  [
    'a condition has a type',
    'status',
    pending,
    status([condition('')]),
    'status.conditions[0].type: Required value',
  ],
  [
    'a condition has a status',
    'approval',
    pending,
    status([condition('Approved', { status: '' })]),
    'status.conditions[0].status: Required value',
  ],
  [
    'an approval cannot be false',
    'approval',
    pending,
    status([condition('Approved', { status: 'False' })]),
    'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
  ],
  [
    'a condition is there once',
    'status',
    pending,
    status([condition('Ready'), condition('Ready')]),
    'status.conditions[1].type: Duplicate value: "Ready"',
  ],
]
for (const [sentence, subresource, before, after, expected] of cases) {
  test(sentence, () => {
    assert.is(inOneLine(updateErrors(subresource, before, after)), expected)
  })
}

test('fills in the times that were left out, and keeps when a condition last changed', () => {
  const now = '2026-11-23T13:00:00Z'
  const old = condition('Approved', { lastTransitionTime: '2026-11-23T11:00:00Z' })
  const bare = { type: 'Approved', status: 'True' }
  const given = condition('Denied')
  assert.equal(withTimes([old], [bare, { type: 'Failed', status: 'True' }, given], now), [
    { ...bare, lastUpdateTime: now, lastTransitionTime: '2026-11-23T11:00:00Z' },
    { type: 'Failed', status: 'True', lastUpdateTime: now, lastTransitionTime: now },
    given,
  ])
  assert.equal(withTimes([{ ...old, status: 'False' }], [bare], now), [
    { ...bare, lastUpdateTime: now, lastTransitionTime: now },
  ])
})
