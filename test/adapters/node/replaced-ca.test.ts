/** The cluster's CA is replaced under an agent, and on its own server's port: that of the kubeconfig can no longer be verified. */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { parse, stringify } from 'yaml'
import type { RotationOptions } from '../../../adapters/node/index.js'
import { second } from '../../../src/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { right } from '../control-plane/client.js'
import { rotating, until, type World, world } from './world.js'

const test = suite('after the CA of the cluster was replaced', { together: 3 })

const policy = { probeInterval: second, submitInterval: second }

/** Whom the API takes a client for that goes by a kubeconfig and nothing else, as kubectl does. */
const whoamiBy = async (path: string): Promise<string> => {
  const { clusters, users } = parse(await readFile(path, 'utf8'))
  const { server, 'certificate-authority-data': authority } = clusters[0].cluster
  const pair = await readFile(users[0].user['client-certificate'])
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
  const ca = Buffer.from(authority, 'base64')
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent: false, ca, cert: pair, key: pair } as const
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    request(
      `${server}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
      { ...options, headers },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve(JSON.parse(text).status.userInfo?.username))
      },
    )
      .on('error', reject)
      .end(body)
  })
}

/** A certificate of the old CA in use, and a kubeconfig for it. */
const before = async (
  context: TestContext,
  more: (there: World) => Pick<RotationOptions, 'credentials'> = () => ({}),
) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  const rotation = await rotating(context, there, { kubeconfig, policy, ...more(there) })
  await rotation.issued()
  return { there, kubeconfig, rotation, written: await readFile(kubeconfig, 'utf8') }
}

const replaceAuthority = async ({ plane }: World) => right(await plane.replaceAuthority({ keepOld: false })())

/** What a fresh bootstrap kubeconfig says, changed. */
const freshBootstrap = async (
  there: World,
  change: (cluster: Readonly<Record<string, unknown>>) => object = (cluster) => cluster,
) => {
  const document = parse(there.plane.bootstrapKubeconfig())
  document.clusters[0].cluster = change(document.clusters[0].cluster)
  await writeFile(there.bootstrapKubeconfig, stringify(document), { mode: 0o600 })
}

const worksAgain = async (there: World, kubeconfig: string, written: string) => {
  await eventually(
    'the kubeconfig works',
    () =>
      whoamiBy(kubeconfig).then(
        (user) => user === 'system:node:worker-1',
        () => false,
      ),
    { deadline: 20_000 },
  )
  const { cluster } = parse(await readFile(kubeconfig, 'utf8')).clusters[0]
  assert.is(Buffer.from(cluster['certificate-authority-data'], 'base64').toString(), there.plane.authority())
  assert.is(await readFile(`${kubeconfig}.backup`, 'utf8'), written)
}

test('a fresh bootstrap kubeconfig is all it takes: the kubeconfig that is written works', async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context)
  const trusts: Array<unknown> = []
  rotation.trust.subscribe((authority) => trusts.push(authority))
  await replaceAuthority(there)
  const told = await eventually('it is told', () =>
    rotation.seen.find(({ reason }) => reason === 'ServerUntrusted'),
  )
  assert.match(told.message, `kubeconfig ${kubeconfig}: clusters[0].cluster.certificate-authority-data`)
  assert.is(told.to, 'Bootstrapping')
  assert.match(rotation.explain(), 'cannot be used: the API server cannot be verified since')
  await freshBootstrap(there)
  await worksAgain(there, kubeconfig, written)
  await until(rotation, 'Issued')
  await eventually('the outage is over', () =>
    rotation.seen.some(({ message }) => message.includes('the API answers again, after')),
  )
  assert.equal(rotation.warned.filter((line) => line.includes(`${kubeconfig}.backup`)).length, 1)
  assert.is(there.names().length, 2, 'one request more')
  assert.is(trusts.length, 1, 'what follows the rotation has the new CA')
})

test('so it is for an agent that was not running then', async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context)
  await rotation.stop()
  await replaceAuthority(there)
  await freshBootstrap(there)
  await rotating(context, there, { kubeconfig, policy })
  await worksAgain(there, kubeconfig, written)
})

test("credentials of the embedder's prove nothing about the bootstrap kubeconfig: it is not copied", async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context, ({ plane }) => ({
    credentials: {
      current: () =>
        TE.right({ token: O.some(plane.bootstrapToken), clientCertificate: O.none, expiresAt: O.none }),
      wasRejected: () => () => {},
    },
  }))
  await replaceAuthority(there)
  await eventually('it is told', () => rotation.seen.find(({ reason }) => reason === 'ServerUntrusted'))
  // The kubeconfig is corrected, the bootstrap kubeconfig still has the old CA.
  const document = parse(written)
  const authority = Buffer.from(there.plane.authority()).toString('base64')
  document.clusters[0].cluster['certificate-authority-data'] = authority
  const corrected = stringify(document)
  await writeFile(kubeconfig, corrected)
  await eventually('there is another certificate', () => there.names().length === 2, { deadline: 20_000 })
  await until(rotation, 'Issued')
  assert.is(await readFile(kubeconfig, 'utf8'), corrected)
})

test('an old bootstrap kubeconfig gets no token sent to a server that it cannot verify', async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context)
  await replaceAuthority(there)
  await eventually('both were tried', () => {
    const tried = rotation.seen.filter(({ reason }) => reason === 'ServerUntrusted')
    return ['held', 'bootstrap'].every((name) =>
      tried.some(({ message }) => message.includes(`with the ${name}`)),
    )
  })
  assert.is(await readFile(kubeconfig, 'utf8'), written)
  assert.is(there.names().length, 1)
  assert.equal(
    rotation.seen.filter(({ level }) => level === 'error').map(({ reason }) => reason),
    ['ServerUntrusted'],
  )
})

test('a bootstrap kubeconfig that verifies nothing is not copied into one that verifies, and costs one certificate', async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context)
  await replaceAuthority(there)
  await freshBootstrap(there, ({ server }) => ({ server, 'insecure-skip-tls-verify': true }))
  await eventually('another certificate is there', () => there.names().length === 2)
  await until(rotation, 'Issued')
  await eventually('the server is still not verified', () =>
    /not answered since .* \([3-9] failed/.test(rotation.explain()),
  )
  assert.is(there.names().length, 2)
  assert.is(await readFile(kubeconfig, 'utf8'), written)
  assert.match(rotation.warned.join('\n'), `${there.bootstrapKubeconfig} names no CA to verify it with`)
})

test('a kubeconfig that cannot be written keeps nobody from renewing, and is written when it can be', async (context) => {
  const { there, kubeconfig, rotation, written } = await before(context)
  await mkdir(`${kubeconfig}.kube-cert-rotation.tmp`)
  await replaceAuthority(there)
  await freshBootstrap(there)
  await eventually('another certificate is there', () => there.names().length === 2)
  await eventually('the outage is over', () =>
    rotation.seen.some(({ message }) => message.includes('the API answers again, after')),
  )
  assert.is(await readFile(kubeconfig, 'utf8'), written)
  assert.match(rotation.warned.join('\n'), `writing the kubeconfig ${kubeconfig}: `)
  await rmdir(`${kubeconfig}.kube-cert-rotation.tmp`)
  await worksAgain(there, kubeconfig, written)
})
