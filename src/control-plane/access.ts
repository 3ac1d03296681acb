/**
 * Who may do what: RBAC (plugin/pkg/auth/authorizer/rbac) reduced to the cluster roles that matter to certificate
 * requests, as kubeadm binds them, and the Node authoriser (plugin/pkg/auth/authorizer/node) to what it says of them.
 */

/** Who calls, as the API server has found out (`user.Info`). */
export interface User {
  readonly name: string
  readonly groups: ReadonlyArray<string>
}

/** What somebody wants to do (`authorizer.Attributes`). */
export type Attributes =
  | {
      readonly _tag: 'Resource'
      readonly verb: string
      /** The API group; empty for the core. */
      readonly group: string
      readonly resource: string
      /** Empty for none. */
      readonly subresource: string
    }
  | { readonly _tag: 'Path'; readonly verb: string; readonly path: string }

type Rule =
  | {
      readonly verbs: ReadonlyArray<string>
      readonly group: string
      readonly resources: ReadonlyArray<string>
    }
  /** A path that ends in `*` stands for all that begin so. */
  | { readonly verbs: ReadonlyArray<string>; readonly paths: ReadonlyArray<string> }

/** A cluster role bound to a group of users. */
export interface Binding {
  readonly role: string
  readonly subject: string
  readonly rules: 'everything' | ReadonlyArray<Rule>
}

const certificates = 'certificates.k8s.io'
const requests = 'certificatesigningrequests'

const submitAndFollow: Rule = {
  verbs: ['create', 'get', 'list', 'watch'],
  group: certificates,
  resources: [requests],
}

const readNodes: Rule = { verbs: ['get', 'list', 'watch'], group: '', resources: ['nodes'] }

const approvable = (subresource: string): Pick<Binding, 'role' | 'rules'> => ({
  role: `system:${certificates}:${requests}:${subresource}`,
  rules: [{ verbs: ['create'], group: certificates, resources: [`${requests}/${subresource}`] }],
})

const publicPaths = ['/healthz', '/livez', '/readyz', '/version', '/version/']

const discovery: Rule = {
  verbs: ['get'],
  paths: [...publicPaths, '/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'],
}

const reviewOneself: ReadonlyArray<Rule> = [
  {
    verbs: ['create'],
    group: 'authorization.k8s.io',
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], group: 'authentication.k8s.io', resources: ['selfsubjectreviews'] },
]

/** The group of nodes. What it may do is the Node authoriser's word, which also wants a node's name. */
const nodes = 'system:nodes'

/** The default cluster roles as kubeadm binds them (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go). */
export const defaultBindings: ReadonlyArray<Binding> = [
  { role: 'cluster-admin', subject: 'system:masters', rules: 'everything' },
  { role: 'system:node', subject: nodes, rules: [submitAndFollow, readNodes] },
  { ...approvable('selfnodeclient'), subject: nodes },
  { role: 'system:node-bootstrapper', subject: 'system:bootstrappers', rules: [submitAndFollow] },
  { ...approvable('nodeclient'), subject: 'system:bootstrappers' },
  { role: 'system:discovery', subject: 'system:authenticated', rules: [discovery] },
  { role: 'system:basic-user', subject: 'system:authenticated', rules: reviewOneself },
  {
    role: 'system:public-info-viewer',
    subject: 'system:unauthenticated',
    rules: [{ verbs: ['get'], paths: publicPaths }],
  },
]

/** The node that a user is, by name and group (pkg/auth/nodeidentifier/default.go); undefined for everybody else. */
export const nodeNameOf = (user: User): string | undefined =>
  user.groups.includes(nodes) && user.name.startsWith('system:node:') && user.name !== 'system:node:'
    ? user.name.slice('system:node:'.length)
    : undefined

const pathMatches = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern

const matches = (rule: Rule, attributes: Attributes): boolean => {
  if (!rule.verbs.includes(attributes.verb)) return false
  if (attributes._tag === 'Path') {
    return 'paths' in rule && rule.paths.some((pattern) => pathMatches(pattern, attributes.path))
  }
  const { resource, subresource } = attributes
  const name = subresource === '' ? resource : `${resource}/${subresource}`
  return 'resources' in rule && rule.group === attributes.group && rule.resources.includes(name)
}

/** Whether somebody may do something. */
export const permitted = (bindings: ReadonlyArray<Binding>, user: User, attributes: Attributes): boolean =>
  bindings.some(
    ({ role, subject, rules }) =>
      user.groups.includes(subject) &&
      (role !== 'system:node' || nodeNameOf(user) !== undefined) &&
      (rules === 'everything' || rules.some((rule) => matches(rule, attributes))),
  )

/** The refusal in Kubernetes' words (apiserver/pkg/endpoints/handlers/responsewriters/errors.go). */
export const refusal = (user: User, attributes: Attributes): string => {
  const who = `User ${JSON.stringify(user.name)}`
  if (attributes._tag === 'Path') {
    return `${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`
  }
  const { verb, group, resource, subresource } = attributes
  const what = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`)
  return `${who} cannot ${verb} resource ${what} in API group ${JSON.stringify(group)} at the cluster scope`
}
