import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of a connection: `upstream` opens the one to the server behind the proxy. */
export type TcpFault = (client: Socket, upstream: () => Socket) => void

export interface TcpProxy {
  readonly port: number
  /** From now on, also for the connections there are; none: passed through. */
  readonly set: (fault: TcpFault | 'refused' | undefined) => Promise<void>
  readonly stop: () => Promise<void>
}

const through: TcpFault = (client, upstream) => {
  client.pipe(upstream()).pipe(client)
}

/** Lets bytes pass to a server on loopback, and breaks connections as it is told. TLS goes through untouched. */
export const tcpProxy = async (target: number): Promise<TcpProxy> => {
  let fault: TcpFault = through
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    keep(client)
    fault(client, () => {
      const upstream = keep(connect(target, '127.0.0.1'))
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
      return upstream
    })
  })
  const port = await listen(server, 0)
  return {
    port,
    set: async (next) => {
      if (next === 'refused') await close(server)
      else if (!server.listening) await listen(server, port)
      fault = typeof next === 'function' ? next : through
      cut()
    },
    stop: async () => {
      cut()
      await close(server)
    },
  }
}

/** On loopback; answers the port. */
export const listen = async (server: Server, port: number): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const address: AddressInfo | string | null = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** Ends when the last connection has. */
const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
