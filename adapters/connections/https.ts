import { errorMonitor } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, type AgentOptions } from 'node:https'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import * as O from 'fp-ts/lib/Option.js'
import { tapBody } from './body-tap.js'
import type { Following } from './follow.js'
import type { Generation } from './generation.js'
import { isWatch } from './long-lived.js'
import {
  contextsWith,
  demandFollowing,
  plainContext,
  refuseMisspelt,
  refuseOfClient,
  refuseOfRequest,
  settings,
} from './options.js'
import { noticeAlert, noticeStatus } from './rejection.js'
import { namedBy } from './route.js'
import { tunnel, tunnelTimeout } from './tunnel.js'

/** What may be misspelt. */
const known = [
  'keepAlive',
  'keepAliveMsecs',
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'scheduling',
  'timeout',
  'servername',
  'rejectUnauthorized',
  'checkServerIdentity',
  'lookup',
  'family',
  'localAddress',
  'ALPNProtocols',
  ...settings,
] as const satisfies ReadonlyArray<keyof AgentOptions>

/**
 * An agent for `https.request` and what builds on it (axios, got, node-fetch, ws). Connections are kept alive unless
 * the options say otherwise; `minVersion`, `maxVersion`, `ciphers`, `crl` and the like count for all of them. What would
 * have no effect in the options of the agent or of a request (certificates, keys and CAs above all), and what is misspelt,
 * is an error, thrown with the `code` `InvalidOptions`.
 */
export const httpsAgent = (following: Following, options: AgentOptions = {}): Agent => {
  demandFollowing('httpsAgent', following)
  refuseOfClient('httpsAgent', options)
  refuseMisspelt('httpsAgent', options, known)
  const contextOf = contextsWith('httpsAgent', options)
  const agent = new Agent({ keepAlive: true, ...options, maxCachedSessions: 0 })
  return followingAgent(following, routed(following, agent), contextOf)
}

/** Makes an agent go to the API server as its cluster says. It is changed and answered. */
const routed = ({ routeTo }: Pick<Following, 'routeTo'>, agent: Agent): Agent => {
  const { createConnection: connect, destroy } = agent
  let closing = new AbortController()
  agent.createConnection = (connection, callback) => {
    const host = connection.host ?? 'localhost'
    const address = { host, port: Number(connection.port ?? 443) }
    const route = routeTo(address)
    const { servername, checkServerIdentity } = connection
    // Node makes it of the host where nobody gave one.
    const isGiven = servername !== undefined && servername !== (isIP(host) === 0 ? host : '')
    const named = {
      ...connection,
      ...(isGiven ? {} : namedBy(route)),
      ...(checkServerIdentity === undefined ? {} : { checkServerIdentity }),
    }
    if (route === undefined || O.isNone(route.proxyUrl)) return connect.call(agent, named, callback)
    tunnel(route.proxyUrl.value, address, tunnelTimeout, closing.signal).then(
      (socket) => {
        const created = connect.call(agent, { ...named, socket }, callback)
        if (created) callback?.(null, created)
      },
      // Node looks at the error alone, its types want a socket as well.
      (error: Error) => callback?.(error, new Socket()),
    )
    return undefined
  }
  agent.destroy = () => {
    // An agent knows nothing of a tunnel before it is there.
    closing.abort()
    closing = new AbortController()
    destroy.call(agent)
  }
  return agent
}

/** Makes the connections of an agent follow, in whichever way it opens them. It is changed and answered. */
export const followingAgent = (
  following: Pick<Following, 'current' | 'longLived'>,
  agent: Agent,
  contextOf = plainContext,
): Agent => {
  const requests = new WeakMap<Duplex, ClientRequest>()
  const responses = new WeakMap<ClientRequest, IncomingMessage>()
  const generations = new WeakMap<Duplex, Generation>()

  /** Enters a connection, and follows Node's agent in what becomes of it. */
  const track = (socket: Duplex, generation: Generation): void => {
    generations.set(socket, generation)
    let retired = false
    let upgraded = false
    const isIdle = () =>
      Object.values(agent.freeSockets).some((sockets) => sockets?.some((free) => free === socket))
    const endStreams = () => {
      const request = requests.get(socket)
      if (!upgraded && (request === undefined || !following.longLived(request))) return
      const response = request === undefined ? undefined : responses.get(request)
      // Complete or not is what tells Node's end of an answer from its error.
      if (request !== undefined && response !== undefined && isWatch(request)) response.complete = true
      socket.destroy()
    }
    const leave = generation.enter({
      retire: () => {
        retired = true
        if (isIdle()) socket.destroy()
        // Out of the pool: requests that wait for a connection get a new one; ours closes when it becomes free.
        else socket.emit('agentRemove')
      },
      endStreams,
      destroy: () => {
        socket.destroy()
      },
    })
    socket
      .on('free', () => {
        if (retired) socket.destroy()
      })
      .on('agentRemove', () => {
        // Node itself takes a connection out of the pool when its request is upgraded.
        upgraded ||= !retired
      })
      .once('close', leave)
      .on(errorMonitor, (error) => noticeAlert(error, generation.rejected))
  }

  const connect = agent.createConnection
  agent.createConnection = (connection, callback) => {
    const generation = following.current()
    const problem = generation.problem()
    if (problem !== undefined) {
      callback?.(problem, new Socket())
      return undefined
    }
    let tracked: Duplex | undefined
    const trackOnce = (socket: Duplex | null | undefined) => {
      if (!socket || socket === tracked) return
      tracked = socket
      track(socket, generation)
    }
    const socket = connect.call(
      agent,
      { ...connection, secureContext: contextOf(generation), session: undefined },
      (error, created) => {
        if (!error) trackOnce(created)
        callback?.(error, created)
      },
    )
    trackOnce(socket)
    return socket
  }

  const addRequest: unknown = Reflect.get(agent, 'addRequest')
  // Not documented, and what every agent on npm overrides; Node has no other place where agent and request meet.
  Reflect.set(agent, 'addRequest', (request: ClientRequest, ...others: ReadonlyArray<unknown>) => {
    const [options] = others
    if (typeof options === 'object' && options !== null) refuseOfRequest('a request', options, 'httpsAgent')
    request.once('socket', (socket: Duplex) => requests.set(socket, request))
    // Before all others, so that those who are left are the ones who listen.
    request.prependOnceListener('response', (response: IncomingMessage) => {
      responses.set(request, response)
      noticeResponse(response, generations.get(response.socket))
      // Node discards an answer that nobody listens for; our listening must not change that.
      if (request.listenerCount('response') === 0) response.resume()
    })
    if (typeof addRequest === 'function') Reflect.apply(addRequest, agent, [request, ...others])
  })
  return agent
}

const noticeResponse = (response: IncomingMessage, generation: Generation | undefined): void => {
  if (generation === undefined) return
  const notice = noticeStatus(response.statusCode ?? 0, generation.rejected)
  if (notice !== undefined) tapBody(response, notice)
}
