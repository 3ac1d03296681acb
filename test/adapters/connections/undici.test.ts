import type { Duplex } from 'node:stream'
import { type Dispatcher, fetch as undiciFetch, upgrade } from 'undici'
import type { Following } from '../../../adapters/connections/index.js'
import { dispatcher } from '../../../adapters/connections/undici/index.js'
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

const open = async (url: string, via: Dispatcher): Promise<Stream> => {
  const response = await undiciFetch(url, { dispatcher: via })
  let text = ''
  const read = async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
  }
  return {
    text: () => text,
    ended: read().then(
      () => true,
      () => false,
    ),
  }
}

const clientOf = (via: Dispatcher, url: string): Client => ({
  get: async (path) => {
    const { body } = await via.request({ origin: url, path, method: 'GET' })
    return body.text()
  },
  watch: (path) => open(url + path, via),
  close: () => via.destroy(),
})

const stack: Stack = { client: (following, url) => clientOf(dispatcher(following), url) }

const test = suite('undici')
battery(test, stack)
statusBattery(test, stack)
silentProxy(test, stack)

const dispatchers = new WeakMap<Following, Dispatcher>()
routeBattery(test, {
  client: (following, url) => {
    const via = dispatchers.get(following) ?? dispatcher(following)
    dispatchers.set(following, via)
    return clientOf(via, url)
  },
})

test('follows under the fetch that Node has built in', async (context) => {
  const built: Stack = {
    client: (following, url) => {
      const via = dispatcher(following)
      return {
        ...clientOf(via, url),
        get: async (path) => {
          // The types of Node's fetch are those of the undici it has built in, another version.
          const init: object = { dispatcher: via }
          return (await fetch(url + path, init)).text()
        },
      }
    },
  }
  const { client, server, first, renew } = await settingOf(built, newPki)(context)
  assert.is(await client.get('/before'), first.serial)
  const held = client.get('/held/1')
  await eventually('it has arrived', () => server.held.size === 1)
  const serial = await renew()
  assert.is(await client.get('/after'), serial)
  server.held.get('/held/1')?.end('held')
  assert.is(await held, 'held')
  await eventually('the old one is closed', () => server.open() === 1)
})

test('finishes what is in the pipeline of an old connection, and gives what waits a new one', async (context) => {
  const piped: Stack = {
    client: (following, url) => clientOf(dispatcher(following, { connections: 1, pipelining: 3 }), url),
  }
  const { client, server, first, renew } = await settingOf(piped, newPki)(context)
  await client.get('/warm')
  const piping = ['/held/1', '/held/2', '/held/3'].map((path) => client.get(path))
  const waiting = [client.get('/4'), client.get('/5')]
  await eventually('the pipeline has begun', () => server.held.size > 0)
  const serial = await renew()
  for (const path of ['/held/1', '/held/2', '/held/3']) {
    const response = await eventually(`${path} has arrived`, () => server.held.get(path))
    response.end(path)
  }
  assert.equal(await Promise.all(piping), ['/held/1', '/held/2', '/held/3'])
  assert.equal(await Promise.all(waiting), [serial, serial])
  assert.equal(server.serials('/held'), [first.serial, first.serial, first.serial])
  await eventually('the old one is closed', () => server.open() === 1)
})

test('keeps an upgraded connection for the grace period', async (context) => {
  const sockets: Array<Duplex> = []
  const upgrading: Stack = {
    client: (following, url) => {
      const via = dispatcher(following)
      return {
        ...clientOf(via, url),
        get: async (path) => {
          const { socket } = await upgrade(url + path, { dispatcher: via, protocol: 'echo' })
          socket.on('error', () => {})
          sockets.push(socket)
          return 'upgraded'
        },
      }
    },
  }
  const { client, server, following, renew } = await settingOf(upgrading, newPki)(context, { grace: 100 })
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
})

test('closes when what it was asked has been answered, and takes nothing after that', async (context) => {
  const vias: Array<Dispatcher> = []
  const plain: Stack = {
    client: (following, url) => {
      const via = dispatcher(following, { connections: 1 })
      vias.push(via)
      return clientOf(via, url)
    },
  }
  const { client, server } = await settingOf(plain, newPki)(context)
  const [via] = vias
  assert.ok(via)
  const answers = [client.get('/1'), client.get('/2'), client.get('/3')]
  await via.close()
  assert.is((await Promise.all(answers)).length, 3)
  await eventually('nothing is open', () => server.open() === 0)
  await client.get('/4').then(
    () => assert.unreachable('it is closed'),
    (error: Error) => assert.is(error.name, 'ClientDestroyedError'),
  )
})

test('fails what waits when it is destroyed', async (context) => {
  const vias: Array<Dispatcher> = []
  const plain: Stack = {
    client: (following, url) => {
      const via = dispatcher(following, { connections: 1 })
      vias.push(via)
      return clientOf(via, url)
    },
  }
  const { client, server } = await settingOf(plain, newPki)(context)
  const outcomes = Promise.allSettled([client.get('/held/1'), client.get('/held/2')])
  await eventually('the first has arrived', () => server.held.size === 1)
  await vias[0]?.destroy(new Error('enough'))
  assert.equal(
    (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.name),
    ['Error', 'ClientDestroyedError'],
  )
})
