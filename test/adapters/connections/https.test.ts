import type { IncomingMessage } from 'node:http'
import * as https from 'node:https'
import type { Duplex } from 'node:stream'
import { type Following, httpsAgent } from '../../../adapters/connections/index.js'
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

const open = (url: string, agent: https.Agent): Promise<Stream> =>
  new Promise((resolve, reject) => {
    https
      .get(url, { agent }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        const ended = new Promise<boolean>((done) => {
          response.once('end', () => done(true)).once('error', () => done(false))
        })
        resolve({ text: () => text, ended })
      })
      .on('error', reject)
  })

const clientOf = (agent: https.Agent, url: string): Client => ({
  get: async (path) => {
    const { text, ended } = await open(url + path, agent)
    if (!(await ended)) throw new Error('the answer was cut off')
    return text()
  },
  watch: (path) => open(url + path, agent),
  close: () => agent.destroy(),
})

const stack: Stack = { client: (following, url) => clientOf(httpsAgent(following), url) }

const test = suite('node:https')
battery(test, stack)
statusBattery(test, stack)
silentProxy(test, stack)

const agents = new WeakMap<Following, https.Agent>()
routeBattery(test, {
  client: (following, url) => {
    const agent = agents.get(following) ?? httpsAgent(following)
    agents.set(following, agent)
    return clientOf(agent, url)
  },
})

test('gives requests that wait for a connection a new one after the change', async (context) => {
  const limited: Stack = {
    client: (following, url) => clientOf(httpsAgent(following, { maxSockets: 1 }), url),
  }
  const { server, client, renew } = await settingOf(limited, newPki)(context)
  const first = client.get('/held/first')
  const waiting = [client.get('/1'), client.get('/2'), client.get('/3')]
  await eventually('the first has arrived', () => server.held.has('/held/first'))
  const serial = await renew()
  assert.equal(await Promise.all(waiting), [serial, serial, serial])
  server.held.get('/held/first')?.end('done')
  assert.is(await first, 'done')
  await eventually('the old connection is closed', () => server.open() === 1)
})

test('keeps an upgraded connection for the grace period', async (context) => {
  const sockets: Array<Duplex> = []
  const upgrading: Stack = {
    client: (following, url) => {
      const agent = httpsAgent(following)
      const headers = { connection: 'Upgrade', upgrade: 'echo' }
      return {
        ...clientOf(agent, url),
        get: (path) =>
          new Promise((resolve, reject) => {
            https
              .get(url + path, { agent, headers })
              .on('error', reject)
              .on('upgrade', (_, socket) => {
                sockets.push(socket)
                socket.on('error', () => {})
                resolve('upgraded')
              })
          }),
      }
    },
  }
  const { server, following, client, renew } = await settingOf(upgrading, newPki)(context, { grace: 100 })
  await client.get('/exec')
  await renew()
  const [socket] = sockets
  assert.ok(socket)
  let echo = ''
  socket.on('data', (chunk: Buffer) => {
    echo += chunk.toString()
  })
  socket.write('still here')
  await eventually('the echo is there', () => echo === 'still here')
  assert.is(following.connectionCounts().length, 2)
  await eventually('it is closed', () => server.open() === 0)
  assert.is(following.connectionCounts().length, 1)
})

test('tells a stream of the change, so that it reconnects by itself', async (context) => {
  const agents: Array<https.Agent> = []
  const plain: Stack = {
    client: (following, url) => {
      const agent = httpsAgent(following)
      agents.push(agent)
      return clientOf(agent, url)
    },
  }
  const { server, following, first, renew } = await settingOf(plain, newPki)(context)
  const [agent] = agents
  assert.ok(agent)
  const watch = () =>
    new Promise<IncomingMessage>((resolve) => {
      https.get(`${server.url}/pods?watch=true`, { agent, signal: following.current().superseded }, resolve)
    })
  const before = await watch()
  const over = new Promise((resolve) => before.once('error', resolve))
  const serial = await renew()
  await over
  const second = await watch()
  second.on('error', () => {})
  assert.equal(server.serials('/pods'), [first.serial, serial])
})
