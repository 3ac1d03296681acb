import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { list, mapping, text } from '../../src/model/codec.js'
import { okSync, stepsSync } from '../../src/steps.js'
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

/** The text of a kubeconfig, and where it is from: for messages, and for relative paths, which count from its folder. */
export interface KubeconfigFile {
  readonly path: string
  readonly text: string
}

/** One file of the list, with its place. */
interface Part {
  readonly root: Place
  readonly config: t.TypeOf<typeof Config>
}

/** Reads the text of one kubeconfig: see `decodeKubeconfigs`. */
export const decodeKubeconfig = (path: string, text: string): E.Either<KubeconfigError, Kubeconfig> =>
  decodeKubeconfigs([{ path, text }])

/**
 * Reads kubeconfigs, YAML or JSON, that are one together: its current context alone. Of several things of one name, and
 * of several current contexts, the first file's counts, as in client-go. Pure. What we do not support is an error that
 * names it, never ignored.
 */
export const decodeKubeconfigs = (
  files: ReadonlyArray<KubeconfigFile>,
): E.Either<KubeconfigError, Kubeconfig> =>
  stepsSync(function* () {
    const path = files.map((file) => file.path).join(':')
    const parts = yield* okSync(E.traverseArray(decodePart)(files))
    const first = parts.find(({ config }) => config['current-context'] !== '')
    if (first === undefined)
      return yield* okSync(
        refuse(
          field({ file: path, at: '' }, 'current-context'),
          'is missing',
          'name one of the contexts there',
        ),
      )

    const current = field(first.root, 'current-context')
    const named = yield* okSync(entryNamed(current, 'contexts', parts, first.config['current-context']))
    const contextPlace = field(named.place, 'context')
    const context = yield* okSync(decodeAt(contextPlace, Context, named.entry.context))

    const clusterEntry = yield* okSync(
      entryNamed(field(contextPlace, 'cluster'), 'clusters', parts, context.cluster),
    )
    const cluster = yield* okSync(
      decodeCluster(field(clusterEntry.place, 'cluster'), clusterEntry.entry.cluster),
    )

    const userEntry = yield* okSync(entryNamed(field(contextPlace, 'user'), 'users', parts, context.user))
    const user = yield* okSync(decodeUser(field(userEntry.place, 'user'), userEntry.entry.user))

    return { path, cluster, user }
  })

const decodePart = ({ path, text: content }: KubeconfigFile): E.Either<KubeconfigError, Part> =>
  stepsSync(function* () {
    const root: Place = { file: path, at: '' }
    const document = yield* okSync(parseYaml(path, content))
    if (document === null) return yield* okSync(refuse(root, 'is empty', 'supply a kubeconfig'))
    const config = yield* okSync(decodeAt(root, Config, document))
    const { kind, apiVersion } = config
    if (kind !== '' && kind !== 'Config')
      return yield* okSync(
        refuse(field(root, 'kind'), 'is not Config', 'supply a kubeconfig, not another kind of object'),
      )
    if (apiVersion !== '' && apiVersion !== 'v1')
      return yield* okSync(refuse(field(root, 'apiVersion'), 'is not v1', 'write the kubeconfig as v1'))
    return { root, config }
  })

/** The entry of that name in the first file that has one, and its place; a file has only one. */
const entryNamed = <Kind extends 'contexts' | 'clusters' | 'users'>(
  wantedBy: Place,
  kind: Kind,
  parts: ReadonlyArray<Part>,
  name: string,
): E.Either<KubeconfigError, { readonly place: Place; readonly entry: Part['config'][Kind][number] }> => {
  if (name === '') return refuse(wantedBy, 'is missing', `name one of the ${kind} there`)
  for (const { root, config } of parts) {
    const entries: ReadonlyArray<Part['config'][Kind][number]> = config[kind]
    const [first, second] = [...entries.entries()].filter(([, entry]) => entry.name === name)
    if (first === undefined) continue
    const place = (index: number): Place => ({ file: root.file, at: `${kind}[${index}]` })
    return second === undefined
      ? E.right({ place: place(first[0]), entry: first[1] })
      : refuse(place(second[0]), `has the same name as ${kind}[${first[0]}]`, 'remove one of the two')
  }
  return refuse(wantedBy, `is ${JSON.stringify(name)}, and no such entry is in ${kind}`, `add it to ${kind}`)
}
