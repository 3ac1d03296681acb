import { createServer } from 'node:https'
import * as tls from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import { follow, tlsServer, variable } from '../../../adapters/connections/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { credential, credentialSource, newPki } from './pki.js'
import { addressOf } from './server.js'

const test = suite('tls.Server')

const serialOf = (socket: tls.TLSSocket): string =>
  socket.getPeerX509Certificate()?.serialNumber.padStart(4, '0').toLowerCase() ?? ''

const setting = async ({ defer }: TestContext, version: tls.SecureVersion = 'TLSv1.3') => {
  const pki = await newPki()
  const first = await pki.serving()
  const credentials = credentialSource(first)
  const following = follow({ credentials, trust: variable(O.some(pki.ca)) })
  const server = createServer({ requestCert: true, rejectUnauthorized: false }, (_, response) =>
    response.end('ok'),
  )
  const stop = tlsServer(following, server, { minVersion: version, maxVersion: version })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = addressOf(server)
  const connect = (
    session?: Buffer,
  ): Promise<{ readonly socket: tls.TLSSocket; readonly session: Promise<Buffer> }> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port, ca: pki.ca, ...(session ? { session } : {}) })
      const ticket = new Promise<Buffer>((done) => socket.once('session', done))
      socket.once('secureConnect', () => resolve({ socket, session: ticket })).once('error', reject)
      defer(() => socket.destroy())
    })
  defer(async () => {
    stop()
    following.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const renew = async () => {
    const next = await pki.serving()
    credentials.set(O.some(credential(next)))
    return next.serial
  }
  return { pki, following, server, connect, first, renew, stop }
}

test('shows the new certificate to new connections, and lets established ones live on', async (context) => {
  const { connect, first, renew, following } = await setting(context)
  const { socket: before } = await connect()
  assert.is(serialOf(before), first.serial)
  const serial = await renew()
  const { socket: after } = await connect()
  assert.is(serialOf(after), serial)
  let answer = ''
  before.on('data', (chunk: Buffer) => {
    answer += chunk.toString()
  })
  before.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await eventually(
    'the old connection answers',
    () => answer.endsWith('ok\r\n0\r\n\r\n') || answer.includes('ok'),
  )
  await eventually('both are counted', () => following.connectionCounts().length === 2)
  assert.equal(
    following.connectionCounts().map(({ current, connections }) => [current, connections]),
    [
      [true, 1],
      [false, 1],
    ],
  )
  before.destroy()
  await eventually('the old one is gone', () => following.connectionCounts().length === 1)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`takes no session ticket from before the change (${version})`, async (context) => {
    const { connect, renew } = await setting(context, version)
    const { socket, session } = await connect()
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const ticket = await session
    const again = await connect(ticket)
    assert.ok(again.socket.isSessionReused(), 'tickets work at all')
    assert.is(again.socket.getProtocol(), version)
    const serial = await renew()
    const { socket: after } = await connect(ticket)
    assert.not(after.isSessionReused())
    assert.is(serialOf(after), serial)
  })
}

test('keeps what it has once it is stopped', async (context) => {
  const { connect, first, renew, stop } = await setting(context)
  stop()
  await renew()
  assert.is(serialOf((await connect()).socket), first.serial)
})
