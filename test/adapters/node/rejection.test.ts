/** What a server says of our certificate, to whichever connection, reaches the machine. */
import { get } from 'node:https'
import * as O from 'fp-ts/lib/Option.js'
import { follow, httpsAgent, variable } from '../../../adapters/connections/index.js'
import type { RunningRotation } from '../../../adapters/node/index.js'
import { second } from '../../../src/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { ca } from '../kubernetes/fixture.js'
import { json, scriptedServer, status } from '../kubernetes/scripted-server.js'
import { strictServer } from '../kubernetes/strict-server.js'
import { rotating, world } from './world.js'

const test = suite('rejection seen by an embedder', { together: 4 })

/** Asks a server of somebody else as the rotation, in the way that the README shows. */
const ask = ({ defer }: TestContext, rotation: RunningRotation, url: string): void => {
  const following = follow(
    { credentials: rotation.credentials, trust: variable(O.some(ca.certificate)) },
    { onRejected: rotation.reportRejected },
  )
  const agent = httpsAgent(following)
  defer(() => {
    following.close()
    agent.destroy()
  })
  get(url, { agent }, (answer) => answer.resume()).on('error', () => {})
}

const answering = async (context: TestContext, code: number, message: string): Promise<string> => {
  const server = await scriptedServer(ca.sign('/CN=server', { san: 'IP:127.0.0.1' }))
  context.defer(server.stop)
  server.answer((_, response) => json(response, code, status(code, message)))
  return server.url
}

const cases: ReadonlyArray<readonly [string, string, (context: TestContext) => Promise<string>]> = [
  ['a 401', 'status 401', (context) => answering(context, 401, 'Unauthorized')],
  [
    'a 403 for system:anonymous',
    'status 403 for system:anonymous',
    (context) => answering(context, 403, 'pods is forbidden: User "system:anonymous" cannot list'),
  ],
  ['a TLS alert in the handshake', 'TLS alert unknown_ca', (context) => strictServer(context, ca, 'tls1_2')],
  ['a TLS alert after it', 'TLS alert unknown_ca', (context) => strictServer(context, ca, 'tls1_3')],
]

for (const [name, said, server] of cases)
  test(`${name} makes the rotation bootstrap anew`, async (context) => {
    const there = await world(context)
    const rotation = await rotating(context, there, { policy: { submitInterval: second } })
    const before = await rotation.issued()
    ask(context, rotation, await server(context))
    await eventually('it has another certificate', () => rotation.current()?.keyId !== before.keyId)
    const told = rotation.seen.find(({ reason }) => reason === 'CredentialRejected')
    assert.is(told?.to, 'Bootstrapping')
    assert.match(told?.message ?? '', said)
    const posts = there.calls().filter(({ method }) => method === 'POST')
    assert.equal(
      posts.map(({ certificateSerialNumber }) => certificateSerialNumber),
      [O.none, O.none],
    )
  })
