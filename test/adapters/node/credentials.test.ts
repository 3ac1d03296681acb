/** Rotations that ask with the credentials of others, against the embedded control plane. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { parse, stringify } from 'yaml'
import type { UserToken } from '../../../adapters/control-plane/index.js'
import { openFleet } from '../../../adapters/node/index.js'
import { type Credentials, secret } from '../../../src/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { program } from '../command-line/program.js'
import { issued } from '../control-plane/client.js'
import { answering, script, v1 } from '../credentials/plugins.js'
import { rotating, type World, world } from './world.js'

const test = suite('asking with the credentials of others')

/** Who asks, and is approved as a bootstrapper is. */
const agent = { name: 'system:serviceaccount:agents:renewer', groups: ['system:bootstrappers'] }

/** A world where the tokens count that are in the list at the moment. */
const withTokens = async (context: TestContext) => {
  const tokens: Array<UserToken> = []
  const there = await world(context, { tokens: () => tokens })
  const accept = (...texts: ReadonlyArray<string>) => {
    tokens.splice(0, tokens.length, ...texts.map((text) => ({ token: secret(text), user: agent })))
  }
  const created = () => there.calls().filter(({ method }) => method === 'POST')
  return { there, accept, created }
}

const kubeconfigFor = async (there: World, user: object): Promise<string> => {
  const document = parse(there.plane.bootstrapKubeconfig())
  document.users[0].user = user
  const path = join(there.folder, 'credentials.kubeconfig')
  await writeFile(path, stringify(document), { mode: 0o600 })
  return path
}

test('a plugin is run once for a fleet, and once more when its token is rejected', async (context) => {
  const { there, accept, created } = await withTokens(context)
  accept('token-one')
  const { runs, does } = await script(there.folder, answering({ token: 'token-one' }))
  const bootstrapKubeconfig = await kubeconfigFor(there, {
    exec: { apiVersion: v1, command: './plugin', interactiveMode: 'IfAvailable' },
  })
  const fleet = openFleet()
  context.defer(fleet.stop)
  const start = (nodeName: string) =>
    fleet.start({ nodeName, certDir: join(there.folder, nodeName), bootstrapKubeconfig })
  const members = await Promise.all(['a', 'b', 'c'].map(start))
  await Promise.all(members.map((member) => member.issued()))
  assert.is(await runs(), 1)
  // The provider took the token back before its time.
  accept('token-two')
  await does(answering({ token: 'token-two' }))
  await (await start('d')).issued()
  assert.is(await runs(), 2)
  assert.equal(
    created().map(({ code }) => code),
    [201, 201, 201, 401, 201],
  )
})

test('a plugin that answers nothing usable sends no request, and loses nothing', async (context) => {
  const { there, accept, created } = await withTokens(context)
  accept('token-one')
  const expired = answering({ token: 'token-one', expirationTimestamp: '2020-01-01T00:00:00Z' })
  const { does } = await script(there.folder, expired)
  const bootstrapKubeconfig = await kubeconfigFor(there, {
    exec: { apiVersion: v1, command: './plugin', interactiveMode: 'Never' },
  })
  const rotation = await rotating(context, there, { bootstrapKubeconfig })
  const { message } = await eventually('it is told', () =>
    rotation.seen.find(({ reason }) => reason === 'NoCredential'),
  )
  assert.match(message, 'answered with a credential that expired at 2020-01-01T00:00:00Z')
  assert.is(there.calls().length, 0)
  await does(answering({ token: 'token-one' }))
  await rotation.issued()
  assert.is(created().length, 1)
})

test('a certificate of a plugin is asked with', async (context) => {
  const there = await world(context)
  const { cert, key } = await issued(context, there.plane, 'plugin', {
    commonName: 'system:node:worker-1',
    organizations: ['system:nodes'],
  })
  await script(there.folder, answering({ clientCertificateData: cert, clientKeyData: key }))
  const bootstrapKubeconfig = await kubeconfigFor(there, {
    exec: { apiVersion: v1, command: './plugin', interactiveMode: 'Never' },
  })
  await (await rotating(context, there, { bootstrapKubeconfig })).issued()
  const users = there.calls().flatMap(({ method, user }) => (method === 'POST' ? [user] : []))
  assert.equal(users, [O.some('kubernetes-admin'), O.some('system:node:worker-1')])
})

test('a token file that is replaced is asked with, also where the server knows before we do', async (context) => {
  const { there, accept, created } = await withTokens(context)
  accept('first')
  const token = join(there.folder, 'token')
  await writeFile(token, 'first')
  const kubeconfig = await kubeconfigFor(there, { tokenFile: 'token' })
  const rotation = await rotating(context, there, {
    kubeconfig,
    policy: { authenticateWith: 'external', submitInterval: 1_000 },
  })
  await rotation.issued()
  accept('second')
  await writeFile(token, 'second')
  rotation.rotateNow()
  await eventually('it is renewed', () => created().length === 2 && rotation.state()._tag === 'Issued')
  assert.equal(
    created().map(({ code }) => code),
    [201, 201],
  )
})

test('credentials of an embedder take the place of those of the kubeconfig', async (context) => {
  const { there, accept } = await withTokens(context)
  accept('second')
  const bootstrapKubeconfig = await kubeconfigFor(there, { token: 'of-nobody' })
  const tokens = ['first', 'second']
  const rejected: Array<string | undefined> = []
  const credentials: Credentials = {
    current: () =>
      TE.right({
        token: O.some(secret(tokens[rejected.length] ?? '')),
        clientCertificate: O.none,
        expiresAt: O.none,
      }),
    wasRejected:
      ({ token }) =>
      () =>
        rejected.push(O.toUndefined(token)?.reveal()),
  }
  await (await rotating(context, there, { bootstrapKubeconfig, credentials })).issued()
  assert.equal(rejected, ['first'])
})

test('KUBECONFIG says where the API is when no kubeconfig is named', async (context) => {
  const there = await world(context)
  const { KUBECONFIG } = process.env
  context.defer(() => {
    if (KUBECONFIG === undefined) delete process.env['KUBECONFIG']
    else process.env['KUBECONFIG'] = KUBECONFIG
  })
  process.env['KUBECONFIG'] = `${join(there.folder, 'missing')}:${there.bootstrapKubeconfig}`
  const fleet = openFleet()
  context.defer(fleet.stop)
  const rotation = await fleet.start({ nodeName: 'a', certDir: there.certDir })
  await rotation.issued()
  assert.is(rotation.server(), there.plane.url)

  const running = program(
    context,
    'run',
    `--cert-dir=${join(there.folder, 'other')}`,
    '--hostname-override=b',
    '--once',
  )
  assert.is((await running.ended).code, 0)
  assert.match(
    running.stdout(),
    `no kubeconfig is named: uses kubeconfig ${process.env['KUBECONFIG']} (KUBECONFIG)`,
  )
})
