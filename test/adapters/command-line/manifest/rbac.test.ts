import * as E from 'fp-ts/lib/Either.js'
import { parseAllDocuments } from 'yaml'
import { rbac, readSubjects } from '../../../../adapters/command-line/manifest/rbac.js'
import { type Service, serviceFrom } from '../../../../adapters/command-line/manifest/service.js'
import { kubeletClientTemplate } from '../../../../src/model/template.js'
import { assert, suite } from '../../../helper/index.js'
import { flagsOfNode, get } from './flags.js'

const test = suite('manifest rbac')

const kubelet = get(serviceFrom(flagsOfNode))
/** A certificate of a signer, renewed with itself unless it is said otherwise. */
const of = (signerName: string, authenticateWith: 'held' | 'external' = 'held'): Service => ({
  ...kubelet,
  options: {
    template: { ...kubeletClientTemplate('x'), commonName: 'agent-1', signerName },
    policy: { authenticateWith },
  },
})

const printed = (service: Service, given: Readonly<Record<string, string>> = {}): ReadonlyArray<unknown> =>
  parseAllDocuments(rbac(service, get(readSubjects(given)))).map((document): unknown => document.toJS())

const api = { apiVersion: 'rbac.authorization.k8s.io/v1' }
const group = 'rbac.authorization.k8s.io'
const bound = (name: string, role: string, ...subjects: ReadonlyArray<object>) => ({
  ...api,
  kind: 'ClusterRoleBinding',
  metadata: { name: `kube-cert-rotation:${name}` },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
  subjects,
})
const role = (name: string, ...rules: ReadonlyArray<object>) => ({
  ...api,
  kind: 'ClusterRole',
  metadata: { name: `kube-cert-rotation:${name}` },
  rules: rules.map((rule) => ({ apiGroups: ['certificates.k8s.io'], ...rule })),
})
const bootstrappers = { apiGroup: group, kind: 'Group', name: 'system:bootstrappers' }
const read = { resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] }
const requester = role('requester', {
  resources: ['certificatesigningrequests'],
  verbs: ['create', 'get', 'watch'],
})
const agent = { apiGroup: group, kind: 'User', name: 'agent-1' }

test("binds Kubernetes' own roles for a kubelet's certificate", () => {
  const approve = 'system:certificates.k8s.io:certificatesigningrequests'
  assert.equal(printed(kubelet), [
    bound('bootstrap', 'system:node-bootstrapper', bootstrappers),
    bound('approve-bootstrap', `${approve}:nodeclient`, bootstrappers),
    bound('approve-renewal', `${approve}:selfnodeclient`, {
      apiGroup: group,
      kind: 'Group',
      name: 'system:nodes',
    }),
  ])
})

test('lets who asks first and the certificate itself ask, an approver approve, and a signer of your own sign', () => {
  const subjects = { approver: 'serviceaccount:pki/approver', signer: 'user:signer' }
  assert.equal(printed(of('example.com/agents'), subjects), [
    requester,
    bound('requester', 'kube-cert-rotation:requester', bootstrappers, agent),
    role(
      'approver:example.com:agents',
      read,
      { resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
      { resources: ['signers'], resourceNames: ['example.com/agents'], verbs: ['approve'] },
    ),
    bound('approver:example.com:agents', 'kube-cert-rotation:approver:example.com:agents', {
      kind: 'ServiceAccount',
      namespace: 'pki',
      name: 'approver',
    }),
    role(
      'signer:example.com:agents',
      read,
      { resources: ['certificatesigningrequests/status'], verbs: ['update'] },
      { resources: ['signers'], resourceNames: ['example.com/agents'], verbs: ['sign'] },
    ),
    bound('signer:example.com:agents', 'kube-cert-rotation:signer:example.com:agents', {
      apiGroup: group,
      kind: 'User',
      name: 'signer',
    }),
  ])
})

test('lets nodes read the ConfigMap of renewal windows, and somebody approve serving certificates', () => {
  const flags = {
    ...flagsOfNode,
    'renewal-window-configmap': 'pki/windows',
    'rotate-server-certificates': 'true',
  }
  const documents = printed(get(serviceFrom(flags)), { approver: 'serviceaccount:pki/approver' })
  const metadata = { name: 'kube-cert-rotation:windows', namespace: 'pki' }
  const approver = 'approver:kubernetes.io:kubelet-serving'
  assert.equal(documents.slice(3), [
    role(
      approver,
      read,
      { resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
      { resources: ['signers'], resourceNames: ['kubernetes.io/kubelet-serving'], verbs: ['approve'] },
    ),
    bound(approver, `kube-cert-rotation:${approver}`, {
      kind: 'ServiceAccount',
      namespace: 'pki',
      name: 'approver',
    }),
    {
      ...api,
      kind: 'Role',
      metadata,
      rules: [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['windows'], verbs: ['get', 'watch'] },
      ],
    },
    {
      ...api,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: metadata.name },
      subjects: [{ apiGroup: group, kind: 'Group', name: 'system:nodes' }],
    },
  ])
})

test('has no role for signing where the controller manager signs, and binds nobody who is not named', () => {
  const names = printed(of('kubernetes.io/kube-apiserver-client')).map((document) =>
    JSON.stringify(document).replace(/.*"metadata":\{"name":"([^"]*)".*/, '$1'),
  )
  assert.equal(names, [
    'kube-cert-rotation:requester',
    'kube-cert-rotation:requester',
    'kube-cert-rotation:approver:kubernetes.io:kube-apiserver-client',
  ])
})

test('lets nobody ask with a certificate that is not for asking', () => {
  const [, binding] = printed(of('example.com/agents', 'external'), { requester: 'group:agents' })
  assert.equal(
    binding,
    bound('requester', 'kube-cert-rotation:requester', { apiGroup: group, kind: 'Group', name: 'agents' }),
  )
})

for (const text of [
  'bootstrappers',
  'user:',
  'serviceaccount:x',
  'serviceaccount:a/b/c',
  'serviceaccount:/b',
])
  test(`does not know who ${text} is`, () => {
    const refused = readSubjects({ approver: text })
    assert.match(E.isLeft(refused) ? refused.left.message : '', `--approver=${text} is nobody`)
  })
