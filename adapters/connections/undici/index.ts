/** A dispatcher for undici 7 and 8, and with undici 7 for the `fetch` that Node has built in. */
import { type buildConnector, Client, Dispatcher } from 'undici'
import type { Following } from '../follow.js'
import {
  type ContextOf,
  contextsWith,
  demandFollowing,
  refuseMisspelt,
  refuseOfClient,
  refuseOfRequest,
  settings,
} from '../options.js'
import { type Connection, openConnection } from './connection.js'

export interface DispatcherOptions
  extends Omit<Client.Options, 'connect' | 'tls' | 'socketPath' | 'allowH2'> {
  /** The most connections to one origin, those that are being retired not counted; no limit if not given. */
  readonly connections?: number
  /** Of TLS, what is not certificate, key or trust: `servername`, `rejectUnauthorized`, `timeout`, … */
  readonly connect?: buildConnector.BuildOptions
}

/** What may be misspelt. */
const known = [
  'connections',
  'connect',
  'connectTimeout',
  'pipelining',
  'headersTimeout',
  'bodyTimeout',
  'keepAliveTimeout',
  'keepAliveMaxTimeout',
  'keepAliveTimeoutThreshold',
  'maxHeaderSize',
  'maxResponseSize',
] as const satisfies ReadonlyArray<keyof DispatcherOptions>
const knownOfConnect = [
  'servername',
  'rejectUnauthorized',
  'checkServerIdentity',
  'timeout',
  'keepAliveInitialDelay',
  ...settings,
]

/**
 * A dispatcher whose connections follow a credential: `fetch(url, { dispatcher })`, `setGlobalDispatcher`. HTTP/1.1.
 * Throws for options that would have no effect (certificate, key and CAs above all) or are misspelt.
 */
export const dispatcher = (following: Following, options: DispatcherOptions = {}): Dispatcher => {
  demandFollowing('dispatcher', following)
  const { connect = {}, ...others } = options
  refuseOfRequest('dispatcher', others, 'dispatcher(following, { connect: { … } })')
  refuseMisspelt('dispatcher', others, known)
  refuseOfClient('connect of dispatcher', connect)
  refuseMisspelt('connect of dispatcher', connect, knownOfConnect)
  return new FollowingDispatcher(following, options, contextsWith('connect of dispatcher', connect))
}

type Waiting = Parameters<Dispatcher['dispatch']>

interface Origin {
  readonly connections: Set<Connection>
  readonly waiting: Array<Waiting>
}

/** undici wants a class. Its own pools are none to us: their queues are bound to the connections they have. */
class FollowingDispatcher extends Dispatcher {
  readonly #following: Following
  readonly #options: DispatcherOptions
  readonly #contextOf: ContextOf
  readonly #origins = new Map<string, Origin>()
  readonly #whenQuiet = new Set<() => void>()
  #closed = false

  constructor(following: Following, options: DispatcherOptions, contextOf: ContextOf) {
    super()
    this.#following = following
    this.#options = options
    this.#contextOf = contextOf
  }

  override dispatch(...request: Waiting): boolean {
    const name = String(request[0].origin)
    if (this.#closed) return refuse(name, request)
    let origin = this.#origins.get(name)
    if (origin === undefined) {
      origin = { connections: new Set(), waiting: [] }
      this.#origins.set(name, origin)
    }
    origin.waiting.push(request)
    this.#serve(name, origin)
    return origin.waiting.length === 0
  }

  override close(callback?: () => void): Promise<void> {
    this.#closed = true
    return this.#end(async () => {
      await new Promise<void>((resolve) => {
        this.#whenQuiet.add(resolve)
        this.#quiet()
      })
      await Promise.all(this.#connections().map((connection) => connection.close()))
    }, callback)
  }

  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> {
    this.#closed = true
    const reason = typeof error === 'function' || error === undefined ? null : error
    return this.#end(
      async () => {
        for (const [name, { waiting }] of this.#origins)
          for (const request of waiting.splice(0)) refuse(name, request)
        await Promise.all(this.#connections().map((connection) => connection.destroy(reason)))
        this.#quiet()
      },
      typeof error === 'function' ? error : callback,
    )
  }

  /** Gives waiting requests to the connections there are, and to new ones as far as they are allowed. */
  #serve(name: string, origin: Origin): void {
    const wereWaiting = origin.waiting.length
    while (origin.waiting.length > 0) {
      const connection = this.#free(origin) ?? this.#open(name, origin)
      if (connection === undefined) return
      const request = origin.waiting.shift()
      if (request !== undefined) connection.dispatch(...request)
    }
    if (wereWaiting > 1) this.emit('drain', new URL(name))
    this.#quiet()
  }

  #free({ connections }: Origin): Connection | undefined {
    const { pipelining = 1 } = this.#options
    const current = this.#following.current()
    for (const connection of connections)
      if (connection.generation === current && connection.load() < Math.max(1, pipelining)) return connection
    return undefined
  }

  #open(name: string, origin: Origin): Connection | undefined {
    const { connections = Number.POSITIVE_INFINITY, connect = {}, ...client } = this.#options
    const current = this.#following.current()
    if ([...origin.connections].filter(({ generation }) => generation === current).length >= connections)
      return undefined
    const connection = openConnection(
      name,
      this.#following,
      { client, connect, contextOf: this.#contextOf },
      {
        onFree: () => this.#serve(name, origin),
        onGone: (gone) => {
          origin.connections.delete(gone)
          void gone.destroy(null)
          this.#serve(name, origin)
        },
      },
    )
    origin.connections.add(connection)
    return connection
  }

  #connections(): ReadonlyArray<Connection> {
    return [...this.#origins.values()].flatMap(({ connections }) => [...connections])
  }

  #quiet(): void {
    if ([...this.#origins.values()].some(({ waiting }) => waiting.length > 0)) return
    for (const resolve of this.#whenQuiet) resolve()
  }

  async #end(work: () => Promise<void>, callback: (() => void) | undefined): Promise<void> {
    await work()
    callback?.()
  }
}

/** Fails a request as undici itself does, whichever of its versions the handler is written for. */
const refuse = (origin: string, request: Waiting): boolean => {
  const client = new Client(origin)
  void client.destroy()
  return client.dispatch(...request)
}
