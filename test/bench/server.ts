/** The server of the connections benchmark, in a thread of its own, as it would be on another machine. */
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { framed } from '../adapters/connections/framed.js'
import type { Pki } from '../adapters/connections/pki.js'
import { type RecorderOptions, recorder } from '../adapters/connections/server.js'

export interface BenchServer {
  readonly url: string
  /** Serial numbers of the certificates that open connections carry. */
  readonly open: () => Promise<ReadonlyArray<string>>
  readonly close: () => Promise<unknown>
}

type Kind = 'http' | 'grpc'
type Setup = Pick<Pki, 'ca' | 'server'> & { readonly kind: Kind }

export const startServer = async ({ ca, server }: Pki, kind: Kind): Promise<BenchServer> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { ca, server, kind } })
  const answer = <A>() => new Promise<A>((resolve) => worker.once('message', resolve))
  const url = await answer<string>()
  return {
    url,
    open: () => {
      worker.postMessage('open')
      return answer()
    },
    close: () => worker.terminate(),
  }
}

/** Text with the type that client-node wants of it. */
const plain: RecorderOptions['respond'] = (_, response, serial) => {
  response.setHeader('content-type', 'text/plain')
  response.end(serial)
  return true
}

if (parentPort !== null) {
  const { kind, ...pki }: Setup = workerData
  const server = await recorder(pki, { respond: kind === 'grpc' ? framed : plain })
  const port = parentPort
  port.on('message', () => {
    port.postMessage(server.connections.filter(({ closed }) => !closed).map(({ serial }) => serial))
  })
  port.postMessage(server.url)
}
