import { Client, credentials } from '@grpc/grpc-js'
import { channelOptions } from '../../../../adapters/connections/grpc.js'
import { follow, type Sources } from '../../../../adapters/connections/index.js'
import type { Example } from './example.js'

export const overGrpc = (sources: Sources, url: string): Example => {
  const address = `localhost:${new URL(url).port}`
  // README: @grpc/grpc-js
  const client = new Client(address, credentials.createSsl(), channelOptions(follow(sources)))
  // end
  const ask = () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest('/a.B/C', Buffer.from, String, '', (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      )
    })
  return { ask, close: () => client.close() }
}
