import { assert, sample, suite } from '../helper/index.js'
import { survive, type Trouble } from './surviving.js'
import { type TcpFault, tcpProxy } from './tcp-proxy.js'
import { inFull, startWorld, timeouts } from './world.js'

const test = suite('a rotation, while on the way to the API', { together: sample(3, 6) })

/** Lets this many of the server's bytes pass: a TLS 1.3 handshake has about a thousand and a half. */
const afterBytes =
  (count: number, then: (client: Parameters<TcpFault>[0]) => void): TcpFault =>
  (client, upstream) => {
    const server = upstream()
    client.pipe(server)
    let passed = 0
    server.on('data', (chunk: Buffer) => {
      const rest = chunk.subarray(0, Math.max(0, count - passed))
      passed += chunk.length
      if (rest.length > 0) client.write(rest)
      if (passed < count) return
      server.pause()
      then(client)
    })
  }

type Case = readonly [string, TcpFault | 'refused', RegExp]

const faults: ReadonlyArray<Case> = [
  ['connections are refused', 'refused', /failed: the connection was refused;/],
  [
    'connections are reset at once',
    (client) => client.resetAndDestroy(),
    /failed: .*(reset|closed|disconnected)/,
  ],
  ['connections are closed at once', (client) => client.end(), /failed: .*(reset|closed|disconnected)/],
  ['nobody says a word', () => {}, new RegExp(`no connection within ${timeouts.connect} ms`)],
  [
    'connections are reset in the handshake',
    afterBytes(500, (client) => client.resetAndDestroy()),
    /failed: .*(reset|closed|disconnected)/,
  ],
  [
    'connections are closed in the handshake',
    afterBytes(500, (client) => client.destroy()),
    /failed: .*(reset|closed|disconnected)/,
  ],
  [
    'connections are reset in the answer',
    afterBytes(2_400, (client) => client.resetAndDestroy()),
    /failed: .*(reset|closed|cut off|disconnected)/,
  ],
  [
    'somebody speaks HTTP without TLS',
    (client) => client.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
    /failed: (wrong version number|packet length too long) \(ERR_SSL_/,
  ],
  [
    'somebody speaks noise',
    (client) => client.end(Buffer.alloc(2_000, 0xa5)),
    /failed: .*(ERR_SSL_|reset|closed)/,
  ],
  ...inFull<Case>(
    [
      'the handshake stands still',
      afterBytes(500, () => {}),
      new RegExp(`no connection within ${timeouts.connect} ms`),
    ],
    [
      'everything is swallowed after the handshake',
      afterBytes(1_200, () => {}),
      /no (answer|connection) within|the answer stood still|took more than/,
    ],
    [
      'every byte drips',
      (client, upstream) => {
        const server = upstream()
        client.pipe(server)
        server.on('data', (chunk: Buffer) => {
          server.pause()
          client.write(chunk.subarray(0, 1))
          // The rest never comes: a byte now and then is what keeps idle time-outs away.
          const drip = setInterval(() => client.write(chunk.subarray(1, 2)), 50)
          client.on('close', () => clearInterval(drip))
        })
      },
      /no connection within|ERR_SSL_|no answer within/,
    ],
  ),
]

for (const [name, fault, says] of faults)
  test(`${name}, keeps what it has, and goes on`, { deadline: 300_000 }, async (context) => {
    const world = await startWorld(context)
    const proxy = await tcpProxy(world.controlPlane.port)
    context.defer(proxy.stop)
    const place = { server: `https://127.0.0.1:${proxy.port}`, ca: world.controlPlane.authority() }
    const trouble: Trouble = {
      begin: () => proxy.set(fault),
      end: () => proxy.set(undefined),
      reason: 'Unreachable',
      says,
    }
    await survive(context, world, place, trouble)
  })

test('the name of the server cannot be resolved, keeps what it has, and goes on', {
  deadline: 60_000,
}, async (context) => {
  const world = await startWorld(context)
  const ca = world.controlPlane.authority()
  const place = { server: world.controlPlane.url, ca }
  const nowhere = { server: 'https://kubernetes.invalid:6443', ca }
  const agent = await survive(context, world, nowhere, {
    begin: (agent) => agent?.pointTo(nowhere),
    end: (agent) => agent.pointTo(place),
    reason: 'Unreachable',
    says: /the name of the server cannot be resolved/,
  })
  assert.is(agent.rotation.state()._tag, 'Issued')
})
