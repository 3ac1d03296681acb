import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { serveMetrics } from '../../../adapters/metrics/index.js'
import { type Metrics, noMetrics } from '../../../src/metrics/metrics.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { at } from '../../src/samples.js'
import { left, right } from '../outcome.js'
import { busyMetrics } from './sample.js'

const test = suite('metrics over HTTP')

const serving = async ({ defer }: TestContext, metrics: () => Metrics) => {
  const { url, close } = await right(serveMetrics({ host: '127.0.0.1', port: 0 }, { metrics }))
  defer(close)
  return async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init)
    return { code: response.status, type: response.headers.get('content-type'), text: await response.text() }
  }
}

const unusable = { ...busyMetrics, usable: 0 }

test('serves metrics in the format that is asked for', async (context) => {
  const get = await serving(context, () => busyMetrics)
  const plain = await get('/metrics')
  assert.is(plain.code, 200)
  assert.is(plain.type, 'text/plain; version=0.0.4; charset=utf-8')
  assert.match(plain.text, '\nkubelet_certificate_manager_client_ttl_seconds 86400\n')
  assert.match(plain.text, /\nkube_cert_rotation_event_loop_delay_seconds\{statistic="p99"\} [\d.e-]+\n/)
  const open = await get('/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0' } })
  assert.is(open.type, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  assert.match(open.text, /# EOF\n$/)
})

test("answers health as Kubernetes' components do", async (context) => {
  let now: Metrics = busyMetrics
  const get = await serving(context, () => now)
  for (const path of ['/livez', '/readyz', '/healthz']) {
    const { code, text } = await get(path)
    assert.equal([code, text], [200, 'ok'])
  }
  assert.is(
    (await get('/readyz?verbose')).text,
    '[+]ping ok\n[+]rotation ok\n[+]certificate ok\nreadyz check passed\n',
  )
  now = unusable
  assert.is((await get('/livez')).code, 200, 'it lives without a certificate')
  for (const path of ['/readyz', '/healthz?verbose']) {
    const { code, text } = await get(path)
    const name = path.slice(1).replace('?verbose', '')
    assert.is(code, 500)
    assert.is(
      text,
      `[+]ping ok\n[+]rotation ok\n[-]certificate failed: no certificate works\n${name} check failed\n`,
    )
  }
  const excluding = await get('/readyz?verbose&exclude=certificate')
  assert.is(excluding.code, 200)
  assert.match(excluding.text, '[+]certificate excluded: ok')
  now = { ...unusable, states: { ...unusable.states, Issued: 3 }, usable: 1 }
  assert.match((await get('/readyz')).text, '2 of 3 rotations have no certificate that works')
  now = noMetrics(at(0))
  const { code, text } = await get('/livez')
  assert.is(code, 500)
  assert.match(text, '[-]rotation failed: no rotation is running')
})

test('refuses everything else, and says what there is', async (context) => {
  const get = await serving(context, () => busyMetrics)
  assert.is((await get('/metrics', { method: 'POST' })).code, 405)
  const missing = await get('/metrics/x')
  assert.is(missing.code, 404)
  assert.match(missing.text, '/metrics /livez /readyz /healthz')
  assert.is((await get('/')).code, 200)
  assert.is((await get('/toString')).code, 404)
  const head = await get('/metrics', { method: 'HEAD' })
  assert.equal([head.code, head.text], [200, ''])
})

test('survives what is no path', async (context) => {
  const { url, close } = await right(
    serveMetrics({ host: '127.0.0.1', port: 0 }, { metrics: () => busyMetrics }),
  )
  context.defer(close)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET http:// HTTP/1.1\r\nhost: a\r\n\r\n')
  const [answer] = await once(socket.setEncoding('utf8'), 'data')
  assert.match(String(answer), /^HTTP\/1.1 400 /)
  socket.destroy()
})

test('says who is in the way when the address is taken', async (context) => {
  const other = createServer()
  context.defer(() => other.close())
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const bound = other.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  const error = await left(serveMetrics({ host: '127.0.0.1', port }, { metrics: () => busyMetrics }))
  assert.match(`${error.message}; ${error.remedy}`, `served at 127.0.0.1:${port}: `)
  assert.match(error.remedy, /who has that port.*--metrics-bind-address/)
  assert.ok(E.isLeft(await serveMetrics({ host: '192.0.2.1', port: 0 }, { metrics: () => busyMetrics })()))
})
