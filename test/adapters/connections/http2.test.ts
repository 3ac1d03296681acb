import { type Http2Client, http2Client } from '../../../adapters/connections/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import {
  battery,
  type Client,
  routeBattery,
  type Stack,
  type Stream,
  settingOf,
  silentProxy,
  statusBattery,
} from './battery.js'
import { newPki } from './pki.js'

const open = (http2: Http2Client, path: string): Promise<Stream> =>
  new Promise((resolve, reject) => {
    const stream = http2.request({ ':path': path })
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    stream.on('error', reject)
    const ended = new Promise<boolean>((done) => {
      stream
        .once('end', () => done(true))
        .once('error', () => done(false))
        .once('close', () => done(false))
    })
    stream.once('response', () => resolve({ text: () => text, ended }))
    stream.once('close', () => reject(new Error('there was no answer')))
  })

const clientOf = (http2: Http2Client): Client => ({
  get: async (path) => {
    const { text, ended } = await open(http2, path)
    if (!(await ended) || text() === '') throw new Error('the answer was cut off')
    return text()
  },
  watch: (path) => open(http2, path),
  close: () => http2.destroy(),
})

const stack: Stack = {
  client: (following, url) => clientOf(http2Client(following, url)),
  multiplexes: true,
}

const test = suite('node:http2')
battery(test, stack)
statusBattery(test, stack)
silentProxy(test, stack)
routeBattery(test, stack)

test('opens a session again after close', async (context) => {
  const clients: Array<Http2Client> = []
  const plain: Stack = {
    client: (following, url) => {
      const http2 = http2Client(following, url)
      clients.push(http2)
      return clientOf(http2)
    },
    multiplexes: true,
  }
  const { client, server } = await settingOf(plain, newPki)(context)
  const answer = client.get('/held/1')
  await eventually('it has arrived', () => server.held.size === 1)
  const closed = clients[0]?.close()
  server.held.get('/held/1')?.end('held')
  await closed
  assert.is(await answer, 'held')
  await eventually('nothing is open', () => server.open() === 0)
  await client.get('/2')
  assert.is(server.connections.length, 2)
})
