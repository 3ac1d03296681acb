/** A proxy for CONNECT (RFC 9110, 9.3.6). */
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import type { TestContext } from '../helper/index.js'

/** The port of a server on this host that ends with the test, and its connections with it. */
export const listening = async ({ defer }: TestContext, server: Server): Promise<number> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address: AddressInfo | string | null = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** A proxy that records what it was asked to connect to, and refuses what `allow` does. */
export const proxy = async (
  context: TestContext,
  allow: (authorization: string) => boolean = () => true,
  /** The port that it connects to, whatever it is asked for; that port if not given. */
  to?: number,
) => {
  const targets: Array<string> = []
  const server = createHttpServer()
  server.on('connect', (request, client) => {
    targets.push(request.url ?? '')
    if (!allow(request.headers['proxy-authorization'] ?? ''))
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const [host, port] = (request.url ?? '').split(':')
    const upstream = to === undefined ? connect(Number(port), host) : connect(to, '127.0.0.1')
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    return client.pipe(upstream).pipe(client)
  })
  const port = await listening(context, server)
  return { port, targets }
}
