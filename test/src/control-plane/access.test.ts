import {
  type Attributes,
  defaultBindings,
  nodeNameOf,
  permitted,
  refusal,
  type User,
} from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('access')

const authenticated = (name: string, ...groups: string[]): User => ({
  name,
  groups: [...groups, 'system:authenticated'],
})
const node = authenticated('system:node:worker-1', 'system:nodes')
const namelessNode = authenticated('worker-1', 'system:nodes')
const bootstrapper = authenticated('system:bootstrap:abcdef', 'system:bootstrappers')
const admin = authenticated('kubernetes-admin', 'system:masters')
const someone = authenticated('jane')
const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

const requests = (verb: string, subresource = ''): Attributes => ({
  _tag: 'Resource',
  verb,
  group: 'certificates.k8s.io',
  resource: 'certificatesigningrequests',
  subresource,
})
const get = (path: string): Attributes => ({ _tag: 'Path', verb: 'get', path })
const review = (group: string, resource: string): Attributes => ({
  _tag: 'Resource',
  verb: 'create',
  group,
  resource,
  subresource: '',
})

const cases: ReadonlyArray<readonly [string, User, Attributes, boolean]> = [
  ['a node creates requests', node, requests('create'), true],
  ['a node reads requests', node, requests('get'), true],
  ['a node lists requests', node, requests('list'), true],
  ['a node watches requests', node, requests('watch'), true],
  ['a node does not delete requests', node, requests('delete'), false],
  ['a node may have its own certificate approved', node, requests('create', 'selfnodeclient'), true],
  ["a node may not have another's certificate approved", node, requests('create', 'nodeclient'), false],
  ['a node approves nothing', node, requests('update', 'approval'), false],
  ['a member of system:nodes without a node name creates nothing', namelessNode, requests('create'), false],
  ['a bootstrapper creates requests', bootstrapper, requests('create'), true],
  ['a bootstrapper may have a node approved', bootstrapper, requests('create', 'nodeclient'), true],
  ['a bootstrapper is no node', bootstrapper, requests('create', 'selfnodeclient'), false],
  ['a bootstrapper deletes nothing', bootstrapper, requests('delete'), false],
  ['an administrator approves', admin, requests('update', 'approval'), true],
  ['an administrator sees any path', admin, get('/metrics'), true],
  ['somebody known creates no requests without a role', someone, requests('create'), false],
  ['somebody known discovers the API', someone, get('/apis/certificates.k8s.io/v1'), true],
  ['somebody known sees no metrics', someone, get('/metrics'), false],
  ['somebody known asks who they are', someone, review('authentication.k8s.io', 'selfsubjectreviews'), true],
  [
    'somebody known asks what they may do',
    someone,
    review('authorization.k8s.io', 'selfsubjectaccessreviews'),
    true,
  ],
  [
    'somebody known does not ask what others may do',
    someone,
    review('authorization.k8s.io', 'subjectaccessreviews'),
    false,
  ],
  [
    'the group of a resource counts',
    someone,
    review('authentication.k8s.io', 'selfsubjectaccessreviews'),
    false,
  ],
  ['nobody in particular sees the version', anonymous, get('/version'), true],
  ['nobody in particular sees the health', anonymous, get('/healthz'), true],
  ['nobody in particular discovers nothing', anonymous, get('/apis'), false],
  ['nobody in particular sees no requests', anonymous, requests('list'), false],
]
for (const [sentence, user, attributes, expected] of cases) {
  test(sentence, () => {
    assert.is(permitted(defaultBindings, user, attributes), expected)
  })
}

test('refuses in the words of Kubernetes', () => {
  assert.is(
    refusal(anonymous, requests('create')),
    'User "system:anonymous" cannot create resource "certificatesigningrequests" in API group "certificates.k8s.io" at the cluster scope',
  )
  assert.is(
    refusal(node, requests('update', 'approval')),
    'User "system:node:worker-1" cannot update resource "certificatesigningrequests/approval" in API group "certificates.k8s.io" at the cluster scope',
  )
  assert.is(refusal(someone, get('/metrics')), 'User "jane" cannot get path "/metrics"')
})

test('knows a node by its group and its name', () => {
  assert.is(nodeNameOf(node), 'worker-1')
  assert.is(nodeNameOf(namelessNode), undefined)
  assert.is(nodeNameOf(authenticated('system:node:', 'system:nodes')), undefined)
  assert.is(nodeNameOf(authenticated('system:node:worker-1')), undefined)
})
