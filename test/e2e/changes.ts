/** An object that changes all the time, and what was written. */

import { setTimeout as sleep } from 'node:timers/promises'
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { TestContext } from '../helper/index.js'
import { ensure } from './api-client.js'
import type { Cluster } from './cluster.js'

/** Whoever is in it may watch config maps; nodes may too. */
export const WATCHERS = 'watchers'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const Written = t.type({ metadata: t.type({ resourceVersion: t.string }) })

export interface Changes {
  /** Lists and watches this. */
  readonly path: string
  /** The resource version that watching begins with. */
  readonly from: string
  /** The resource versions that were written after that, in order. */
  readonly written: readonly string[]
  /** Writes no more; answers when the last one is written. */
  readonly stop: () => Promise<void>
}

/** Lets {@link WATCHERS} and nodes read config maps. */
export const allowWatching = async ({ admin }: Cluster): Promise<void> => {
  const name = 'read-config-maps'
  await ensure(admin, `${RBAC}/clusterroles`, {
    metadata: { name },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }],
  })
  await ensure(admin, `${RBAC}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [WATCHERS, 'system:nodes'].map((group) => ({
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'Group',
      name: group,
    })),
  })
}

/** Changes a config map in a namespace of its own every few ms, until the test ends. */
export const changing = async (
  { admin }: Cluster,
  { defer }: TestContext,
  namespace: string,
): Promise<Changes> => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const name = 'changing'
  const written: string[] = []
  let going = true
  const write = async (...[method, at, object]: Parameters<typeof admin>): Promise<string> => {
    const { status, body } = await admin(method, at, object)
    const decoded = Written.decode(body)
    if (status < 300 && isRight(decoded)) return decoded.right.metadata.resourceVersion
    throw new Error(`${method} ${at} answered ${status}: ${JSON.stringify(body)}`)
  }
  await ensure(admin, '/api/v1/namespaces', { metadata: { name: namespace } })
  const from = await write('POST', path, { metadata: { name } })
  const writing = (async () => {
    for (let count = 0; going; count += 1) {
      written.push(await write('PATCH', `${path}/${name}`, { data: { count: String(count) } }))
      await sleep(5)
    }
  })()
  const stop = async () => {
    going = false
    await writing
  }
  defer(stop)
  return { path, from, written, stop }
}
