/** Options that would be passed over in silence are an error. */
import * as https from 'node:https'
import { Socket } from 'node:net'
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
import { credential, credentialSource, newPki } from './pki.js'
import { recorder } from './server.js'

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

for (const [name, value, cure] of [
  ['passphrase', 'x', /give follow\(\) a key that is not encrypted/],
  ['secureContext', {}, /leave it out: follow\(\) has certificate, key and CAs/],
  ['secureProtocol', 'TLSv1_2_method', /use minVersion and maxVersion/],
  ['session', Buffer.from('x'), /a resumed session would keep the certificate/],
  ['ticketKeys', Buffer.alloc(48), /it is for servers/],
] as const)
  test(`a client refuses ${name}, which Node would pass over`, async (context) => {
    const followed = await following(context)
    const given = { [name]: value }
    for (const call of [
      () => httpsAgent(followed, given),
      () => http2Client(followed, 'https://localhost', given),
      () => dispatcher(followed, { connect: given }),
      () => https.get('https://localhost', { agent: httpsAgent(followed), ...given }),
    ])
      assert.throws(call, cure)
  })

test('settings of TLS count for each connection, through a change; what OpenSSL does not take is an error', async (context) => {
  const pki = await newPki()
  const server = await recorder(pki)
  context.defer(server.close)
  const credentials = credentialSource(await pki.client())
  const followed = follow({ credentials, trust: variable(O.some(pki.ca)) })
  context.defer(followed.close)
  const versions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
  const agent = httpsAgent(followed, versions)
  const via = dispatcher(followed, { connect: versions })
  const http2 = http2Client(followed, server.url, versions)
  context.defer(async () => {
    agent.destroy()
    http2.destroy()
    await via.destroy()
  })
  const askAll = async () => {
    await new Promise<void>((resolve, reject) => {
      https.get(server.url, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject)
    })
    await (await via.request({ origin: server.url, path: '/', method: 'GET' })).body.text()
    await new Promise<void>((resolve, reject) => {
      http2.request().on('error', reject).on('end', resolve).resume()
    })
  }
  await askAll()
  const second = await pki.client()
  credentials.set(O.some(credential(second)))
  await askAll()
  assert.equal(
    server.connections.map(({ protocol }) => protocol),
    Array.from({ length: 6 }, () => 'TLSv1.2'),
  )
  assert.equal(
    server.connections.slice(3).map(({ serial }) => serial),
    [second.serial, second.serial, second.serial],
  )

  for (const [wrong, said] of [
    [{ minVersion: 'TLSv1.9' }, /minVersion: "TLSv1.9" is not a valid minimum TLS protocol version/],
    [{ ciphers: 'foo' }, /ciphers: .*no cipher match/],
  ] as const) {
    const options: object = wrong
    for (const call of [
      () => httpsAgent(followed, options),
      () => http2Client(followed, server.url, options),
      () => dispatcher(followed, { connect: options }),
    ])
      assert.throws(call, said)
  }
  assert.throws(
    () => https.get(server.url, { agent, minVersion: 'TLSv1.3' }),
    /minVersion .*; give it to httpsAgent/,
  )
  const elsewhere: object = { minVersion: 'TLSv1.3' }
  assert.throws(() => dispatcher(followed, elsewhere), /give it to dispatcher\(following, \{ connect: /)
})

test('a crl that is none is refused', async (context) => {
  const followed = await following(context)
  assert.throws(() => httpsAgent(followed, { crl: 'no CRL' }), /^httpsAgent: crl: /)
})

test('a slip in the name of an option of Node or undici is told; what is unknown here is theirs', async (context) => {
  const followed = await following(context)
  const slip: object = { keepAliv: true }
  assert.throws(
    () => httpsAgent(followed, slip),
    /httpsAgent: there is no option keepAliv; did you mean keepAlive\?/,
  )
  const others: object = { conections: 5 }
  assert.throws(
    () => dispatcher(followed, others),
    /dispatcher: there is no option conections; did you mean connections\?/,
  )
  const named: object = { serverName: 'a' }
  assert.throws(
    () => http2Client(followed, 'https://localhost', named),
    /no option serverName; did you mean servername\?/,
  )
  const newer: object = { somethingOfTomorrow: 5 }
  httpsAgent(followed, newer).destroy()
  assert.throws(
    () => http2Client(followed, 'https://localhost', { createConnection: () => new Socket() }),
    /createConnection .* without the certificate/,
  )
})
