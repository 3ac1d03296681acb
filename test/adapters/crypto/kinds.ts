/** What has to hold for a key of any kind, from its making to a TLS handshake. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { connect, createServer, type TLSSocket } from 'node:tls'
import {
  createAuthority,
  createCertificate,
  cryptoBackend,
  parseRequest,
} from '../../../adapters/crypto/index.js'
import type { KeyAlgorithm } from '../../../src/model/key-algorithm.js'
import { usagesFor } from '../../../src/model/template.js'
import { hour, instant, wholeSecond } from '../../../src/model/time.js'
import { assert, type Suite } from '../../helper/index.js'
import { right } from '../outcome.js'
import { openssl, withoutOpenssl } from './openssl.js'

const names = {
  commonName: 'system:node:worker-1',
  organizations: ['system:nodes'],
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
  uris: [],
}

const labels: Readonly<Record<string, string>> = { ECDSA: 'EC PRIVATE KEY', RSA: 'RSA PRIVATE KEY' }

export const testKinds = (test: Suite, algorithms: ReadonlyArray<KeyAlgorithm>): void => {
  for (const algorithm of algorithms) {
    test(`${algorithm}: is stored, restored, signs a request, is certified, and shakes hands`, async () => {
      const making = right(cryptoBackend.generateKey(algorithm))
      // An RSA key takes a second or so, in which others go on.
      if (algorithm.startsWith('RSA-'))
        assert.is(await Promise.race([making, setImmediate('others')]), 'others')
      const made = await making
      const stored = await right(made.forStorage)
      const label = labels[algorithm.split('-')[0] ?? ''] ?? 'PRIVATE KEY'
      assert.match(stored.reveal(), new RegExp(`^-----BEGIN ${label}-----\n`))
      const key = await right(cryptoBackend.restoreKey(stored))
      assert.is(key.id, made.id)

      const pem = await right(key.createRequest(names))
      if (withoutOpenssl === undefined && !algorithm.startsWith('ML-DSA-'))
        assert.match(openssl(['req', '-verify', '-noout'], pem), /verify OK/)
      const request = await right(parseRequest(pem))
      assert.equal([request.keyId, request.dnsNames], [key.id, names.dnsNames])
      const now = Date.now()
      const validity = {
        notBefore: wholeSecond(instant(now - hour)),
        notAfter: wholeSecond(instant(now + hour)),
      }
      const ca = await right(createAuthority({ commonName: 'ca', serialNumber: '1', ...validity }))
      const usages = [...usagesFor('client auth', algorithm), 'server auth']
      const { publicKey } = request
      const chain = await right(
        createCertificate(ca, { ...names, ...validity, serialNumber: '2', usages, publicKey }),
      )
      const { certificate } = await right(cryptoBackend.parseChain(chain))
      assert.equal([certificate.keyId, certificate.keyAlgorithm], [key.id, algorithm])

      const tls = await right(key.forTls)
      if (tls._tag !== 'Pem') throw new Error('the key is not in PEM')
      const options = { cert: chain, key: tls.pem.reveal(), ca: ca.pem }
      const server = createServer({ ...options, requestCert: true, rejectUnauthorized: true })
      server.on('secureConnection', (socket: TLSSocket) =>
        socket.end(socket.getPeerCertificate().serialNumber),
      )
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      const client = connect({ ...options, host: '127.0.0.1', port })
      const chunks: Array<Buffer> = []
      for await (const chunk of client) chunks.push(Buffer.from(chunk))
      server.close()
      assert.is(Buffer.concat(chunks).toString(), '02')
    })
  }
}
