import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { eventually } from '../helper/index.js'
import type { Cluster } from './cluster.js'
import type { Node } from './node.js'
import { issueFor } from './pki.js'
import type { Story } from './story.js'

const Condition = t.intersection([
  t.type({ type: t.string }),
  t.partial({ reason: t.string, message: t.string }),
])

const CertificateSigningRequest = t.type({
  metadata: t.type({ name: t.string, uid: t.string, creationTimestamp: t.string }),
  spec: t.intersection([
    t.type({ request: t.string, signerName: t.string, usages: t.array(t.string), username: t.string }),
    t.partial({ groups: t.array(t.string) }),
  ]),
  status: t.partial({ conditions: t.array(Condition), certificate: t.string }),
})
/** A request as the API server has it. */
export type CertificateSigningRequest = t.TypeOf<typeof CertificateSigningRequest>

const List = t.type({ items: t.array(CertificateSigningRequest) })

/** A version of certificates.k8s.io. */
export type Version = 'v1' | 'v1beta1'

const collection = (version: Version): string =>
  `/apis/certificates.k8s.io/${version}/certificatesigningrequests`

const ask = async <A>(
  cluster: Cluster,
  codec: t.Decoder<unknown, A>,
  ...[method, path, object]: Parameters<Cluster['admin']>
): Promise<A> => {
  const { status, body } = await cluster.admin(method, path, object)
  const decoded = codec.decode(body)
  if (status === 200 && isRight(decoded)) return decoded.right
  throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(body)}`)
}

/** Reads a request. */
export const readRequest = (
  cluster: Cluster,
  name: string,
  version: Version = 'v1',
): Promise<CertificateSigningRequest> =>
  ask(cluster, CertificateSigningRequest, 'GET', `${collection(version)}/${name}`)

/** All requests that these users have made, in the order of their creation. */
export const requestsOf = async (
  cluster: Cluster,
  users: readonly string[],
): Promise<readonly CertificateSigningRequest[]> =>
  (await ask(cluster, List, 'GET', collection('v1'))).items
    .filter(({ spec }) => users.includes(spec.username))
    .sort((a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp))

const add = async (
  cluster: Cluster,
  name: string,
  version: Version,
  subresource: 'approval' | 'status',
  status: CertificateSigningRequest['status'],
): Promise<void> => {
  const request = await readRequest(cluster, name, version)
  const conditions = [...(request.status.conditions ?? []), ...(status.conditions ?? [])]
  await ask(cluster, CertificateSigningRequest, 'PUT', `${collection(version)}/${name}/${subresource}`, {
    ...request,
    status: { ...request.status, ...status, conditions },
  })
}

const condition = (type: 'Approved' | 'Failed', reason: string, message: string) => ({
  conditions: [{ type, status: 'True', reason, message }],
})

/** Approves a request as `kubectl certificate approve` does, where kubectl cannot. */
export const approve = (cluster: Cluster, name: string, version: Version = 'v1'): Promise<void> =>
  add(cluster, name, version, 'approval', condition('Approved', 'E2E', 'approved by the test'))

/** Says what a signer says that refuses an approved request. */
export const fail = (cluster: Cluster, name: string, reason: string, message: string): Promise<void> =>
  add(cluster, name, 'v1', 'status', condition('Failed', reason, message))

/** Signs an approved request in the place of the controller manager, for a node; `age` and `lifetime` in ms from now. */
export const sign = async (
  cluster: Cluster,
  name: string,
  {
    node,
    age = 1_000,
    lifetime,
    version = 'v1',
  }: {
    readonly node: string
    readonly age?: number
    readonly lifetime: number
    readonly version?: Version
  },
): Promise<void> => {
  const { spec } = await readRequest(cluster, name, version)
  const now = Date.now()
  const certificate = issueFor(cluster.clientAuthority(), Buffer.from(spec.request, 'base64').toString(), {
    commonName: `system:node:${node}`,
    organizations: ['system:nodes'],
    notBefore: now - age,
    notAfter: now + lifetime,
  })
  await add(cluster, name, version, 'status', { certificate: Buffer.from(certificate).toString('base64') })
}

/** Approves and signs the request that a node's agent is about to tell of, while the controller manager does not work. */
export const issueShort = async (
  cluster: Cluster,
  { name }: Node,
  story: Story<{ readonly csr?: string | undefined }>,
  lifetime: number,
  age = 1_000,
): Promise<void> => {
  const request = await story.nextRequest('Submitted')
  await approve(cluster, request)
  await sign(cluster, request, { node: name, lifetime, age })
  await story.next('Installed')
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'

/**
 * Makes a group of bootstrap tokens whose requests wait for a person: they may create requests
 * (`system:node-bootstrapper`), and no role approves them. Answers when the API server acts on it.
 */
export const allowRequests = async (cluster: Cluster, group: string): Promise<void> => {
  await cluster.admin('POST', RBAC, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: group },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  })
  await eventually(`${group} may create requests`, () => mayCreate(cluster, group))
}

/** Takes it back; answers when the API server acts on it. */
export const forbidRequests = async (cluster: Cluster, group: string): Promise<void> => {
  await cluster.admin('DELETE', `${RBAC}/${group}`)
  await eventually(`${group} may not create requests`, async () => !(await mayCreate(cluster, group)))
}

const Review = t.type({ status: t.type({ allowed: t.boolean }) })

const mayCreate = async (cluster: Cluster, group: string): Promise<boolean> => {
  const { body } = await cluster.admin('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'somebody',
      groups: [group],
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
      },
    },
  })
  return Review.is(body) && body.status.allowed
}
