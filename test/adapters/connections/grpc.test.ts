import { credentials, Client as GrpcClient, status } from '@grpc/grpc-js'
import * as O from 'fp-ts/lib/Option.js'
import { channelOptions } from '../../../adapters/connections/grpc.js'
import { follow, variable } from '../../../adapters/connections/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'
import { battery, type Client, type Stack, settingOf } from './battery.js'
import { framed } from './framed.js'
import { credentialSource, newPki } from './pki.js'

const text = (message: Buffer): string => message.toString()
const bytes = (message: string): Buffer => Buffer.from(message)

const clientOf = (grpc: GrpcClient): Client => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      grpc.makeUnaryRequest(path, bytes, text, '', (error, answer) => {
        if (error === null) resolve(answer ?? '')
        else reject(error)
      })
    }),
  watch: async (path) => {
    const call = grpc.makeServerStreamRequest(path, bytes, text, '')
    let received = ''
    call.on('data', (message: string) => {
      received += message
    })
    const ended = new Promise<boolean>((resolve) => {
      call.on('end', () => resolve(true)).on('error', () => resolve(false))
    })
    await new Promise((resolve) => call.once('metadata', resolve))
    return { text: () => received, ended }
  },
  close: () => grpc.close(),
})

const stack: Stack = {
  client: (following, url) =>
    clientOf(
      new GrpcClient(new URL(url).host, credentials.createSsl(), {
        ...channelOptions(following),
        // Without it grpc-js gives the address as a server name, which newer versions of Node refuse.
        'grpc.ssl_target_name_override': 'localhost',
      }),
    ),
  multiplexes: true,
  failsWatches: true,
  respond: framed,
}

const test = suite('grpc-js')
battery(test, stack)

test('tells of UNAUTHENTICATED, and of nothing else that is refused', async (context) => {
  const refused: Stack = {
    ...stack,
    respond: (request, response) => {
      const code = request.url === '/denied' ? status.PERMISSION_DENIED : status.UNAUTHENTICATED
      const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code) }
      response.stream.respond(head, { endStream: true })
      return true
    },
  }
  const { client, rejections } = await settingOf(refused, newPki)(context)
  for (const path of ['/denied', '/unknown']) {
    assert.is(rejections.length, 0)
    await client.get(path).catch(() => {})
  }
  assert.is(rejections.length, 1)
})

test('says that it does not go through the proxy of the API server', async (context) => {
  const pki = await newPki()
  const route = variable(
    O.some({
      server: 'https://api.test.invalid:6443',
      tlsServerName: O.none,
      proxyUrl: O.some(secret('http://127.0.0.1:1')),
    }),
  )
  let rejections = 0
  const onRejected = () => {
    rejections += 1
  }
  const following = follow({ credentials: credentialSource(await pki.client()), route }, { onRejected })
  context.defer(following.close)
  const client = await stack.client(following, 'https://api.test.invalid:6443')
  context.defer(client.close)
  const said: unknown = await client.get('/through').catch((error: unknown) => error)
  assert.match(String(said), /api\.test\.invalid:6443 is reached through a proxy .* not supported for gRPC/)
  assert.is(rejections, 0, 'nobody rejected the certificate')
})
