import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { wallClock } from '../../../adapters/platform/clock.js'
import { windowsFromConfigMap } from '../../../adapters/windows/config-map.js'
import { configMapName } from '../../../adapters/windows/config-map-name.js'
import { firstOf, windowsFromFile } from '../../../adapters/windows/file.js'
import type { RenewalWindows } from '../../../src/ports.js'
import { interruption } from '../../../src/signal.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { at, held as heldCertificate } from '../../src/samples.js'
import { ca, clusterAt, held, setUp } from '../kubernetes/fixture.js'

const test = suite('sources of renewal windows')

const document = (reason: string) =>
  `start: 2099-11-23T13:00:00Z\nend: 2099-11-23T14:00:00Z\nreason: ${reason}\n`
const identity = held(ca.sign('/CN=system:node:worker-1'))
const certificate = {
  ...heldCertificate({ notAfter: at(100 * 366 * 86_400_000) }),
  credential: identity._tag === 'Held' ? O.some(identity.credential) : O.none,
}

/** The reason of the window that is suggested; `-`: none; else why that is not known, and the cure. */
const ask = async ({ suggest }: RenewalWindows) => {
  const found = await suggest(certificate, interruption().signal)()
  if (E.isRight(found)) return O.toUndefined(found.right.window)?.reason ?? '-'
  return found.left._tag === 'Interrupted' ? 'interrupted' : `${found.left.message}; ${found.left.remedy}`
}

const inCluster = async (context: TestContext) => {
  const { server } = await setUp(context)
  const windows = windowsFromConfigMap({
    namespace: 'kube-system',
    name: 'renewal-windows',
    labels: {},
    cluster: TE.right(clusterAt(server.url)),
    clock: wallClock,
  })
  const watches: Array<ServerResponse> = []
  let watched = () => {}
  const isWatched = new Promise<void>((resolve) => {
    watched = resolve
  })
  const state: { status: number; data: Record<string, string> | undefined } = { status: 200, data: {} }
  server.answer(({ query }, response) => {
    response.writeHead(query.has('watch') ? 200 : state.status, { 'content-type': 'application/json' })
    if (!query.has('watch')) {
      const { data } = state
      return void response.end(
        JSON.stringify(state.status === 200 ? { metadata: { resourceVersion: '7' }, data } : {}),
      )
    }
    response.flushHeaders()
    watches.push(response)
    watched()
  })
  return { server, windows, watches, state, isWatched }
}

test('reads a ConfigMap with the certificate held, and hears of a change by a watch', async (context) => {
  const { server, windows, watches, state, isWatched } = await inCluster(context)
  state.data = { 'a.yaml': document('the CA is replaced') }
  let news = () => {}
  const heard = new Promise<void>((resolve) => {
    news = resolve
  })
  const unsubscribe = windows.subscribe?.(() => news())
  context.defer(() => unsubscribe?.())
  assert.is(await ask(windows), 'the CA is replaced')
  await isWatched
  const [read, watch] = server.seen
  assert.is(read?.path, '/api/v1/namespaces/kube-system/configmaps/renewal-windows')
  assert.is(read?.certificate, 'system:node:worker-1')
  assert.is(watch?.path, '/api/v1/namespaces/kube-system/configmaps')
  assert.is(watch?.query.get('fieldSelector'), 'metadata.name=renewal-windows')
  assert.is(watch?.query.get('resourceVersion'), '7')
  state.data = undefined
  watches[0]?.write('{"type":"MODIFIED","object":{}}\n')
  await heard
  assert.is(await ask(windows), '-')
})

test('names the place in a ConfigMap, and the role that is missing', async (context) => {
  const { windows, state } = await inCluster(context)
  context.defer(() => windows.subscribe?.(() => {})())
  state.data = { 'a.yaml': document('good'), 'b.yaml': `- ${document('bad').replaceAll('\n', '\n  ')}x: 1\n` }
  assert.match(
    await ask(windows),
    /^renewal windows of ConfigMap kube-system\/renewal-windows: data\["b\.yaml"\]: \[0\]\.x is no field/,
  )
  state.status = 403
  assert.match(
    await ask(windows),
    /let its user get and watch ConfigMap renewal-windows in namespace kube-system/,
  )
  state.status = 404
  assert.is(await ask(windows), '-')
})

test('reads a file again each time, and says what is wrong with it', async ({ defer }) => {
  const directory = mkdtempSync(join(tmpdir(), 'windows-'))
  defer(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'windows.yaml')
  const windows = windowsFromFile(path, {}, wallClock)
  assert.match(await ask(windows), /^renewal windows of .*windows\.yaml: cannot be read: /)
  writeFileSync(path, document('one'))
  assert.is(await ask(windows), 'one')
  writeFileSync(path, '')
  assert.is(await ask(windows), '-')
})

test('of two sources the first counts that suggests something, and none while one is not known', async () => {
  const source = (answer: ReturnType<RenewalWindows['suggest']>): RenewalWindows => ({
    suggest: () => answer,
  })
  const says = (reason: string) =>
    source(
      TE.right({
        window: O.some({ start: at(1), end: at(2), reason, source: 'a test' }),
        askAgainAfter: 60_000,
      }),
    )
  const none = source(TE.right({ window: O.none, askAgainAfter: 60_000 }))
  assert.is(await ask(firstOf([none, says('second')])), 'second')
  assert.is(await ask(firstOf([says('first'), says('second')])), 'first')
  assert.is(await ask(firstOf([none])), '-')
  assert.is(await ask(firstOf([none, source(TE.left({ _tag: 'Interrupted' }))])), 'interrupted')
})

test('takes NAMESPACE/NAME for the name of a ConfigMap', () => {
  assert.equal(configMapName('kube-system/renewal.windows'), {
    namespace: 'kube-system',
    name: 'renewal.windows',
  })
  for (const text of ['windows', 'a/b/c', '/b', 'a/', 'a/../b', 'A/b'])
    assert.is(configMapName(text), undefined)
})
