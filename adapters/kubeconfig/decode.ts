import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { list, mapping, text } from '../../src/model/codec.js'
import { type ClusterEntry, decodeCluster, decodeUser, type UserEntry } from './entries.js'
import { decodeAt, field, type KubeconfigError, type Place, refuse } from './problem.js'
import { parseYaml } from './yaml.js'

/** The current context of a kubeconfig (`client-go/tools/clientcmd/api/v1/types.go`); the files it names are not read yet. */
export interface Kubeconfig {
  readonly path: string
  readonly cluster: ClusterEntry
  readonly user: UserEntry
}

const Config = t.type({
  kind: text,
  apiVersion: text,
  'current-context': text,
  clusters: list(t.type({ name: text, cluster: mapping })),
  users: list(t.type({ name: text, user: mapping })),
  contexts: list(t.type({ name: text, context: mapping })),
})

const Context = t.type({ cluster: text, user: text })

/**
 * Reads the text of a kubeconfig, YAML or JSON: its current context alone. Pure: `path` is for messages, and for
 * relative paths, which count from its folder. What we do not support is an error that names it, never ignored.
 */
export const decodeKubeconfig = (path: string, text: string): E.Either<KubeconfigError, Kubeconfig> => {
  const root: Place = { file: path, at: '' }
  const document = parseYaml(path, text)
  if (E.isLeft(document)) return document
  if (document.right === null) return refuse(root, 'is empty', 'supply a kubeconfig')
  const config = decodeAt(root, Config, document.right)
  if (E.isLeft(config)) return config
  const { kind, apiVersion, clusters, users, contexts, 'current-context': current } = config.right
  if (kind !== '' && kind !== 'Config')
    return refuse(field(root, 'kind'), 'is not Config', 'supply a kubeconfig, not another kind of object')
  if (apiVersion !== '' && apiVersion !== 'v1')
    return refuse(field(root, 'apiVersion'), 'is not v1', 'write the kubeconfig as v1')
  if (current === '')
    return refuse(field(root, 'current-context'), 'is missing', 'name one of the contexts there')

  const named = entryNamed(field(root, 'current-context'), 'contexts', contexts, current)
  if (E.isLeft(named)) return named
  const contextPlace = field(named.right.place, 'context')
  const context = decodeAt(contextPlace, Context, named.right.entry.context)
  if (E.isLeft(context)) return context

  const clusterEntry = entryNamed(field(contextPlace, 'cluster'), 'clusters', clusters, context.right.cluster)
  if (E.isLeft(clusterEntry)) return clusterEntry
  const cluster = decodeCluster(field(clusterEntry.right.place, 'cluster'), clusterEntry.right.entry.cluster)
  if (E.isLeft(cluster)) return cluster

  const userEntry = entryNamed(field(contextPlace, 'user'), 'users', users, context.right.user)
  if (E.isLeft(userEntry)) return userEntry
  const user = decodeUser(field(userEntry.right.place, 'user'), userEntry.right.entry.user)
  if (E.isLeft(user)) return user

  return E.right({ path, cluster: cluster.right, user: user.right })
}

/** The only entry of that name, and its place. */
const entryNamed = <A extends { readonly name: string }>(
  wantedBy: Place,
  kind: string,
  entries: ReadonlyArray<A>,
  name: string,
): E.Either<KubeconfigError, { readonly place: Place; readonly entry: A }> => {
  if (name === '') return refuse(wantedBy, 'is missing', `name one of the ${kind} there`)
  const matching = [...entries.entries()].filter(([, entry]) => entry.name === name)
  const [first, second] = matching
  if (first === undefined)
    return refuse(
      wantedBy,
      `is ${JSON.stringify(name)}, and no such entry is in ${kind}`,
      `add it to ${kind}`,
    )
  const place = (index: number): Place => ({ file: wantedBy.file, at: `${kind}[${index}]` })
  return second === undefined
    ? E.right({ place: place(first[0]), entry: first[1] })
    : refuse(place(second[0]), `has the same name as ${kind}[${first[0]}]`, 'remove one of the two')
}
