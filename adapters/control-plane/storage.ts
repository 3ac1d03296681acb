/**
 * Requests in memory, as etcd and the watch cache keep them: each change has a version of its own, a watch starts after
 * any version that is still remembered, and an update that names a stale one is a conflict.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Content, SigningRequest } from './signing-request.js'

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly request: SigningRequest
  readonly version: number
}

export type Listener = (change: Change) => void

export interface Storage {
  readonly get: (name: string) => SigningRequest | undefined
  /** By name. */
  readonly list: () => ReadonlyArray<SigningRequest>
  /** The version of the last change. */
  readonly version: () => number
  /** Left: the name is taken. */
  readonly create: (content: Content) => E.Either<'AlreadyExists', SigningRequest>
  /** Replaces what is there under the name; the same content again is no change. */
  readonly update: (current: SigningRequest, content: Content) => SigningRequest
  readonly delete: (current: SigningRequest) => void
  /** Tells of every change after a version, at once of those that have happened. Left: they are forgotten. */
  readonly watch: (after: number, listener: Listener) => E.Either<'Expired', () => void>
  /** Forgets all changes so far, as an API server does that starts again. */
  readonly compact: () => void
}

/** How many changes are remembered; a kube-apiserver's watch cache holds 100 at least. */
const remembered = 2_000

/** `start` is the first version: later than all of an earlier run, so that its versions are known to be forgotten. */
export const memoryStorage = (start: number): Storage => {
  const requests = new Map<string, SigningRequest>()
  const listeners = new Set<Listener>()
  let history: Array<Change> = []
  let version = start
  let forgottenUntil = start

  const record = (type: Change['type'], content: Content): SigningRequest => {
    version += 1
    const request: SigningRequest = { ...content, resourceVersion: String(version) }
    const change: Change = { type, request, version }
    history.push(change)
    if (history.length > remembered) forgottenUntil = history.shift()?.version ?? forgottenUntil
    if (type === 'DELETED') requests.delete(content.metadata.name)
    else requests.set(content.metadata.name, request)
    for (const listener of [...listeners]) listener(change)
    return request
  }

  return {
    get: (name) => requests.get(name),
    list: () => [...requests.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
    version: () => version,
    create: (content) =>
      requests.has(content.metadata.name) ? E.left('AlreadyExists') : E.right(record('ADDED', content)),
    update: (current, { metadata, spec, status }) => {
      const content: Content = { metadata, spec, status }
      const before: Content = { metadata: current.metadata, spec: current.spec, status: current.status }
      return JSON.stringify(before) === JSON.stringify(content) ? current : record('MODIFIED', content)
    },
    delete: ({ metadata, spec, status }) => {
      record('DELETED', { metadata, spec, status })
    },
    watch: (after, listener) => {
      if (after < forgottenUntil) return E.left('Expired')
      const tell: Listener = (change) => {
        if (change.version > after) listener(change)
      }
      history.forEach(tell)
      listeners.add(tell)
      return E.right(() => {
        listeners.delete(tell)
      })
    },
    compact: () => {
      history = []
      forgottenUntil = version
    },
  }
}
