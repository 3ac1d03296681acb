/** What has to be true of every HTTP stack that follows a credential, over real TLS. */
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import * as O from 'fp-ts/lib/Option.js'
import {
  type Credential,
  type Following,
  follow,
  type Rejection,
  variable,
} from '../../../adapters/connections/index.js'
import { failure } from '../../../src/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, eventually, type Suite, type TestContext } from '../../helper/index.js'
import { listening, proxy } from '../proxy.js'
import { credential, credentialSource, newPki, type Pair, type Pki } from './pki.js'
import { addressOf, type Recorder, type RecorderOptions, recorder } from './server.js'

/** A client, as far as the tests need one. */
export interface Client {
  /** Asks for a path; the text of the answer. Rejects when there is none. A status of 400 and more is no failure. */
  readonly get: (path: string) => Promise<string>
  /** Asks for a path whose answer goes on; ends when there is one. */
  readonly watch: (path: string) => Promise<Stream>
  readonly close: () => unknown
}

export interface Stream {
  /** What has arrived. */
  readonly text: () => string
  /** Settled when the answer is over: whether as if it were complete. */
  readonly ended: Promise<boolean>
}

export interface Stack {
  readonly client: (following: Following, url: string) => Client | Promise<Client>
  /** Requests share a connection: what runs beside each other does not show in the number of connections. */
  readonly multiplexes?: boolean
  /** A watch that is cut off fails; elsewhere it ends as the server would end it. */
  readonly failsWatches?: boolean
  readonly respond?: RecorderOptions['respond']
  /** The path as the tests have it. */
  readonly pathOf?: RecorderOptions['pathOf']
}

/** A server, a client that follows a credential, and the means to change it. */
interface Setting {
  readonly pki: Pki
  readonly server: Recorder
  readonly following: Following
  readonly client: Client
  readonly first: Pair
  readonly rejections: ReadonlyArray<Rejection>
  /** Replaces the credential by a new one; its serial number. */
  readonly renew: () => Promise<string>
  /** Replaces it before this returns. */
  readonly put: (pair: Pair) => void
}

interface SettingOptions extends RecorderOptions {
  readonly grace?: number
  /** Of the first certificate, ms from now. */
  readonly until?: number
}

export const settingOf =
  (stack: Stack, pki: () => Promise<Pki>) =>
  async ({ defer }: TestContext, options: SettingOptions = {}): Promise<Setting> => {
    const authority = await pki()
    const { respond = stack.respond } = options
    const server = await recorder(authority, {
      pathOf: stack.pathOf,
      ...options,
      ...(respond === undefined ? {} : { respond }),
    })
    const first = await authority.client(options.until === undefined ? {} : { until: options.until })
    const credentials = credentialSource(first)
    const rejections: Array<Rejection> = []
    const following = follow(
      { credentials, trust: variable(O.some(authority.ca)) },
      {
        onRejected: (rejection) => rejections.push(rejection),
        ...(options.grace === undefined ? {} : { grace: options.grace }),
      },
    )
    const client = await stack.client(following, server.url)
    defer(async () => {
      following.close()
      await client.close()
      await server.close()
    })
    const put = (pair: Pair) => credentials.set(O.some(credential(pair)))
    const renew = async () => {
      const pair = await authority.client()
      put(pair)
      return pair.serial
    }
    return { pki: authority, server, following, client, first, rejections, renew, put }
  }

const times = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

export const battery = (test: Suite, stack: Stack): void => {
  let shared: Promise<Pki> | undefined
  const pki = () => {
    shared ??= newPki()
    return shared
  }
  const setting = settingOf(stack, pki)

  for (const tls of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`presents the new certificate on every request after the change (${tls}, session tickets on)`, async (context) => {
      const { server, client, first, renew } = await setting(context, { tls })
      for (const index of times(3)) assert.is(await client.get(`/before/${index}`), first.serial)
      for (const round of times(3)) {
        const serial = await renew()
        for (const index of times(3)) assert.is(await client.get(`/after/${round}/${index}`), serial)
      }
      assert.is(server.connections.length, 4, 'one connection for each certificate')
      assert.equal([...new Set(server.connections.map(({ protocol }) => protocol))], [tls])
    })
  }

  test('fails a request for which there is no certificate, says why, and sends it when there is one', async (context) => {
    const authority = await pki()
    const server = await recorder(authority, {
      pathOf: stack.pathOf,
      ...(stack.respond === undefined ? {} : { respond: stack.respond }),
    })
    const credentials = variable<O.Option<Credential>>(O.none)
    const unreadable = failure('Unreadable', 'soon', 'reading tls.crt failed (ENOENT)', 'look at the file')
    const sources = {
      credentials,
      problem: () => O.some(unreadable),
      trust: variable(O.some(authority.ca)),
    }
    const [strict, lenient] = [follow(sources), follow(sources, { anonymous: true })]
    const [client, anonymous] = [
      await stack.client(strict, server.url),
      await stack.client(lenient, server.url),
    ]
    context.defer(async () => {
      for (const following of [strict, lenient]) following.close()
      await client.close()
      await anonymous.close()
      await server.close()
    })
    const error = await client.get('/without').catch((thrown: unknown) => thrown)
    assert.instance(error, Error)
    assert.match(
      inspect(error),
      /no certificate to connect with: reading tls\.crt failed \(ENOENT\); look at/,
    )
    assert.equal(server.serials('/without'), [])
    await anonymous.get('/anonymous').catch(() => {})
    assert.equal(server.serials('/anonymous'), [''])
    const pair = await authority.client()
    credentials.set(O.some(credential(pair)))
    assert.is(await client.get('/with'), pair.serial)
  })

  test('never resumes a TLS session', async (context) => {
    const { server, client, renew } = await setting(context, { idle: 1 })
    for (const index of times(3)) {
      await client.get(`/${index}`)
      await eventually('the server has closed the connection', () => server.open() === 0)
    }
    await renew()
    await client.get('/last')
    assert.ok(server.connections.length >= 2)
    assert.ok(server.connections.every(({ resumed }) => !resumed))
  })

  test('closes idle connections at once', async (context) => {
    const { server, following, client, renew } = await setting(context)
    await Promise.all(times(5).map((index) => client.get(`/${index}`)))
    assert.is(server.open(), stack.multiplexes ? 1 : 5)
    await renew()
    await eventually('all are closed', () => server.open() === 0)
    // The server may see it before we do.
    await eventually('none is counted', () =>
      following.connectionCounts().every(({ connections }) => connections === 0),
    )
  })

  test('lets a request under way finish, then closes its connection', async (context) => {
    const { server, following, client, first, renew } = await setting(context, { grace: 20 })
    const answer = client.get('/held/long')
    const watch = await client.watch('/pods?watch=true')
    const response = await eventually('it has arrived', () => server.held.get('/held/long'))
    const serial = await renew()
    assert.equal(
      following.connectionCounts().map(({ current, connections }) => ({ current, connections })),
      [
        { current: true, connections: 0 },
        { current: false, connections: stack.multiplexes ? 1 : 2 },
      ],
    )
    assert.is(await client.get('/beside'), serial)
    // The grace period is over, and was for the watch alone.
    await watch.ended
    response.end(first.serial)
    assert.is(await answer, first.serial)
    await eventually('the old connection is closed', () => server.open() === 1)
    assert.is(following.connectionCounts().length, 1)
  })

  test('keeps a watch for the grace period, and ends it then', async (context) => {
    const { server, client, renew } = await setting(context, { grace: 300 })
    const watch = await client.watch('/pods?watch=true')
    const response = await eventually('it has arrived', () => server.held.get('/pods?watch=true'))
    await renew()
    response.write('{"type":"ADDED"}\n')
    await eventually('the line has arrived', () => watch.text().includes('ADDED'))
    assert.is(await watch.ended, stack.failsWatches !== true)
    await eventually('its connection is closed', () => server.open() === 0)
  })

  test('ends everything before the old certificate expires', async (context) => {
    const { server, client, first, renew } = await setting(context, { until: 2_500 })
    const request = client.get('/held/too-long').then(
      () => 'answered',
      () => 'failed',
    )
    const watch = await client.watch('/pods?watch=true')
    await eventually('both have arrived', () => server.held.size === 2)
    const end = credential(first).certificate.notAfter
    await renew()
    assert.is(await request, 'failed')
    await watch.ended
    await eventually('all is closed', () => server.open() === 0)
    assert.ok(Date.now() < end)
  })

  test('loses no request when the change comes at full speed, again and again', async (context) => {
    const { server, client, renew, first } = await setting(context)
    let working = true
    let failed = 0
    const last = new Map<number, string>()
    const workers = times(10).map(async (worker) => {
      while (working) {
        try {
          last.set(worker, await client.get(`/worker/${worker}`))
        } catch {
          failed += 1
        }
      }
    })
    const serials = [first.serial]
    const seen = () => server.serials().filter((serial) => serial === serials.at(-1)).length
    for (const _ of times(6)) {
      await eventually('the current one has been used', () => seen() > 30)
      serials.push(await renew())
    }
    await eventually('the last certificate is used by all', () =>
      [...last.values()].every((serial) => serial === serials.at(-1)),
    )
    working = false
    await Promise.all(workers)
    assert.is(failed, 0)
    assert.equal([...new Set(server.serials())], serials, 'certificates in the order they were given')
    await eventually('only current connections are left', () => server.open() <= 10)
  })

  test('takes a change while another one drains', async (context) => {
    const { server, client, first, renew } = await setting(context)
    const one = client.get('/held/one')
    await eventually('the first has arrived', () => server.held.has('/held/one'))
    const second = await renew()
    const two = client.get('/held/two')
    await eventually('the second has arrived', () => server.held.has('/held/two'))
    const third = await renew()
    assert.is(await client.get('/three'), third)
    server.held.get('/held/two')?.end('two')
    server.held.get('/held/one')?.end('one')
    assert.equal([await one, await two], ['one', 'two'])
    assert.equal(server.serials(), [first.serial, second, third])
    await eventually('the old ones are closed', () => server.open() === 1)
  })

  test('answers a request whose handshake is under way at the instant of the change', async (context) => {
    const next = await (await pki()).client()
    let change = () => {}
    const { server, client, put } = await setting(context, { onHandshake: () => change() })
    change = () => {
      change = () => {}
      put(next)
    }
    await client.get('/during')
    assert.is(await client.get('/after'), next.serial)
    await eventually('the one of the old handshake is closed', () => server.open() === 1)
  })

  test('goes on when the server closes idle connections', async (context) => {
    const { server, client, renew } = await setting(context, { idle: 5 })
    for (const round of times(3)) {
      const serial = await renew()
      assert.is(await client.get(`/${round}`), serial)
      await eventually('the server has closed it', () => server.open() === 0)
      assert.is(await client.get(`/${round}/again`), serial)
    }
  })

  test('tells of a certificate that is refused by a TLS alert', async ({ defer }) => {
    const server = await refusing()
    const pair = await (await pki()).client()
    const rejections: Array<Rejection> = []
    const following = follow(
      { credentials: credentialSource(pair) },
      { onRejected: (rejection) => rejections.push(rejection) },
    )
    const client = await stack.client(following, server.url)
    defer(async () => {
      await client.close()
      await server.close()
    })
    await client.get('/').then(
      () => assert.unreachable('there is no answer'),
      () => {},
    )
    assert.equal(rejections, [{ keyId: credential(pair).certificate.keyId, reason: 'TLS alert unknown_ca' }])
  })
}

/** A server that answers each handshake with the alert `unknown_ca` (RFC 8446, 6): Node's own never sends it. */
const refusing = async (): Promise<{ readonly url: string; readonly close: () => unknown }> => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 48])))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `https://127.0.0.1:${addressOf(server).port}`, close: () => server.close() }
}

/** For stacks that speak HTTP as it is, rather than something on top of it. */
export const statusBattery = (test: Suite, stack: Stack): void => {
  let shared: Promise<Pki> | undefined
  const pki = () => {
    shared ??= newPki()
    return shared
  }
  const setting = settingOf(stack, pki)
  const answering = (status: number, body: string) => ({
    respond: (
      _: unknown,
      response: {
        writeHead: (status: number, headers: Record<string, string>) => unknown
        end: (body: string) => unknown
      },
    ) => {
      response.writeHead(status, { 'content-type': 'text/plain' })
      response.end(body)
      return true
    },
  })

  test('tells of a certificate that is refused with 401', async (context) => {
    const { client, first, rejections } = await setting(context, answering(401, 'Unauthorized'))
    await client.get('/')
    assert.equal(
      rejections.map(({ keyId }) => keyId),
      [credential(first).certificate.keyId],
    )
  })

  test('tells of a 403 for system:anonymous, and leaves the body whole', async (context) => {
    const body = '{"message":"pods is forbidden: User \\"system:anonymous\\" cannot list"}'
    const { client, rejections } = await setting(context, answering(403, body))
    assert.is(await client.get('/'), body)
    assert.is(rejections.length, 1)
  })

  test('says nothing of a 403 for somebody the server knows', async (context) => {
    const { client, rejections } = await setting(
      context,
      answering(403, 'User "system:node:one" cannot list'),
    )
    await client.get('/')
    assert.is(rejections.length, 0)
  })
}

/** For stacks whose clients may share what they are made with: the second one asks another server than the first one. */
export const routeBattery = (test: Suite, stack: Stack): void => {
  test('goes to the API server through its proxy and by its name, and to no other server', async (context) => {
    const pki = await newPki()
    const server = await recorder(pki, { pathOf: stack.pathOf })
    context.defer(server.close)
    const names: Array<unknown> = []
    server.server.on('secureConnection', ({ servername }) => names.push(servername || 'none'))
    const { port, targets } = await proxy(context, undefined, server.port)
    const route = variable(
      O.some({
        server: 'https://api.test.invalid:6443',
        tlsServerName: O.some('localhost'),
        proxyUrl: O.some(secret(`http://127.0.0.1:${port}`)),
      }),
    )
    const first = await pki.client()
    const credentials = credentialSource(first)
    const following = follow({ credentials, trust: variable(O.some(pki.ca)), route })
    context.defer(following.close)
    const client = await stack.client(following, 'https://api.test.invalid:6443')
    context.defer(client.close)
    assert.is(await client.get('/through'), first.serial)
    assert.equal([targets, names], [['api.test.invalid:6443'], ['localhost']])
    const second = await pki.client()
    credentials.set(O.some(credential(second)))
    assert.is(await client.get('/again'), second.serial, 'it follows there too')
    const other = await stack.client(following, server.url)
    context.defer(other.close)
    assert.is(await other.get('/direct'), second.serial)
    assert.equal([targets.length, names], [2, ['localhost', 'localhost', 'none']])
  })

  test('says which proxy does not answer', async (context) => {
    const pki = await newPki()
    const { port } = await proxy(context, () => false)
    const route = variable(
      O.some({
        server: 'https://api.test.invalid:6443',
        tlsServerName: O.none,
        proxyUrl: O.some(secret(`http://user:hunter2@127.0.0.1:${port}`)),
      }),
    )
    const following = follow({ credentials: credentialSource(await pki.client()), route })
    context.defer(following.close)
    const client = await stack.client(following, 'https://api.test.invalid:6443')
    context.defer(client.close)
    const said = inspect(await client.get('/through').catch((error: unknown) => error))
    assert.match(said, `the proxy 127.0.0.1:${port} refused to connect to api.test.invalid:6443: status 407`)
    assert.not.match(said, 'hunter2')
  })
}

/** For stacks whose clients end what they are about when they are closed. */
export const silentProxy = (test: Suite, stack: Stack): void =>
  test('ends while its proxy is silent', async (context) => {
    const pki = await newPki()
    const server = createServer()
    const port = await listening(context, server)
    const reached = new Promise((resolve) => server.once('connection', resolve))
    const route = variable(
      O.some({
        server: 'https://api.test.invalid:6443',
        tlsServerName: O.none,
        proxyUrl: O.some(secret(`http://127.0.0.1:${port}`)),
      }),
    )
    const following = follow({ credentials: credentialSource(await pki.client()), route })
    context.defer(following.close)
    const client = await stack.client(following, 'https://api.test.invalid:6443')
    const outcome = client.get('/through').then(
      () => 'an answer',
      () => 'an error',
    )
    await reached
    await client.close()
    assert.is(await outcome, 'an error')
  })
