import { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import type { FailureTag } from '../../src/model/failure.js'
import { assert, eventually, suite } from '../helper/index.js'
import { openShop, type Shop, startFront } from './front.js'
import { authority, serving } from './serving.js'
import { survive } from './surviving.js'
import { type TcpFault, tcpProxy } from './tcp-proxy.js'
import { patience, startAgent } from './world.js'

const test = suite('a rotation, while the server')

let shop: Shop | undefined
test.before(async () => {
  shop = await openShop()
})

type Bad = (shop: Shop) => Promise<SecureContextOptions> | SecureContextOptions

const cases: ReadonlyArray<readonly [string, Bad, RegExp, FailureTag?]> = [
  [
    'shows a certificate that has expired',
    ({ ca }) => serving(ca, { from: -3, to: -1 }),
    /expired.*renew the certificate of the server/,
  ],
  [
    'shows a certificate that is not valid yet',
    ({ ca }) => serving(ca, { from: 2 }),
    /not yet valid.*look at the clock/,
  ],
  [
    'shows a certificate of another CA',
    async () => serving(await authority('somebody')),
    /put the CA of this server into kubeconfig \S+: clusters\[0\]\.cluster\.certificate-authority/,
    'ServerUntrusted',
  ],
  [
    'shows a certificate of another CA with the same name',
    async () => serving(await authority('gateway CA')),
    /put the CA of this server into kubeconfig \S+: clusters\[0\]\.cluster\.certificate-authority/,
    'ServerUntrusted',
  ],
  [
    'shows a certificate for another name',
    ({ ca }) => serving(ca, { name: 'elsewhere.example' }),
    /ALTNAME.*tls-server-name/,
  ],
  [
    'shows the certificate of the CA',
    async () => {
      const other = await authority('self-signed')
      return { cert: other.pem, key: other.key.reveal() }
    },
    /certificate-authority/,
    'ServerUntrusted',
  ],
  [
    'speaks TLS 1.1 and no later',
    ({ good }) => ({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    /PROTOCOL.*TLS 1\.2 or later/,
  ],
  [
    'speaks no cipher of ours',
    ({ good }) => ({ ...good, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0' }),
    /HANDSHAKE|CIPHER|reset/,
  ],
]

for (const [what, bad, says, reason = 'Unreachable'] of cases)
  test(`${what}, tells it nothing, keeps what it has, and goes on`, { deadline: 60_000 }, async (context) => {
    if (shop === undefined) throw new Error('the shop is closed')
    const { good } = shop
    const { world, door, place } = await startFront(context, shop)
    const tls = await bad(shop)
    let faulty = 0
    await survive(context, world, place, {
      begin: () => {
        door.serve(tls)
        faulty = door.seen.length
      },
      end: () => {
        if (door.seen.length !== faulty) throw new Error('it was sent a request')
        door.serve(good)
      },
      reason,
      says,
    })
  })

/** Refuses a certificate with the alert `unknown_ca`, as Go's servers do (RFC 5246, 7.2: before TLS 1.3 both are legible). */
const refusing =
  (pem: string): TcpFault =>
  (client, upstream) => {
    const { raw } = new X509Certificate(pem)
    const server = upstream()
    let flight = Buffer.alloc(0)
    server.pipe(client)
    client.on('data', (chunk) => {
      flight = Buffer.concat([flight, chunk])
      if (flight.includes(raw)) client.end(Buffer.from([21, 3, 3, 0, 2, 2, 48]))
      else server.write(chunk)
    })
  }

test('refuses the certificate by a TLS alert, bootstraps anew', async (context) => {
  if (shop === undefined) throw new Error('the shop is closed')
  const submissions: Array<string> = []
  const { world, door, place } = await startFront(context, shop, {
    onEvent: (event) => {
      if (event._tag === 'Call' && event.method === 'POST' && O.isSome(event.user))
        submissions.push(event.user.value)
    },
  })
  door.serve({ ...shop.good, maxVersion: 'TLSv1.2' })
  const proxy = await tcpProxy(door.port)
  context.defer(proxy.stop)
  const there = { ...place, server: `https://127.0.0.1:${proxy.port}` }
  const agent = await startAgent(context, world, there, await context.temporaryDirectory(), 'a')
  const { rotation, told, tells } = agent
  const before = await rotation.issued()
  const seen = told.length
  await proxy.set(refusing(before.certificate))
  const rejected = await tells('CredentialRejected', seen)
  assert.is(rejected.to, 'Bootstrapping')
  assert.match(rejected.message, 'unknown ca')
  await eventually(
    'another certificate is in use',
    () => rotation.current()?.keyId !== before.keyId && rotation.state()._tag === 'Issued',
    patience,
  )
  assert.is(submissions.length, 2)
  for (const user of submissions) assert.match(user, 'system:bootstrap:')
})
