import type { SecureContextOptions } from 'node:tls'
import { suite } from '../helper/index.js'
import { openShop, type Shop, startFront } from './front.js'
import { authority, serving } from './serving.js'
import { survive } from './surviving.js'

const test = suite('a rotation, while the server')

let shop: Shop | undefined
test.before(async () => {
  shop = await openShop()
})

type Bad = (shop: Shop) => Promise<SecureContextOptions> | SecureContextOptions

const cases: ReadonlyArray<readonly [string, Bad, RegExp]> = [
  [
    'shows a certificate that has ended',
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
    /certificate-authority$|certificate-authority;/,
  ],
  [
    'shows a certificate of another CA with the same name',
    async () => serving(await authority('gateway CA')),
    /certificate-authority$|certificate-authority;/,
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

for (const [what, bad, says] of cases)
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
      reason: 'Unreachable',
      says,
    })
  })
