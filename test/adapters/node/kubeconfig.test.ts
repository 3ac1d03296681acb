import { copyFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { parse, stringify } from 'yaml'
import { memoryStore } from '../../../adapters/memory/index.js'
import { startRotation } from '../../../adapters/node/index.js'
import { instant, second, secret } from '../../../src/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { credentialsOf, issued } from '../control-plane/client.js'
import { rotating, type World, world } from './world.js'

const test = suite('kubeconfig that follows the certificate')

/** The cluster and the user that a kubeconfig names. */
const read = async (path: string) => {
  const { clusters, users } = parse(await readFile(path, 'utf8'))
  return { cluster: clusters[0].cluster, user: users[0].user }
}

/** A kubeconfig with the credential of a node, in itself or in files beside it. */
const nodeKubeconfig = async (context: TestContext, there: World, form: 'data' | 'files') => {
  const path = join(there.folder, 'kubeconfig')
  const { cert, key } = await issued(context, there.plane, 'earlier', { commonName: 'system:node:worker-1' })
  const files = { 'client-certificate': 'node.crt', 'client-key': 'node.key' }
  await writeFile(join(there.folder, 'node.crt'), cert)
  await writeFile(join(there.folder, 'node.key'), key, { mode: 0o600 })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const data = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) }
  const document = parse(there.plane.adminKubeconfig())
  document.users[0].user = form === 'data' ? data : files
  const text = stringify(document)
  await writeFile(path, text, { mode: 0o600 })
  return { path, text, cert }
}

const pointsToTheStore = async (path: string, there: World) => {
  const pair = join(there.certDir, 'kubelet-client-current.pem')
  const { user } = await read(path)
  assert.equal(user, { 'client-certificate': pair, 'client-key': pair })
}

test('is written before the first request, for its owner alone', async (context) => {
  const there = await world(context, { autoApprove: false })
  const kubeconfig = join(there.folder, 'new', 'kubeconfig')
  await rotating(context, there, { kubeconfig })
  await eventually('the request is there', () => there.names().length > 0)
  await pointsToTheStore(kubeconfig, there)
  const { cluster } = await read(kubeconfig)
  assert.is(cluster.server, there.plane.url)
  assert.is((await stat(kubeconfig)).mode & 0o777, 0o600)
})

test('is written also when the directory has a certificate already', async (context) => {
  const there = await world(context)
  const first = await rotating(context, there)
  await first.issued()
  await first.stop()
  const kubeconfig = join(there.folder, 'kubeconfig')
  const second_ = await rotating(context, there, { kubeconfig, policy: { probeInterval: 0 } })
  await second_.issued()
  await pointsToTheStore(kubeconfig, there)
})

test('is written again by the next request when somebody deleted it, and does not keep that from being made', async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  const rotation = await rotating(context, there, { kubeconfig, policy: { submitInterval: 1_000 } })
  const { serialNumber } = await rotation.issued()
  await rm(kubeconfig)
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== serialNumber)
  await pointsToTheStore(kubeconfig, there)
})

test('keeps the server name and finds the server by it', async (context) => {
  const there = await world(context, { hostname: 'control-plane.example.test' })
  const document = parse(there.plane.bootstrapKubeconfig())
  document.clusters[0].cluster.server = `https://127.0.0.1:${there.plane.port}`
  document.clusters[0].cluster['tls-server-name'] = 'control-plane.example.test'
  await writeFile(there.bootstrapKubeconfig, stringify(document), { mode: 0o600 })
  const kubeconfig = join(there.folder, 'kubeconfig')
  const rotation = await rotating(context, there, { kubeconfig })
  await rotation.issued()
  const { cluster } = await read(kubeconfig)
  assert.is(cluster['tls-server-name'], 'control-plane.example.test')
})

for (const form of ['data', 'files'] as const)
  test(`is taken over with its certificate as ${form}, which is renewed at once`, async (context) => {
    const there = await world(context)
    const { path, text, cert } = await nodeKubeconfig(context, there, form)
    const rotation = await rotating(context, there, {
      kubeconfig: path,
      bootstrapKubeconfig: join(there.folder, 'none'),
      policy: { submitInterval: second },
    })
    assert.is((await rotation.issued()).certificate.trim(), cert.trim())
    await eventually('it is renewed', () => rotation.current()?.certificate.trim() !== cert.trim())
    await pointsToTheStore(path, there)
    assert.is(await readFile(`${path}.backup`, 'utf8'), text)
    assert.ok(rotation.warned.some((warning) => warning.includes(`${path}.backup`)))
    assert.equal((await readdir(there.certDir)).filter((name) => /-\d{4}-/.test(name)).length, 2)
  })

/** Puts the node's files where a kubelet's store looks when it has no pair of its own. */
const asSeparateFiles = async ({ folder, certDir }: World): Promise<void> => {
  await mkdir(certDir, { mode: 0o700 })
  for (const kind of ['crt', 'key'])
    await copyFile(join(folder, `node.${kind}`), join(certDir, `kubelet-client.${kind}`))
}

test('is not made to point to what is not there: where the store has but kubelet-client.crt and .key, its own pair goes before them', async (context) => {
  const there = await world(context)
  const { path, text, cert } = await nodeKubeconfig(context, there, 'files')
  await asSeparateFiles(there)
  // The API is away: nothing is renewed for now.
  await writeFile(path, text.replace(there.plane.url, 'https://127.0.0.1:1'))
  const rotation = await rotating(context, there, { kubeconfig: path })
  await rotation.issued()
  await pointsToTheStore(path, there)
  const stored = await readFile(join(there.certDir, 'kubelet-client-current.pem'), 'utf8')
  assert.ok(stored.startsWith(cert.trim()))
  assert.ok(rotation.seen.some(({ reason }) => reason === 'RotationRequested'))
})

test('is given a certificate at once where the store has but kubelet-client.crt and .key', async (context) => {
  const there = await world(context)
  const { path, cert } = await nodeKubeconfig(context, there, 'files')
  await asSeparateFiles(there)
  await rm(path)
  const before = there.names().length
  const rotation = await rotating(context, there, { kubeconfig: path })
  assert.is((await rotation.issued()).certificate.trim(), cert.trim())
  await eventually('it is renewed', () => rotation.seen.some(({ reason }) => reason === 'Installed'))
  await pointsToTheStore(path, there)
  const stored = await readFile(join(there.certDir, 'kubelet-client-current.pem'), 'utf8')
  assert.ok(stored.startsWith(rotation.current()?.certificate.trim() ?? 'none'))
  assert.ok(
    rotation.seen.some(({ message }) => message.includes('no certificate where the kubeconfig points')),
  )
  assert.is(there.names().length, before + 1)
})

test('is left alone after it was taken over, also by the next start', async (context) => {
  const there = await world(context)
  const { path } = await nodeKubeconfig(context, there, 'data')
  const first = await rotating(context, there, { kubeconfig: path })
  await eventually('it is renewed', () => first.seen.some(({ reason }) => reason === 'Installed'))
  await first.stop()
  const requests = there.names().length
  const second_ = await rotating(context, there, { kubeconfig: path })
  await second_.issued()
  assert.is(there.names().length, requests)
  assert.equal(
    (await readdir(there.folder)).filter((name) => name.includes('backup-')),
    [],
  )
})

for (const [name, text] of [
  ['only a token', (there: World) => there.plane.bootstrapKubeconfig()],
  ['no sense', () => 'clusters: 1\n'],
] as const)
  test(`is overwritten when it has ${name}, and kept beside`, async (context) => {
    const there = await world(context)
    const kubeconfig = join(there.folder, 'kubeconfig')
    const before = text(there)
    await writeFile(kubeconfig, before)
    const rotation = await rotating(context, there, { kubeconfig })
    await rotation.issued()
    await pointsToTheStore(kubeconfig, there)
    assert.is(await readFile(`${kubeconfig}.backup`, 'utf8'), before)
  })

test('that cannot be written is told, and keeps no certificate from being had', async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  await copyFile(there.bootstrapKubeconfig, kubeconfig)
  await mkdir(`${kubeconfig}.backup`)
  const rotation = await rotating(context, there, { kubeconfig })
  await rotation.issued()
  const told = rotation.warned.filter((message) =>
    message.startsWith(`writing the kubeconfig ${kubeconfig}: `),
  )
  assert.is(told.length, 1, rotation.warned.join('\n'))
  assert.match(told[0] ?? '', 'it does not follow the certificate')
})

test('is not the bootstrap kubeconfig, whose token it would overwrite', async (context) => {
  const there = await world(context)
  const text = await readFile(there.bootstrapKubeconfig, 'utf8')
  const link = join(there.folder, 'link')
  await symlink(there.bootstrapKubeconfig, link)
  for (const bootstrapKubeconfig of [there.bootstrapKubeconfig, link]) {
    const kubeconfig = there.bootstrapKubeconfig
    const error: unknown = await rotating(context, there, { kubeconfig, bootstrapKubeconfig }).catch((e) => e)
    assert.match(error instanceof Error ? error.message : '', 'whose token would be overwritten')
  }
  assert.is(await readFile(there.bootstrapKubeconfig, 'utf8'), text)
})

test('says where the API is without a bootstrap kubeconfig', async (context) => {
  const there = await world(context)
  const first = await rotating(context, there, { kubeconfig: join(there.folder, 'kubeconfig') })
  const { serialNumber } = await first.issued()
  await first.stop()
  const { certDir, folder } = there
  const rotation = await rotating(context, there, {
    bootstrapKubeconfig: join(folder, 'none'),
    kubeconfig: join(folder, 'kubeconfig'),
    certDir,
    policy: { submitInterval: second },
  })
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== serialNumber)
})

test('says where the API is to a store of your own, and is not written', async (context) => {
  const there = await world(context)
  const { cert, key } = await issued(context, there.plane, 'earlier', { commonName: 'system:node:worker-1' })
  const kubeconfig = join(there.folder, 'kubeconfig')
  const text = there.plane.adminKubeconfig()
  await writeFile(kubeconfig, text, { mode: 0o600 })
  const pair = { location: 'memory', pem: cert, key: secret(key), receivedAt: instant(Date.now()) }
  const store = memoryStore({ pairs: [pair] })
  const rotation = await startRotation({ kubeconfig, nodeName: 'worker-1', ports: { store } })
  context.defer(rotation.stop)
  const { serialNumber } = await rotation.issued()
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== serialNumber)
  assert.is(await readFile(kubeconfig, 'utf8'), text)
  const [post] = there
    .calls()
    .filter(
      ({ method, certificateSerialNumber }) =>
        method === 'POST' && serialNumber === O.toUndefined(certificateSerialNumber),
    )
  assert.ok(post, 'requests go out with the certificate of the store')
})

test('does not put the credential of the bootstrap kubeconfig where others read it', async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  const rotation = await rotating(context, there, { kubeconfig })
  await rotation.issued()
  const { token = '' } = credentialsOf(there.plane.bootstrapKubeconfig())
  assert.ok(token.length > 20)
  assert.not.match(await readFile(kubeconfig, 'utf8'), token)
})
