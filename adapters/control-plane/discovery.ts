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

const nodes = resource('nodes', 'Node', ['get', 'list', 'watch'], { shortNames: ['no'] })

/**
 * All that `kubectl create` wants to know before it sends an object: that the server checks fields itself. (It does not,
 * but nor does kubectl then.)
 */
const openApi3 = {
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: gitVersion },
  paths: {
    '/apis/certificates.k8s.io/v1/certificatesigningrequests/{name}': {
      patch: {
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': {
          group: 'certificates.k8s.io',
          version: 'v1',
          kind: 'CertificateSigningRequest',
        },
        parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
        responses: {},
      },
    },
  },
}
const openApi3Path = '/openapi/v3/apis/certificates.k8s.io/v1'

/** Older kubectl reads OpenAPI 2 in protobuf: this one says `swagger: "2.0"` and describes nothing to check. */
const openApi2: Reply = {
  _tag: 'Raw',
  contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  value: Buffer.from('\x0a\x032.0', 'latin1'),
}

const documents: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['/version', version],
  ['/version/', version],
  ['/api', { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }],
  ['/api/v1', resourceList('v1', [events, nodes])],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) }],
  ...groups.map(
    (name) => [`/apis/${name}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name) }] as const,
  ),
  ...groups.map((name) => [`/apis/${name}/v1`, resourceList(`${name}/v1`, resources[name])] as const),
  ['/openapi/v3', { paths: { 'apis/certificates.k8s.io/v1': { serverRelativeURL: openApi3Path } } }],
  [openApi3Path, openApi3],
])

const healthPaths = ['/healthz', '/livez', '/readyz']
const health: Reply = { _tag: 'Raw', contentType: 'text/plain; charset=utf-8', value: Buffer.from('ok') }

/** The answer to a GET of a path that is no resource, if there is one. */
export const document = (path: string): Reply | undefined => {
  if (healthPaths.includes(path)) return health
  if (path === '/openapi/v2') return openApi2
  const value = documents.get(path)
  return value === undefined ? undefined : ok(value)
}
