import { text } from 'node:stream/consumers'
import { follow, http2Client, type Sources } from '../../../../adapters/connections/index.js'
import type { Example } from './example.js'

export const overHttp2 = (sources: Sources, url: string): Example => {
  // README: node:http2
  const client = http2Client(follow(sources), url)
  const ask = () => text(client.request({ ':path': '/' }))
  // end
  return { ask, close: client.destroy }
}
