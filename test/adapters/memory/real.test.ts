/** Memory ports with real keys and certificates: what follows a rotation on them opens real TLS connections. */
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, get } from 'node:https'
import { json } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import { follow, httpsAgent, variable } from '../../../adapters/connections/index.js'
import {
  createAuthority,
  createCertificate,
  cryptoBackend,
  signerBy,
} from '../../../adapters/crypto/index.js'
import { memoryPorts } from '../../../adapters/memory/index.js'
import { startRotation } from '../../../adapters/node/index.js'
import { spkiOf } from '../../../adapters/platform/x509.js'
import { after, day, hour, instant, minute, wholeSecond } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { addressOf } from '../connections/server.js'
import { right } from '../outcome.js'

const test = suite('memory ports with real certificates')

test('a server sees the certificate of a rotation, and its successor after a renewal', async (context) => {
  const now = wholeSecond(instant(Date.now()))
  const life = { serialNumber: '01', notBefore: after(now, -hour), notAfter: after(now, day) }
  const authority = await right(createAuthority({ ...life, commonName: 'memory' }))
  const memory = memoryPorts({
    now,
    api: { signingDuration: 10 * hour },
    real: { crypto: cryptoBackend, sign: signerBy(authority) },
  })
  const rotation = await startRotation({ nodeName: 'worker-1', ports: memory })
  context.defer(rotation.stop)
  await memory.clock.settle()
  const first = rotation.current()

  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const tls = await right(key.forTls)
  if (tls._tag !== 'Pem') throw new Error('no PEM')
  const serving = {
    ...life,
    commonName: 'server',
    organizations: [],
    dnsNames: [],
    uris: [],
    ipAddresses: ['127.0.0.1'],
    usages: ['server auth'],
    publicKey: spkiOf(createPrivateKey(tls.pem.reveal())),
  }
  const cert = await right(createCertificate(authority, serving))
  const server = createServer(
    { cert, key: tls.pem.reveal(), ca: authority.pem, requestCert: true, rejectUnauthorized: true },
    ({ socket }, response) => {
      const peer = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
      response.end(JSON.stringify({ subject: peer?.subject, serial: peer?.serialNumber }))
    },
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const following = follow({ credentials: rotation.credentials, trust: variable(O.some(authority.pem)) })
  const agent = httpsAgent(following)
  context.defer(() => {
    following.close()
    agent.destroy()
    server.close()
  })
  const seen = async () => {
    const request = get(`https://127.0.0.1:${addressOf(server).port}`, { agent })
    const [response] = await once(request, 'response')
    return json(response)
  }
  const subject = 'O=system:nodes\nCN=system:node:worker-1'
  assert.equal(await seen(), { subject, serial: first?.serialNumber.toUpperCase() })
  rotation.rotateNow()
  // Short of the five minutes by which signers backdate: TLS goes by the real time.
  await memory.clock.advanceBy(minute)
  const next = rotation.current()
  assert.is.not(next?.keyId, first?.keyId)
  assert.equal(await seen(), { subject, serial: next?.serialNumber.toUpperCase() })
})
