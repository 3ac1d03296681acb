/** The benchmark's server, a process of its own: what it uses of the processors is not counted as the client's. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { framed } from '../adapters/connections/framed.js'
import { newPki, type Pki } from '../adapters/connections/pki.js'
import { addressOf } from '../adapters/connections/server.js'
import type { Target } from './target.js'

/** Answers each request, in HTTP/1.1, HTTP/2 and gRPC, with the serial number of the certificate that it came with. */
export const fakeTarget = async (): Promise<Target> => {
  const pki = await newPki()
  const server = fork(import.meta.filename, ['--serve'])
  const ask = async (question: unknown): Promise<unknown> => {
    const answer = once(server, 'message')
    server.send(Object(question))
    return (await answer)[0]
  }
  const url = String(await ask({ ca: pki.ca, server: pki.server } satisfies Setup))
  const serials = async () => {
    const open = await ask({})
    return Array.isArray(open) ? open.map(String) : []
  }
  return {
    url,
    ca: pki.ca,
    path: '/',
    grpc: true,
    pair: () => pki.client(),
    openWith: async (its) => (await serials()).filter((serial) => its.has(serial)).length,
    open: async () => (await serials()).length,
    close: () => server.kill(),
  }
}

type Setup = Pick<Pki, 'ca' | 'server'>

const serve = async ({ ca, server: { pem, key } }: Setup): Promise<void> => {
  const serials = new Map<number | undefined, string>()
  const server = createSecureServer({
    allowHTTP1: true,
    ca,
    cert: pem,
    key,
    requestCert: true,
    rejectUnauthorized: true,
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    const { remotePort } = socket
    serials.set(
      remotePort,
      socket.getPeerX509Certificate()?.serialNumber.toLowerCase().padStart(4, '0') ?? '',
    )
    socket.on('error', () => {}).on('close', () => serials.delete(remotePort))
  })
  server.on('sessionError', () => {})
  server.on('request', (request, response) => {
    // By the client's port: what HTTP/2 hands out as a socket is none.
    const serial = serials.get(request.socket.remotePort) ?? ''
    if (request.headers['content-type'] === 'application/grpc') framed(request, response, serial)
    // What client-node wants of a text.
    else response.setHeader('content-type', 'text/plain')
    response.on('error', () => {})
    request.resume()
    response.end(serial)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.on('message', () => process.send?.([...serials.values()]))
  process.send?.(`https://127.0.0.1:${addressOf(server).port}`)
}

if (process.argv[2] === '--serve') {
  process.once('message', serve)
  process.once('disconnect', () => process.exit())
}
