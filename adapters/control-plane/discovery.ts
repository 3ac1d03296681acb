/** What is served here, for clients that ask before they call, as kubectl does. */
import { ok, type Reply } from './call.js'

const groups = ['authentication.k8s.io', 'authorization.k8s.io', 'certificates.k8s.io'] as const

/** The version of Kubernetes whose behaviour this follows. */
export const gitVersion = 'v1.33.0+kube-cert-rotation'

const version = {
  major: '1',
  minor: '33',
  gitVersion,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch}`,
}

const groupOf = (name: string) => {
  const v1 = { groupVersion: `${name}/v1`, version: 'v1' }
  return { name, versions: [v1], preferredVersion: v1 }
}

const resource = (name: string, kind: string, verbs: ReadonlyArray<string>, more = {}) => ({
  name,
  singularName: name.includes('/') ? '' : kind.toLowerCase(),
  namespaced: false,
  kind,
  verbs,
  ...more,
})

const subresource = (name: string) =>
  resource(`certificatesigningrequests/${name}`, 'CertificateSigningRequest', ['get', 'patch', 'update'])

const resources: Readonly<Record<(typeof groups)[number], ReadonlyArray<unknown>>> = {
  'authentication.k8s.io': [resource('selfsubjectreviews', 'SelfSubjectReview', ['create'])],
  'authorization.k8s.io': [resource('selfsubjectaccessreviews', 'SelfSubjectAccessReview', ['create'])],
  'certificates.k8s.io': [
    resource(
      'certificatesigningrequests',
      'CertificateSigningRequest',
      ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
      { shortNames: ['csr'] },
    ),
    subresource('approval'),
    subresource('status'),
  ],
}

const resourceList = (groupVersion: string, list: ReadonlyArray<unknown>) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: list,
})

/** `kubectl describe` lists events; there are none. */
const events = {
  ...resource('events', 'Event', ['list'], { shortNames: ['ev'] }),
  namespaced: true,
}

/**
 * A schema that accepts every field, which is what `kubectl create` needs to know before it sends an object; the server
 * validates it anyway.
 */
const schema = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  'x-kubernetes-group-version-kind': [
    { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
  ],
}
const schemaName = 'io.k8s.api.certificates.v1.CertificateSigningRequest'
const info = { title: 'Kubernetes', version: gitVersion }

const documents: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['/version', version],
  ['/version/', version],
  ['/api', { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }],
  ['/api/v1', resourceList('v1', [events])],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) }],
  ...groups.map(
    (name) => [`/apis/${name}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name) }] as const,
  ),
  ...groups.map((name) => [`/apis/${name}/v1`, resourceList(`${name}/v1`, resources[name])] as const),
  ['/openapi/v2', { swagger: '2.0', info, paths: {}, definitions: { [schemaName]: schema } }],
  [
    '/openapi/v3',
    {
      paths: {
        'apis/certificates.k8s.io/v1': { serverRelativeURL: '/openapi/v3/apis/certificates.k8s.io/v1' },
      },
    },
  ],
  [
    '/openapi/v3/apis/certificates.k8s.io/v1',
    { openapi: '3.0.0', info, paths: {}, components: { schemas: { [schemaName]: schema } } },
  ],
])

const healthPaths = ['/healthz', '/livez', '/readyz']

/** The answer to a GET of a path that is no resource, if there is one. */
export const document = (path: string): Reply | undefined => {
  if (healthPaths.includes(path)) return { _tag: 'Text', value: 'ok' }
  const value = documents.get(path)
  return value === undefined ? undefined : ok(value)
}
