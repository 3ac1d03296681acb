/** A program that watches for as long as it is let: when a watch has ended it goes on from where it was. */
import * as https from 'node:https'
import { createInterface } from 'node:readline'
import * as k8s from '@kubernetes/client-node'
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { kubeConfig } from '../../adapters/connections/client-node.js'
import { type Following, httpsAgent } from '../../adapters/connections/index.js'
import type { TestContext } from '../helper/index.js'
import type { Changes } from './changes.js'
import type { Cluster } from './cluster.js'

/** Watches from a resource version on; ends when the answer is complete, and rejects when it is cut off. */
export type Watch = (path: string, from: string, hear: (resourceVersion: string) => void) => Promise<void>

const Event = t.type({
  type: t.string,
  object: t.type({ metadata: t.type({ resourceVersion: t.string }) }),
})

/** With the agent for `node:https`, and nothing else. */
export const overHttps = ({ url }: Cluster, following: Following): Watch => {
  const agent = httpsAgent(following)
  return (path, from, hear) =>
    new Promise((resolve, reject) => {
      https
        .get(`${url}${path}?watch=true&resourceVersion=${from}`, { agent }, (response) => {
          if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
          createInterface(response)
            // It passes on those of the response.
            .on('error', reject)
            .on('line', (line) => {
              const event = parsed(line)
              if (isRight(event)) hear(event.right.object.metadata.resourceVersion)
            })
            .once('close', () => {
              if (response.complete) resolve()
              else reject(new Error('the answer was cut off'))
            })
        })
        .once('error', reject)
    })
}

/** A line that was cut off is not an event: it comes again. */
const parsed = (line: string) => {
  try {
    return Event.decode(JSON.parse(line))
  } catch {
    return Event.decode(undefined)
  }
}

/** With client-node's own `Watch`. */
export const overClientNode = ({ url, ca }: Cluster, following: Following): Watch => {
  const config = new k8s.KubeConfig()
  const caData = Buffer.from(ca).toString('base64')
  config.loadFromClusterAndUser(
    { name: 'cluster', server: url, caData, skipTLSVerify: false },
    { name: 'user' },
  )
  const watch = new k8s.Watch(kubeConfig(following, config))
  return (path, from, hear) =>
    new Promise((resolve, reject) => {
      const heard = (_: string, object: k8s.KubernetesObject) => hear(object.metadata?.resourceVersion ?? '')
      const done = (error: unknown) => (error === null ? resolve() : reject(error))
      watch.watch(path, { resourceVersion: from }, heard, done).catch(reject)
    })
}

export interface Watching {
  /** The resource versions it was told of, in order. */
  readonly seen: readonly string[]
  readonly errors: readonly unknown[]
  /** When each watch that is over ended, ms since the epoch. */
  readonly ends: readonly number[]
}

export const keepWatching = ({ defer }: TestContext, watch: Watch, { path, from }: Changes): Watching => {
  const [seen, errors, ends] = [[] as string[], [] as unknown[], [] as number[]]
  let going = true
  defer(() => {
    going = false
  })
  void (async () => {
    while (going && errors.length === 0) {
      await watch(path, seen.at(-1) ?? from, (version) => seen.push(version)).catch((error) =>
        errors.push(error),
      )
      ends.push(Date.now())
    }
  })()
  return { seen, errors, ends }
}
