import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tls from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import { variable } from '../../../adapters/connections/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { overClientNode } from './examples/client-node.js'
import { overFetch } from './examples/fetch.js'
import { overGrpc } from './examples/grpc.js'
import { overHttp2 } from './examples/http2.js'
import { overHttps } from './examples/https.js'
import { serving } from './examples/server.js'
import { framed } from './framed.js'
import { credential, credentialSource, newPki, type Pair } from './pki.js'
import { addressOf, type RecorderOptions, recorder } from './server.js'

const test = suite('examples of the README')

const plain: RecorderOptions['respond'] = (_, response, serial) => {
  response.setHeader('content-type', 'text/plain')
  response.end(serial)
  return true
}

for (const [stack, example, respond] of [
  ['node:https', overHttps, plain],
  ['fetch', overFetch, plain],
  ['node:http2', overHttp2, plain],
  ['client-node', overClientNode, plain],
  ['grpc-js', overGrpc, framed],
] as const) {
  test(`${stack} presents the new certificate after a change`, async ({ defer }) => {
    const pki = await newPki()
    const server = await recorder(pki, { respond })
    const [first, next] = [await pki.client(), await pki.client()]
    const credentials = credentialSource(first)
    const { ask, close } = example({ credentials, trust: variable(O.some(pki.ca)) }, server.url, pki.ca)
    defer(async () => {
      await close()
      await server.close()
    })
    await ask()
    credentials.set(O.some(credential(next)))
    await ask()
    assert.equal(server.serials(), [first.serial, next.serial])
  })
}

test('a server shows the certificate that was renewed on disk', async ({ temporaryDirectory, defer }) => {
  const [directory, pki] = [await temporaryDirectory(), await newPki()]
  const write = async ({ pem, key }: Pair) => {
    await writeFile(join(directory, 'tls.crt'), pem)
    await writeFile(join(directory, 'tls.key'), key)
  }
  await write(pki.server)
  const server = serving(directory)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  defer(() => new Promise((resolve) => server.close(resolve)))
  const shown = () =>
    new Promise<string>((resolve) => {
      const { port } = addressOf(server)
      const socket = tls.connect({ port, host: '127.0.0.1', ca: pki.ca }, () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber.toLowerCase().padStart(4, '0') ?? '')
        socket.destroy()
      })
    })
  assert.is(await shown(), pki.server.serial)
  const next = await pki.serving()
  await write(next)
  await eventually('the new one is shown', async () => (await shown()) === next.serial)
})
