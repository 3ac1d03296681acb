import { spawn } from 'node:child_process'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { startControlPlane } from '../../../adapters/control-plane/index.js'
import { hour, instant } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { client, credentialsOf, issued, requestsPath, right, started } from './client.js'

const test = suite('control plane')

test('writes what clients start from, readable by its owner alone', async (context) => {
  const dataDir = join(await context.temporaryDirectory(), 'made', 'here')
  const controlPlane = await started(context, { dataDir })
  assert.equal((await readdir(dataDir)).sort(), [
    'admin.kubeconfig',
    'bootstrap-token',
    'bootstrap.kubeconfig',
    'ca.crt',
    'ca.key',
  ])
  for (const file of await readdir(dataDir)) {
    assert.is((await stat(join(dataDir, file))).mode & 0o777, 0o600, file)
  }
  assert.is((await stat(dataDir)).mode & 0o777, 0o700)
  const text = (name: string) => readFile(join(dataDir, name), 'utf8')
  assert.is(await text('ca.crt'), controlPlane.authority())
  assert.is(await text('admin.kubeconfig'), controlPlane.adminKubeconfig())
  assert.is(await text('bootstrap.kubeconfig'), controlPlane.bootstrapKubeconfig())
  assert.is(credentialsOf(await text('bootstrap.kubeconfig')).token, controlPlane.bootstrapToken.reveal())
})

test('keeps its authority and token over a restart, so that agents live on', async (context) => {
  const dataDir = await context.temporaryDirectory()
  const first = await started(context, { dataDir })
  const worker = await issued(context, first, 'csr-1')
  const version = Number(first.requests()[0]?.metadata.resourceVersion)
  await first.close()
  const second = await started(context, { dataDir })
  assert.is(second.authority(), first.authority())
  assert.is(second.bootstrapToken.reveal(), first.bootstrapToken.reveal())
  const calls = client(context, second, worker)
  const { code, json } = await calls.call('GET', requestsPath)
  assert.is(code, 200)
  assert.equal(json.at('items'), [])
  assert.ok(Number(json.at('metadata', 'resourceVersion')) > version)
  const { lines, ended } = await calls.watch(`resourceVersion=${version}`)
  await ended
  assert.is(lines[0]?.at('object', 'code'), 410)
})

test('says which port it cannot listen on', async (context) => {
  const { port } = await started(context)
  for (const [taken, reason] of [
    [port, 'EADDRINUSE'],
    [70_000, 'ERR_SOCKET_BAD_PORT'],
  ] as const) {
    const failed = await startControlPlane({ port: taken })()
    assert.ok(E.isLeft(failed))
    if (E.isLeft(failed)) {
      assert.is(failed.left._tag, 'CannotListen')
      assert.is(failed.left.message, `the control plane cannot listen on 127.0.0.1, port ${taken}: ${reason}`)
    }
  }
})

test('says why a data directory cannot be used', async (context) => {
  const directory = await context.temporaryDirectory()
  const failure = async (dataDir: string): Promise<string> => {
    const failed = await startControlPlane({ dataDir })()
    return E.isLeft(failed) ? `${failed.left._tag}: ${failed.left.message}` : 'it started'
  }
  await writeFile(join(directory, 'file'), '')
  assert.match(
    await failure(join(directory, 'file')),
    /^DataDirectoryUnusable: the data directory .* cannot be made: E/,
  )
  await writeFile(join(directory, 'bootstrap-token'), 'guess me')
  const badToken = await failure(directory)
  assert.match(badToken, /^DataDirectoryUnusable: the bootstrap token in .* is none$/)
  assert.not.match(badToken, /guess me/)
})

test('does not replace an authority that it kept and cannot use', async (context) => {
  const clock = { now: instant(Date.now()) }
  const options = { now: () => clock.now, authorityLifetime: hour }
  const dataDir = await context.temporaryDirectory()
  const other = await context.temporaryDirectory()
  const first = await started(context, { dataDir, ...options })
  await started(context, { dataDir: other })
  const kept = await readFile(join(dataDir, 'ca.key'), 'utf8')
  const failure = async (): Promise<string> => {
    const failed = await startControlPlane({ dataDir, ...options })()
    return E.isLeft(failed) ? `${failed.left._tag}: ${failed.left.message}` : 'it started'
  }
  const noPair = /^AuthorityUnusable: ca.crt and ca.key in .* are no pair$/
  for (const key of ['damaged', '', await readFile(join(other, 'ca.key'), 'utf8')]) {
    await writeFile(join(dataDir, 'ca.key'), key)
    assert.match(await failure(), noPair)
  }
  await rm(join(dataDir, 'ca.key'))
  assert.match(await failure(), noPair)
  await writeFile(join(dataDir, 'ca.key'), kept)
  clock.now = instant(clock.now + 2 * hour)
  assert.is(await failure(), 'AuthorityUnusable: the CA has expired')
  assert.is(await readFile(join(dataDir, 'ca.crt'), 'utf8'), first.authority())
})

test('serves under another host name too', async (context) => {
  const controlPlane = await started(context, { hostname: 'localhost' })
  assert.is(controlPlane.url, `https://localhost:${controlPlane.port}`)
  assert.is((await client(context, controlPlane).call('GET', '/healthz')).code, 200)
})

test('shows no token and no key when it is printed', async (context) => {
  const controlPlane = await started(context)
  const printed = inspect(controlPlane, { depth: 10 }) + JSON.stringify(controlPlane)
  assert.not.match(printed, controlPlane.bootstrapToken.reveal())
  assert.not.match(printed, /PRIVATE KEY|client-key-data/)
})

test('is closed once, twice is the same', async () => {
  const controlPlane = right(await startControlPlane()())
  await controlPlane.close()
  await controlPlane.close()
})

test('does not keep the process alive once it is closed', async ({ defer }) => {
  const module = new URL('../../../adapters/control-plane/index.js', import.meta.url).href
  const script = `const { startControlPlane } = await import(${JSON.stringify(module)})
    const { right } = await startControlPlane()()
    await right.close()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
  defer(() => child.kill())
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.is(code, 0)
})
