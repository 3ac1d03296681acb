/** From a method and a path to what is to be done there, and what that is called when somebody asks for permission. */
import type { Attributes, Binding, Subresource } from '../../src/control-plane/index.js'
import type { Instant } from '../../src/model/time.js'
import { type Endpoint, failed, ok, type Reply } from './call.js'
import { document } from './discovery.js'
import type { Nodes } from './nodes.js'
import type { Requests } from './requests.js'
import { canI, whoami } from './reviews.js'
import * as status from './status.js'

const certificates = 'certificates.k8s.io'
const requestsResource = 'certificatesigningrequests'

/** The verb that a method stands for (apiserver/pkg/endpoints/request/requestinfo.go). */
const verbOf = (method: string, name: string, query: URLSearchParams): string => {
  const watching = ['1', 'true'].includes(query.get('watch') ?? '')
  if (method === 'GET' || method === 'HEAD') return watching ? 'watch' : name === '' ? 'list' : 'get'
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete'
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method.toLowerCase()
}

/** A path of the API taken apart; undefined when it is none of a resource. */
const resourceOf = (path: string) => {
  const [, prefix, ...rest] = path.split('/')
  if (prefix === 'apis' && rest.length >= 3 && rest.length <= 5 && rest[1] === 'v1') {
    const [group = '', , resource = '', name = '', subresource = ''] = rest
    return { group, resource, name, subresource }
  }
  if (prefix === 'api' && (rest.length === 2 || rest.length === 3) && rest[0] === 'v1') {
    const [, resource = '', name = ''] = rest
    return { group: '', resource, name, subresource: '' }
  }
  return undefined
}

const isSubresource = (name: string): name is Subresource => name === 'approval' || name === 'status'

const answer = (reply: Reply) => (): Reply => reply

export interface Routes {
  readonly requests: Requests
  readonly nodes: Nodes
  readonly bindings: ReadonlyArray<Binding>
  readonly now: () => Instant
}

/** What is at a method and a path; every path has an endpoint, if only one that knows nothing. */
export const route =
  ({ requests, nodes, bindings, now }: Routes) =>
  (method: string, path: string, query: URLSearchParams): Endpoint => {
    const place = resourceOf(path)
    if (place === undefined) {
      const found = document(path)
      const attributes: Attributes = {
        _tag: 'Path',
        verb: method === 'HEAD' ? 'get' : method.toLowerCase(),
        path,
      }
      const reply =
        found === undefined
          ? failed(status.unknownResource)
          : method === 'GET' || method === 'HEAD'
            ? found
            : failed(status.methodNotAllowed)
      return { attributes, name: '', serve: answer(reply) }
    }
    const { group, resource, name, subresource } = place
    const verb = verbOf(method, name, query)
    const attributes: Attributes = { _tag: 'Resource', verb, group, resource, subresource }
    const serve = (): Endpoint['serve'] => {
      const which = `${group}/${resource}`
      if (which === `${certificates}/${requestsResource}`)
        return serveRequests(requests, verb, name, subresource)
      if (which === 'authentication.k8s.io/selfsubjectreviews' && name === '')
        return verb === 'create' ? whoami(now) : answer(failed(status.methodNotAllowed))
      if (which === 'authorization.k8s.io/selfsubjectaccessreviews' && name === '')
        return verb === 'create' ? canI(bindings) : answer(failed(status.methodNotAllowed))
      if (which === '/nodes' && verb === 'get') return () => nodes.get(name)
      if (which === '/nodes' && verb === 'list') return nodes.list
      if (which === '/nodes' && verb === 'watch') return nodes.watch
      if (which === '/events' && verb === 'list')
        return answer(
          ok({ kind: 'EventList', apiVersion: 'v1', metadata: { resourceVersion: '' }, items: [] }),
        )
      return answer(failed(status.unknownResource))
    }
    return { attributes, name, serve: serve() }
  }

const serveRequests = (
  requests: Requests,
  verb: string,
  name: string,
  subresource: string,
): Endpoint['serve'] => {
  if (name === '') {
    if (verb === 'create') return requests.create
    if (verb === 'list') return requests.list
    if (verb === 'watch') return requests.watch
    return answer(failed(status.methodNotAllowed))
  }
  if (subresource !== '' && !isSubresource(subresource)) return answer(failed(status.unknownResource))
  const part = isSubresource(subresource) ? subresource : undefined
  if (verb === 'get') return (call) => requests.get(call, name)
  if (verb === 'update') return (call) => requests.update(call, name, part)
  if (verb === 'patch') return (call) => requests.patch(call, name, part)
  if (verb === 'delete' && part === undefined) return (call) => requests.delete(call, name)
  return answer(failed(status.methodNotAllowed))
}
