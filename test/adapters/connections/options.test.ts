/** Options that would be passed over in silence are an error. */
import * as https from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import * as O from 'fp-ts/lib/Option.js'
import { kubeConfig } from '../../../adapters/connections/client-node.js'
import { channelOptions } from '../../../adapters/connections/grpc.js'
import {
  type Files,
  type FilesOptions,
  type FollowOptions,
  follow,
  fromFiles,
  http2Client,
  httpsAgent,
  tlsServer,
  variable,
} from '../../../adapters/connections/index.js'
import { dispatcher } from '../../../adapters/connections/undici/index.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { credentialSource, newPki } from './pki.js'

const test = suite('options of connections')

const anonymously = { trust: variable(O.none) }

const following = async ({ defer }: TestContext) => {
  const pki = await newPki()
  const followed = follow({
    credentials: credentialSource(await pki.client()),
    trust: variable(O.some(pki.ca)),
  })
  defer(followed.close)
  return followed
}

for (const name of ['ca', 'cert', 'key', 'pfx'])
  test(`refuses ${name}, which would have no effect, and says what to use instead`, async (context) => {
    const followed = await following(context)
    const own = { [name]: 'PEM' }
    const said = new RegExp(`^${name} in the options of .* would have no effect; give follow\\(\\)`)
    assert.throws(() => httpsAgent(followed, own), said)
    assert.throws(() => http2Client(followed, 'https://localhost', own), said)
    assert.throws(() => tlsServer(followed, https.createServer(), own), said)
    assert.throws(() => dispatcher(followed, { connect: own }), said)
    const agent = httpsAgent(followed, { [name]: undefined })
    assert.throws(() => https.get('https://localhost', { agent, ...own }), said)
  })

test('a server keeps CAs of its own where none are followed', async (context) => {
  const pki = await newPki()
  const followed = follow({ credentials: credentialSource(await pki.client()) })
  context.defer(followed.close)
  const end = tlsServer(followed, https.createServer(), { ca: pki.ca })
  end()
})

test('refuses a misspelt option, and names the one that was meant', async () => {
  const options: FollowOptions = { ...{ graze: 5 }, trustOverlap: 5 }
  assert.throws(() => follow({}, options), /follow: there is no option graze; did you mean grace\?/)
  const files: Files = { ...{ cert: 'tls.crt' }, ca: 'ca.crt' }
  assert.throws(() => fromFiles(files), /fromFiles: there is no option cert; did you mean certificate\?/)
  const looks: FilesOptions = { ...{ intervall: 5 }, onProblem: () => {} }
  assert.throws(
    () => fromFiles({ ca: 'ca.crt' }, looks),
    /fromFiles: there is no option intervall; did you mean interval\?/,
  )
})

test('says what is no source, no files and nothing to follow, and what was forgotten', async () => {
  const untyped = <A>(value: unknown): A => JSON.parse('{}', () => value)
  const cases: ReadonlyArray<readonly [() => unknown, RegExp]> = [
    [
      () => follow(untyped(Promise.resolve({}))),
      /^follow: what it follows must be .*, and is a promise; await it$/,
    ],
    [() => follow({}), /^follow: what it follows must be a running rotation, .*; write follow\(rotation\)/],
    [() => follow(untyped(undefined)), /^follow: what it follows must be .*, and is missing/],
    [() => follow({ trust: untyped('PEM') }), /^follow: what it follows must be/],
    [
      () => follow(anonymously, { grace: untyped('3s') }),
      /^follow: grace must be a number of milliseconds, and is text/,
    ],
    [() => fromFiles({}), /^fromFiles: certificate is missing; name the file/],
    [() => fromFiles({ key: 'tls.key' }), /^fromFiles: certificate is missing; name the file/],
    [() => fromFiles({ certificate: '' }), /^fromFiles: certificate must be a path, and is empty/],
    [() => fromFiles({ certificate: untyped(5) }), /^fromFiles: certificate must be a path, and is 5/],
    [
      () => httpsAgent(untyped({ credentials: {} })),
      /^httpsAgent: what it follows must be what follow\(\) answers, .*; write follow\(rotation\)/,
    ],
    [() => httpsAgent(untyped(undefined)), /^httpsAgent: what it follows must be .*, and is missing/],
    [() => dispatcher(untyped({})), /^dispatcher: what it follows/],
    [() => http2Client(untyped({}), 'https://localhost'), /^http2Client: what it follows/],
    [() => tlsServer(untyped({}), https.createServer()), /^tlsServer: what it follows/],
    [() => channelOptions(untyped({})), /^channelOptions: what it follows/],
    [
      () => kubeConfig(follow(anonymously), untyped(undefined)),
      /^kubeConfig: the second argument must be a KubeConfig of client-node, and is missing/,
    ],
    [
      () => kubeConfig(follow(anonymously), new KubeConfig()),
      /^kubeConfig: the KubeConfig has no current cluster; load one first/,
    ],
  ]
  for (const [call, said] of cases) {
    assert.throws(call, said)
    assert.throws(call, (error: unknown) => Reflect.get(Object(error), 'code') === 'InvalidOptions')
  }
})
