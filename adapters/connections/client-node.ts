/**
 * `@kubernetes/client-node` 1.x and 2.x, by what both have in common; neither is loaded from here. 2.x sends requests
 * with undici, which is loaded when the first one is sent.
 */
import type { Agent } from 'node:https'
import * as O from 'fp-ts/lib/Option.js'
import { secret } from '../../src/model/secret.js'
import { demand, having, misuse } from '../platform/options.js'
import { fromFiles } from './files.js'
import type { Following } from './follow.js'
import { httpsAgent } from './https.js'
import { demandFollowing } from './options.js'
import { type Route, routeTo } from './route.js'
import { type Source, variable } from './source.js'

/** A cluster in client-node's terms. */
export interface Cluster {
  readonly name: string
  readonly server: string
  /** Base64 of PEM. */
  readonly caData?: string | undefined
  readonly caFile?: string | undefined
  readonly skipTLSVerify?: boolean | undefined
  readonly tlsServerName?: string | undefined
  readonly proxyUrl?: string | undefined
}

/** A user in client-node's terms: all that is left of one is the name. */
export interface User {
  readonly name: string
}

/** What is needed of client-node's `KubeConfig`. */
export interface KubeConfig {
  getCurrentCluster(): Cluster | null
  getCurrentUser(): User | null
  applyToHTTPSOptions(options: object): Promise<void>
  applySecurityAuthentication(context: object): Promise<void>
}

/** The CA of a kubeconfig's current cluster, for `follow`; a file is followed. */
export const trustOf = (config: KubeConfig): Source<O.Option<string>> => {
  const { caData, caFile } = config.getCurrentCluster() ?? {}
  if (caData !== undefined) return variable(O.some(Buffer.from(caData, 'base64').toString('utf8')))
  return caFile === undefined ? variable(O.none) : fromFiles({ ca: caFile }).trust
}

const aKubeConfig = having('a KubeConfig of client-node', 'getCurrentCluster', 'applyToHTTPSOptions')

/**
 * Makes a `KubeConfig` follow a credential: the generated APIs, watches, informers, logs, metrics, and exec, attach and
 * port-forward over WebSocket. It is changed and answered. This concerns the cluster that is current now and no other:
 * a credential goes to its own server, in place of the user's own (token, password, certificate, plugin). A `proxy-url`
 * and a `tls-server-name` of that cluster count; where it has none, those of what is followed.
 */
export const kubeConfig = <K extends KubeConfig>(following: Following, config: K): K => {
  demandFollowing('kubeConfig', following)
  demand('kubeConfig', aKubeConfig, config, 'the second argument')
  const { applyToHTTPSOptions, applySecurityAuthentication, getCurrentUser } = config
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw misuse(
      'kubeConfig: the KubeConfig has no current cluster',
      'load one first: config.loadFromClusterAndUser({ name, server: rotation.server() }, { name })',
    )
  const { server, skipTLSVerify, tlsServerName, proxyUrl } = cluster
  const routed: Following = {
    ...following,
    routeTo: (address) => {
      const followed = following.routeTo(address)
      const own: Route = {
        server,
        tlsServerName: tlsServerName ? O.some(tlsServerName) : (followed?.tlsServerName ?? O.none),
        proxyUrl: proxyUrl ? O.some(secret(proxyUrl)) : (followed?.proxyUrl ?? O.none),
      }
      return routeTo(O.some(own), address) ?? followed
    },
  }
  const tls = skipTLSVerify === true ? { rejectUnauthorized: false } : {}
  /** Whether the cluster that is current now is ours. */
  const isOurs = (): boolean => config.getCurrentCluster()?.server === server
  let agent: Agent | undefined
  const agentOfAll = () => {
    agent ??= httpsAgent(routed, tls)
    return agent
  }
  const dispatcher = once(async () =>
    (await import('./undici/index.js')).dispatcher(routed, {
      connect: { ...tls, keepAliveInitialDelay: 30_000 },
      bodyTimeout: 0,
    }),
  )

  return Object.assign(config, {
    // A valid token beside a certificate that is refused would go unnoticed: the server would take us for its user.
    getCurrentUser: () => {
      const user = getCurrentUser.call(config)
      return user !== null && isOurs() ? { name: user.name } : user
    },
    applyToHTTPSOptions: async (options: object) => {
      await applyToHTTPSOptions.call(config, options)
      if (!isOurs()) return
      for (const name of ['cert', 'key', 'pfx', 'ca']) Reflect.deleteProperty(options, name)
      Reflect.set(options, 'agent', agentOfAll())
    },
    applySecurityAuthentication: async (context: object) => {
      await applySecurityAuthentication.call(config, context)
      if (!isOurs()) return
      if (takesDispatcher(context)) context.setDispatcher(await dispatcher())
      else if (takesAgent(context)) context.setAgent(agentOfAll())
    },
  })
}

const takesDispatcher = (context: object): context is { setDispatcher: (dispatcher: unknown) => void } =>
  'setDispatcher' in context && typeof context.setDispatcher === 'function'

const takesAgent = (context: object): context is { setAgent: (agent: unknown) => void } =>
  'setAgent' in context && typeof context.setAgent === 'function'

const once = <A>(make: () => Promise<A>): (() => Promise<A>) => {
  let made: Promise<A> | undefined
  return () => {
    made ??= make()
    return made
  }
}
