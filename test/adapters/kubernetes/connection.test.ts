import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { secret } from '../../../src/model/secret.js'
import { interruption } from '../../../src/signal.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { listening, proxy } from '../proxy.js'
import {
  apiFor,
  bootstrap,
  ca,
  clusterAt,
  draft,
  fails,
  held,
  never,
  outstanding,
  served,
  setUp,
  succeeds,
  token,
} from './fixture.js'
import { authority } from './pki.js'
import { json, scriptedServer, status } from './scripted-server.js'
import { strictServer } from './strict-server.js'

const test = suite('connections')

const node = (name: string) => ca.sign(`/O=system:nodes/CN=system:node:${name}`)
const [first, second] = [node('first'), node('second')]

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`carries the certificate of the identity on every request, with ${maxVersion}`, async (context) => {
    const server = await scriptedServer(ca.sign('/CN=server', { san: 'IP:127.0.0.1' }), { maxVersion })
    context.defer(server.stop)
    const api = apiFor(context, clusterAt(server.url))
    server.answer((_, response) => json(response, 200, {}))
    for (const identity of [first, first, second, second, first])
      await succeeds(api.probe(held(identity), never))
    await succeeds(api.probe(bootstrap, never))
    assert.equal(
      server.seen.map(({ certificate, connection }) => `${certificate ?? 'none'} on ${connection}`),
      [
        'system:node:first on 1',
        'system:node:first on 1',
        'system:node:second on 2',
        'system:node:second on 2',
        'system:node:first on 3',
        'none on 4',
      ],
    )
    await eventually('the connections of the identities before are closed', () => server.open() === 1)
    assert.is(server.resumed(), 0)
    api.close()
    await eventually('no connection is open', () => server.open() === 0)
  })

test('says how to trust a server that it does not trust', async (context) => {
  const stranger = authority('somebody else')
  const of = async (pair: Parameters<typeof setUp>[2], more = {}, kind = 'Unreachable') => {
    const { server } = await setUp(context, {}, pair)
    server.answer((_, response) => json(response, 200, {}))
    const error = await fails(apiFor(context, clusterAt(server.url, more)).probe(bootstrap, never))
    assert.is(error._tag, kind)
    assert.is(server.seen.length, 0)
    return error.remedy
  }
  const san = 'IP:127.0.0.1'
  const untrusted = (more = {}) => of(stranger.sign('/CN=a', { san }), more, 'ServerUntrusted')
  assert.match(await untrusted(), 'put the CA of this server into certificate-authority of the kubeconfig')
  assert.match(await untrusted({ trustedBy: '/etc/ca.crt' }), 'put the CA of this server into /etc/ca.crt')
  assert.match(await of(ca.sign('/CN=a', { san, days: -1 })), 'renew the certificate of the server')
  assert.match(await of(ca.sign('/CN=a', { san: 'DNS:other' })), 'tls-server-name')
  assert.match(await of(ca.sign('/CN=a', { san }), { tlsServerName: O.some('other') }), 'tls-server-name')
})

test('expects the server name of the kubeconfig', async (context) => {
  const { server } = await setUp(context, {}, ca.sign('/CN=a', { san: 'DNS:kubernetes' }))
  server.answer((_, response) => json(response, 200, {}))
  const cluster = clusterAt(server.url, { tlsServerName: O.some('kubernetes') })
  await succeeds(apiFor(context, cluster).probe(bootstrap, never))
})

test('believes whoever answers only when told to, and warns once', async (context) => {
  const { server } = await setUp(context, {}, authority('somebody else').sign('/CN=a', { san: 'DNS:other' }))
  server.answer((_, response) => json(response, 200, {}))
  const warnings: Array<string> = []
  const cluster = clusterAt(server.url, { certificateAuthority: O.none, insecureSkipTlsVerify: true })
  const api = apiFor(context, cluster, { warn: (message) => warnings.push(message) })
  await succeeds(api.probe(bootstrap, never))
  await succeeds(api.probe(bootstrap, never))
  assert.is(warnings.length, 1)
  assert.match(warnings[0] ?? '', 'insecure-skip-tls-verify')
})

test('takes a TLS alert about our certificate for a rejected credential', async (context) => {
  const stranger = authority('somebody else').sign('/CN=a')
  for (const version of ['tls1_2', 'tls1_3'] as const) {
    const api = apiFor(context, clusterAt(await strictServer(context, ca, version)))
    const error = await fails(api.probe(held(stranger), never))
    assert.is(error._tag, 'CredentialRejected', `${version}: ${error.message}`)
  }
})

test('says that it cannot reach what is not there', async (context) => {
  const closed = createServer()
  const port = await listening(context, closed)
  await new Promise((resolve) => closed.close(resolve))
  const refused = await fails(apiFor(context, clusterAt(`https://127.0.0.1:${port}`)).probe(bootstrap, never))
  assert.is(refused._tag, 'Unreachable')
  assert.match(refused.message, 'the connection was refused')
  const unknown = await fails(apiFor(context, clusterAt('https://nowhere.invalid')).probe(bootstrap, never))
  assert.is(unknown._tag, 'Unreachable')
  assert.match(unknown.message, 'cannot be resolved')
})

test('gives up on a server that is silent, resets, or speaks something else', async (context) => {
  const message = async (behaviour: (socket: Socket) => void) => {
    const port = await listening(context, createServer(behaviour))
    const api = apiFor(context, clusterAt(`https://127.0.0.1:${port}`), { timeouts: { connect: 100 } })
    const error = await fails(api.probe(bootstrap, never))
    assert.is(error._tag, 'Unreachable')
    return error.message
  }
  assert.match(await message(() => {}), 'there was no connection within 100 ms')
  assert.match(await message((socket) => socket.resetAndDestroy()), 'reset')
  assert.match(
    await message((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'wrong version number',
  )
})

test('gives up on an answer that does not come, stands still, drips, or has no end', async (context) => {
  const timeouts = { head: 200, idle: 150, body: 400 }
  const outcomeOf =
    ({ server, api }: Awaited<ReturnType<typeof setUp>>) =>
    async (handler: Parameters<typeof server.answer>[0]) => {
      server.answer(handler)
      const error = await fails(api.probe(bootstrap, never))
      await eventually('the connection is closed', () => server.open() === 0)
      return `${error._tag}: ${error.message}`
    }
  const outcome = outcomeOf(await setUp(context, { timeouts }))
  assert.match(await outcome(() => {}), /^Unreachable: .*no answer within 200 ms/)
  const head = { 'content-type': 'application/json' }
  assert.match(
    await outcome((_, response) => response.writeHead(200, head).write('{')),
    /^Unreachable: .*stood still for 150 ms/,
  )
  const drip = await outcome((_, response) => {
    response.writeHead(200, head)
    const timer = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(timer))
  })
  assert.match(drip, /^Unreachable: .*more than 400 ms/)
  // With the usual time for a body, in which a busy machine has sent too much too.
  const flood = await outcomeOf(await setUp(context))((_, response) => {
    const chunk = Buffer.alloc(65_536)
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk)) {}
    }
    response.writeHead(200, head).on('drain', pour)
    pour()
  })
  assert.match(flood, /^Unintelligible: .*larger than/)
  const cut = await outcome((_, response) => {
    response.writeHead(200, { ...head, 'content-length': '100' }).write('{')
    setImmediate(() => response.destroy())
  })
  assert.match(cut, /^Unreachable: /)
  const nonsense = await outcome((_, response) => response.socket?.end('nonsense\r\n\r\n'))
  assert.match(nonsense, /^Unintelligible: /)
})

test('ends at once when interrupted: connecting, before the answer, and within it', async (context) => {
  const silent = await listening(context, createServer())
  const { server } = await setUp(context)
  server.answer(({ path }, response) => {
    if (path.startsWith('/begun')) response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  for (const url of [`https://127.0.0.1:${silent}`, server.url, `${server.url}/begun`]) {
    const { signal, interrupt } = interruption()
    const probing = apiFor(context, clusterAt(url)).probe(bootstrap, signal)()
    const before = server.seen.length
    if (url.startsWith(server.url)) await eventually('it has asked', () => server.seen.length > before)
    else await new Promise(setImmediate)
    interrupt()
    assert.equal(await probing, E.left({ _tag: 'Interrupted' }))
  }
  await eventually('no connection is open', () => server.open() === 0)
})

test('says why a certificate and key cannot be used', async (context) => {
  const { server, api } = await setUp(context)
  const mismatched = await fails(api.probe(held({ ...first, key: second.key }), never))
  assert.is(mismatched._tag, 'NoCredential')
  assert.match(mismatched.message, 'another certificate’s')
  const garbage = await fails(api.probe(held({ ...first, key: 'hunter2' }), never))
  assert.is(garbage._tag, 'NoCredential')
  assert.not.match(garbage.message, 'hunter2')
  const { credential } = { credential: undefined, ...held(first) }
  assert.ok(credential)
  const key = { _tag: 'NotUsableHere', reason: 'the key is in a vault' } as const
  const opaque = await fails(api.probe({ _tag: 'Held', credential: { ...credential, key } }, never))
  assert.is(opaque._tag, 'NoCredential')
  assert.match(opaque.message, 'in a vault')
  assert.is(server.seen.length, 0)
  const plain = await fails(apiFor(context, clusterAt('http://127.0.0.1:1')).probe(bootstrap, never))
  assert.match(plain.message, 'no https URL')
})

test('goes through a proxy that sees neither token nor request', async (context) => {
  const { server } = await setUp(context)
  server.answer((_, response) => json(response, 200, {}))
  const basic = `Basic ${Buffer.from('user:hunter2').toString('base64')}`
  const { port, targets } = await proxy(context, (authorization) => authorization === basic)
  const through = (url: string) => apiFor(context, clusterAt(server.url, { proxyUrl: O.some(secret(url)) }))
  const api = through(`http://user:hunter2@127.0.0.1:${port}`)
  await succeeds(api.probe(bootstrap, never))
  await succeeds(api.probe(bootstrap, never))
  assert.equal(targets, [`127.0.0.1:${server.port}`])
  assert.is(server.seen.at(-1)?.authorization, `Bearer ${token}`)

  const refused = await fails(through(`http://user:wrong@127.0.0.1:${port}`).probe(bootstrap, never))
  assert.is(refused._tag, 'Unreachable')
  assert.match(refused.message, `the proxy 127.0.0.1:${port} refused`)
  assert.match(refused.message, '407')
  assert.not.match(refused.message, 'wrong')
})

test('gives up on a proxy that is not there, or silent, and ends at once when interrupted', async (context) => {
  const silent = await listening(context, createServer())
  const cluster = (port: number) =>
    clusterAt('https://127.0.0.1:1', { proxyUrl: O.some(secret(`http://127.0.0.1:${port}`)) })
  const timeouts = { connect: 100 }
  const gone = await fails(apiFor(context, cluster(1), { timeouts }).probe(bootstrap, never))
  assert.match(gone.message, 'the proxy 127.0.0.1:1 cannot be used: the connection was refused')
  assert.match(gone.remedy, 'proxy-url in the kubeconfig, or HTTPS_PROXY')
  const late = await fails(apiFor(context, cluster(silent), { timeouts }).probe(bootstrap, never))
  assert.match(late.message, 'did not answer in time')
  const { signal, interrupt } = interruption()
  const probing = apiFor(context, cluster(silent)).probe(bootstrap, signal)()
  await new Promise(setImmediate)
  interrupt()
  assert.equal(await probing, E.left({ _tag: 'Interrupted' }))
})

test('takes the TLS alert of a proxy for a trouble on the way', async (context) => {
  const server = createServer((socket) =>
    // A fatal alert, access_denied (RFC 8446, 6), to whatever the client says first.
    socket.once('data', () => socket.end(Buffer.from('15030300020231', 'hex'))),
  )
  const proxyUrl = O.some(secret(`https://127.0.0.1:${await listening(context, server)}`))
  const api = apiFor(context, clusterAt('https://127.0.0.1:1', { proxyUrl }))
  const error = await fails(api.probe(held(first), never))
  assert.match(error.message, 'alert access denied')
  assert.is(error._tag, 'Unreachable')
})

test('closes what it has of a tunnel, and ends the request that waits for it', async (context) => {
  const silent = createServer()
  const port = await listening(context, silent)
  const opened = () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)))
  const proxyUrl = O.some(secret(`http://127.0.0.1:${port}`))
  const api = apiFor(context, clusterAt('https://127.0.0.1:1', { proxyUrl }))
  const probing = fails(api.probe(bootstrap, never))
  await once(silent, 'connection')
  api.close()
  const error = await probing
  assert.is(error._tag, 'Unreachable')
  assert.not.match(error.message, 'in time')
  await eventually('the connection to the proxy is closed', async () => (await opened()) === 0)
})

test('lets the process end while connections are idle', async (context) => {
  const { server } = await setUp(context)
  server.answer((_, response) => json(response, 401, status(401, 'Unauthorized')))
  const program = `
    import * as O from 'fp-ts/lib/Option.js'
    import * as TE from 'fp-ts/lib/TaskEither.js'
    import { certificateSigningRequests } from ${JSON.stringify(new URL('../../../adapters/kubernetes/index.js', import.meta.url).href)}
    const cluster = { server: '${server.url}', certificateAuthority: O.none, tlsServerName: O.none, insecureSkipTlsVerify: true, proxyUrl: O.none }
    const credential = { token: O.none, clientCertificate: O.none, expiresAt: O.none }
    const api = certificateSigningRequests({ cluster: TE.right(cluster), bootstrap: () => TE.right({ cluster, credential }) })
    const signal = { aborted: false, addEventListener() {}, removeEventListener() {} }
    const result = await api.probe({ _tag: 'Bootstrap' }, signal)()
    console.log(result.left._tag)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  context.defer(() => child.kill())
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  const [code] = await once(child, 'close')
  assert.is(`${code} ${output.trim()}`, '0 CredentialRejected')
})

test('closes its connections and begins anew when it is used again', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => json(response, 500, status(500, draft.name)))
  await fails(api.probe(bootstrap, never))
  api.close()
  api.close()
  await eventually('no connection is open', () => server.open() === 0)
  await fails(api.probe(bootstrap, never))
  assert.is(server.seen.at(-1)?.connection, 2)
})

test('offers a certificate that has expired by our clock: that of the server may differ', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => json(response, 200, {}))
  await succeeds(api.probe(held(ca.sign('/CN=ended', { days: -1 })), never))
  assert.is(server.seen.at(-1)?.certificate, 'ended')
})

test('lets a request under way end on its connection, and closes that then', async (context) => {
  const { server, api } = await setUp(context)
  const waiting: Array<() => void> = []
  server.answer((_, response) => waiting.push(() => json(response, 200, {})))
  const before = succeeds(api.probe(held(first), never))
  await eventually('the first has asked', () => waiting.length === 1)
  const after = succeeds(api.probe(held(second), never))
  await eventually('the second has asked', () => waiting.length === 2)
  for (const answer of waiting) answer()
  await Promise.all([before, after])
  await eventually('one connection is left', () => server.open() === 1)
  server.answer((_, response) => json(response, 200, {}))
  await succeeds(api.probe(held(second), never))
  assert.equal(
    server.seen.map(({ certificate, connection }) => `${certificate} on ${connection}`),
    ['system:node:first on 1', 'system:node:second on 2', 'system:node:second on 2'],
  )
})

test('watches on as who began it, whoever has asked meanwhile', async (context) => {
  const { server, api } = await setUp(context)
  const watches: Array<ServerResponse> = []
  server.answer(({ query }, response) => {
    if (query.get('watch') === null) return json(response, 200, {})
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    return watches.push(response)
  })
  const observing = succeeds(api.observe(bootstrap, outstanding, 'Pending', never))
  await eventually('it watches', () => watches.length === 1)
  await succeeds(api.probe(held(first), never))
  watches[0]?.end()
  await eventually('it watches again', () => watches.length === 2)
  watches[1]?.write(`${JSON.stringify({ type: 'MODIFIED', object: served(['Approved']) })}\n`)
  assert.equal(await observing, { _tag: 'Approved' })
  assert.equal(
    server.seen.map(({ authorization, certificate }) => [authorization, certificate]),
    [
      [`Bearer ${token}`, undefined],
      [undefined, 'system:node:first'],
      [`Bearer ${token}`, undefined],
    ],
  )
})
