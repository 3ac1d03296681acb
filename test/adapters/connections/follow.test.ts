import * as tls from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import { follow, type Problem, variable } from '../../../adapters/connections/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { credential, credentialSource, newPki } from './pki.js'
import { recorder } from './server.js'

const test = suite('following a credential')

/** Makes one TLS connection; whether the server was believed. */
const handshake = (port: number, context: tls.SecureContext): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', secureContext: context }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

test('keeps the last good credential when the new one is for another key', async () => {
  const pki = await newPki()
  const [first, second] = [await pki.client(), await pki.client()]
  const source = credentialSource(first)
  const problems: Array<Problem> = []
  const following = follow({ credentials: source }, { onProblem: (problem) => problems.push(problem) })
  const before = following.current()
  source.set(O.some({ ...credential(second), key: credential(first).key }))
  assert.is(following.current(), before)
  assert.equal(
    problems.map(({ _tag }) => _tag),
    ['CredentialUnusable'],
  )
  assert.match(problems[0]?.message ?? '', /another certificate/)
  following.close()
})

test('refuses what is expired, damaged, not a chain, or not usable here', async () => {
  const [pki, other] = [await newPki(), await newPki('another CA')]
  const good = credential(await pki.client())
  const stranger = await other.client()
  const source = variable<O.Option<typeof good>>(O.some(good))
  const problems: Array<string> = []
  const following = follow({ credentials: source }, { onProblem: ({ message }) => problems.push(message) })
  const before = following.current()
  source.set(O.some(credential(await pki.client({ from: -60_000, until: -1_000 }))))
  source.set(O.some({ ...good, pem: good.pem.replace(/[a-zA-Z]{20}/, '') }))
  source.set(O.some({ ...credential(stranger), pem: stranger.pem + pki.ca }))
  source.set(
    O.some({ ...credential(await pki.client()), key: { _tag: 'NotUsableHere', reason: 'it is in a TPM' } }),
  )
  assert.is(following.current(), before)
  assert.equal(
    problems.map((message) => /expired|is damaged|not signed by|TPM/.exec(message)?.[0]),
    ['expired', 'is damaged', 'not signed by', 'TPM'],
  )
  following.close()
})

test('takes a chain with its authority', async () => {
  const pki = await newPki()
  const { pem, key } = await pki.client()
  const following = follow({ credentials: credentialSource({ pem: pem + pki.ca, key, serial: '' }) })
  assert.ok(O.isSome(following.current().credential))
  following.close()
})

test('waits for a certificate that is not valid yet', async () => {
  const pki = await newPki()
  const source = credentialSource(await pki.client())
  const following = follow({ credentials: source })
  const before = following.current()
  const next = credential(await pki.client({ from: 1_500 }))
  source.set(O.some(next))
  assert.is(following.current(), before)
  await eventually('its time has come', () => O.toUndefined(following.current().credential)?.pem === next.pem)
  assert.ok(Date.now() >= next.certificate.notBefore)
  following.close()
})

test('trusts the new authority at once, and the outgoing one for the overlap', async ({ defer }) => {
  const [before, next] = [await newPki('old CA'), await newPki('new CA')]
  const [old, young] = [await recorder(before), await recorder(next)]
  const trust = variable(O.some(before.ca))
  const following = follow({ trust }, { trustOverlap: 300 })
  defer(async () => {
    following.close()
    await old.close()
    await young.close()
  })
  const believed = () =>
    Promise.all([old.port, young.port].map((port) => handshake(port, following.current().context)))
  assert.equal(await believed(), [true, false])
  trust.set(O.some(next.ca))
  assert.equal(await believed(), [true, true])
  await eventually('the overlap is over', async () => !(await believed())[0])
  assert.equal(await believed(), [false, true])
})

test('keeps the last good bundle, and trusts nobody when there has been none', async ({ defer }) => {
  const pki = await newPki()
  const server = await recorder(pki)
  const problems: Array<Problem> = []
  const onProblem = (problem: Problem) => problems.push(problem)
  const trust = variable(O.some(pki.ca))
  const following = follow({ trust }, { onProblem })
  const nobody = follow({ trust: variable(O.some('no bundle')) }, { onProblem })
  defer(async () => {
    following.close()
    nobody.close()
    await server.close()
  })
  trust.set(O.some(pki.ca.slice(0, 200)))
  assert.ok(await handshake(server.port, following.current().context))
  assert.equal(nobody.current().options().ca, [])
  assert.not(await handshake(server.port, nobody.current().context))
  assert.equal(
    problems.map(({ _tag }) => _tag),
    ['TrustUnusable', 'TrustUnusable'],
  )
})

test('shows no key in what it hands out', async () => {
  const pki = await newPki()
  const pair = await pki.client()
  const source = credentialSource(pair)
  const following = follow({ credentials: source })
  const line = pair.key.split('\n')[1] ?? ''
  const { inspect } = await import('node:util')
  assert.not.match(inspect(following.current(), { depth: 9, showHidden: true }), line)
  assert.not.match(JSON.stringify(following.current()), line)
  following.close()
})
