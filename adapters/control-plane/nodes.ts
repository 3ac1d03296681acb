/** `nodes`: the declared ones as Node objects, to read and to watch. Their addresses are what a kubelet would have reported. */
import { randomUUID } from 'node:crypto'
import * as O from 'fp-ts/lib/Option.js'
import type { DeclaredNode } from '../../src/control-plane/index.js'
import { canonicalAddress } from '../../src/model/address.js'
import { type Instant, rfc3339, second, wholeSecond } from '../../src/model/time.js'
import { type Call, failed, ok, type Reply } from './call.js'
import * as status from './status.js'

export interface Nodes {
  readonly current: () => ReadonlyArray<DeclaredNode>
  readonly declare: (nodes: ReadonlyArray<DeclaredNode>) => void
  readonly get: (name: string) => Reply
  readonly list: (call: Call) => Reply
  readonly watch: (call: Call) => Reply
}

/** What is stored of a node. */
interface Stored {
  readonly node: DeclaredNode
  readonly uid: string
  readonly resourceVersion: number
  readonly creationTimestamp: string
}

type Change = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly stored: Stored }

/** The API over the declared nodes. A watch tells the state that it begins with, whatever version it asks from. */
export const nodesApi = (declared: ReadonlyArray<DeclaredNode>, now: () => Instant): Nodes => {
  const stored = new Map<string, Stored>()
  const watchers = new Set<(change: Change) => void>()
  let version = 1

  const declare: Nodes['declare'] = (nodes) => {
    for (const [name, gone] of stored)
      if (!nodes.some((node) => node.name === name)) {
        stored.delete(name)
        announce({ type: 'DELETED', stored: gone })
      }
    for (const node of nodes) {
      const known = stored.get(node.name)
      if (known !== undefined && known.node.addresses.join() === node.addresses.join()) continue
      version += 1
      const fresh = { uid: randomUUID(), creationTimestamp: rfc3339(wholeSecond(now())), ...known }
      const next: Stored = { ...fresh, node, resourceVersion: version }
      stored.set(node.name, next)
      announce({ type: known === undefined ? 'ADDED' : 'MODIFIED', stored: next })
    }
  }
  const announce = (change: Change): void => {
    for (const watcher of [...watchers]) watcher(change)
  }
  declare(declared)

  const chosen = ({ query }: Call): ((one: Stored) => boolean) => {
    const name = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1]
    return ({ node }) => name === undefined || node.name === name
  }

  return {
    current: () => [...stored.values()].map(({ node }) => node),
    declare,
    get: (name) => {
      const found = stored.get(name)
      return found === undefined ? failed(status.notFoundOther('nodes', name)) : ok(rendered(found))
    },
    list: (call) =>
      ok({
        kind: 'NodeList',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(version) },
        items: [...stored.values()].filter(chosen(call)).map(rendered),
      }),
    watch: (call) => ({
      _tag: 'Stream',
      stream: (send, end) => {
        const isChosen = chosen(call)
        const tell = (change: Change): void => {
          if (isChosen(change.stored)) send({ type: change.type, object: rendered(change.stored) })
        }
        for (const one of stored.values()) tell({ type: 'ADDED', stored: one })
        watchers.add(tell)
        const timeout = Number(call.query.get('timeoutSeconds') ?? 1_800) * second
        const ending = setTimeout(end, timeout)
        return () => {
          clearTimeout(ending)
          watchers.delete(tell)
        }
      },
    }),
  }
}

const rendered = ({ node, uid, resourceVersion, creationTimestamp }: Stored) => ({
  kind: 'Node',
  apiVersion: 'v1',
  metadata: { name: node.name, uid, resourceVersion: String(resourceVersion), creationTimestamp },
  spec: {},
  status: {
    addresses: [...node.addresses.flatMap(addressOf), { type: 'Hostname', address: node.name }],
  },
})

/** Ranges and domains are what a certificate may be for, and no addresses. */
const addressOf = (declared: string) => {
  if (declared.includes('/') || declared.startsWith('.')) return []
  return [{ type: O.isSome(canonicalAddress(declared)) ? 'InternalIP' : 'InternalDNS', address: declared }]
}
