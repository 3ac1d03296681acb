/** A running agent as those who look at it see it: over HTTP, over its socket, on a terminal. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { parseBindAddress } from '../../../adapters/command-line/bind-address.js'
import { explainCommand } from '../../../adapters/command-line/explain.js'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { assert, suite, type TestContext, eventually as within } from '../../helper/index.js'
import { json } from '../control-plane/client.js'
import { rotating, type World, world } from '../node/world.js'
import { inProcess, programHere } from './in-process.js'
import { main, type Program, program, start, logged as within5s } from './program.js'

const test = suite('seen')

/** Processes take their time to start where many do. */
const patience = { deadline: 20_000 }
const eventually = <A>(what: string, probe: Parameters<typeof within<A>>[1]) => within(what, probe, patience)
const logged = (running: Program, field: string, value: string) => within5s(running, field, value, patience)

const run = (context: TestContext, there: World, ...more: ReadonlyArray<string>): Program =>
  programHere(
    context,
    'run',
    `--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`,
    `--kubeconfig=${join(there.folder, 'kubeconfig')}`,
    `--cert-dir=${there.certDir}`,
    '--hostname-override=worker-1',
    '--log-format=json',
    ...more,
  )

const noTerminal =
  spawnSync('script', ['--version']).error === undefined ? undefined : 'no script(1) to make a terminal with'

/** Where it says that it serves. */
const servedAt = (running: Program): Promise<string> =>
  eventually(
    'it says where it serves',
    () => /served at (http:\/\/\S+)\/metrics,/.exec(running.stdout())?.[1],
  )

test('serves metrics and health on loopback when it is told to', { deadline: 60_000 }, async (context) => {
  const there = await world(context, { autoApprove: false })
  const running = run(context, there, '--metrics-bind-address=:0')
  const url = await servedAt(running)
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await logged(running, 'to', 'Pending')
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`)
    return { code: response.status, text: await response.text() }
  }
  assert.is((await get('/livez')).code, 200)
  const ready = await get('/readyz')
  assert.equal([ready.code, /certificate failed/.test(ready.text)], [500, true])
  const waiting = await get('/metrics')
  assert.match(waiting.text, '\nkube_cert_rotation_state{state="Pending"} 1\n')
  assert.match(waiting.text, '\nkubelet_certificate_manager_client_ttl_seconds +Inf\n')
  const [name = ''] = there.names()
  await there.decide(name, 'Approved')
  await logged(running, 'reason', 'Installed')
  assert.is((await get('/readyz')).text, 'ok')
  const { text } = await get('/metrics')
  for (const row of [
    /^kube_cert_rotation_state\{state="Issued"\} 1$/m,
    /^kube_cert_rotation_requests_total\{outcome="issued"\} 1$/m,
    /^kube_cert_rotation_installed_total 1$/m,
    /^kubelet_certificate_manager_client_ttl_seconds 315\d{5}$/m,
    /^kube_cert_rotation_next_renewal_timestamp_seconds \d{10}(\.\d+)?$/m,
  ])
    assert.match(text, row)
  running.kill('SIGTERM')
  assert.equal(await running.ended, { code: 0, signal: null })
})

test('measures and explains the serving certificate too', { deadline: 60_000 }, async (context) => {
  const there = await world(context)
  const running = run(
    context,
    there,
    '--metrics-bind-address=:0',
    '--rotate-server-certificates',
    '--server-addresses=worker-1,192.0.2.1',
  )
  const url = await servedAt(running)
  await eventually('both are there', async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    const isOne = (state: string) => text.includes(`\nkube_cert_rotation_state{state="${state}"} 1\n`)
    // Issued, and stored: one that was only delivered is not in use.
    return isOne('Issued') && isOne('Pending') && text.includes('\nkube_cert_rotation_installed_total 1\n')
  })
  const ready = await fetch(`${url}/readyz`)
  assert.is(ready.status, 500)
  assert.match(await ready.text(), '1 of 2 rotations have no certificate that works')
  running.kill('SIGUSR2')
  await eventually('both are explained', () => /SIGUSR2: serving: .*approv/.test(running.stdout()))
  running.kill('SIGTERM')
  assert.equal(await running.ended, { code: 0, signal: null })
})

test('goes on when the address is taken, and says so', { deadline: 60_000 }, async (context) => {
  const other = createServer()
  context.defer(() => other.close())
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const bound = other.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  const running = run(context, await world(context), `--metrics-bind-address=127.0.0.1:${port}`, '--once')
  assert.equal(await running.ended, { code: 0, signal: null })
  assert.match(running.stdout(), `metrics cannot be served at 127.0.0.1:${port}`)
})

for (const [text, address] of [
  [':9090', { host: '127.0.0.1', port: 9090 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['[::1]:80', { host: '::1', port: 80 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['0', undefined],
] as const)
  test(`reads --metrics-bind-address=${text}`, () => {
    assert.equal(parseBindAddress(text), E.right(address))
  })

for (const text of ['9090', ':', ':70000', 'http://a:1', '::1:80', 'a b:1', '[::1]'])
  test(`refuses --metrics-bind-address=${text}`, () => {
    assert.is(parseBindAddress(text)._tag, 'Left')
  })

test('status says what the running agent knows: what it waits for, and what failed', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  const [name = ''] = await eventually('it is sent', () => there.names().length > 0 && there.names())
  await eventually('it is known', () => rotation.state()._tag === 'Pending')
  const status = () => inProcess(statusCommand, '--cert-dir', there.certDir)
  const pending = await status()
  assert.is(pending.code, 1)
  assert.match(pending.stdout, /^state +Pending$/m)
  assert.match(pending.stdout, new RegExp(`^waits for +approval of request ${name}, since 2`, 'm'))
  await there.decide(name, 'Denied', 'NotToday')
  await eventually('it knows', () => rotation.state()._tag === 'Bootstrapping')
  const { stdout } = await inProcess(statusCommand, '--cert-dir', there.certDir, '-o', 'json')
  const report = json(stdout)
  assert.is(report.at('lastFailure', 'reason'), 'Denied')
  assert.match(String(report.at('waitsFor', 'what')), 'the next attempt after Denied')
  const checked = await inProcess(statusCommand, '--cert-dir', there.certDir, '--check')
  assert.is(checked.code, 2)
  assert.match(checked.stdout, /^CERTIFICATE CRITICAL: there is no certificate: Denied, request .*NotToday/)
})

test('explain says why, what is next and what to do: by the agent, by the files, by the event log', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const log = join(there.folder, 'events')
  const running = run(context, there, `--event-log=${log}`)
  await logged(running, 'to', 'Pending')
  const [name = ''] = there.names()
  const explained = (...args: ReadonlyArray<string>) => inProcess(explainCommand, ...args)
  const byAgent = await explained('--cert-dir', there.certDir)
  assert.is(byAgent.code, 0)
  for (const part of [
    `The directory is ${there.certDir}. Its agent: `,
    `, process ${running.pid} on `,
    `The state is Pending. Request ${name} waits for approval`,
    `- look at the request with kubectl describe csr ${name}, and approve it`,
    'What happened last:',
    'INFO  Submitted: request sent with the bootstrap credential',
  ])
    assert.match(byAgent.stdout, part)
  running.kill('SIGTERM')
  await running.ended
  const byFiles = await explained('--cert-dir', there.certDir)
  assert.match(byFiles.stdout, 'Its agent: nobody')
  assert.match(byFiles.stdout, '- start the agent (kube-cert-rotation run')
  const byLog = await explained(log)
  assert.is(byLog.code, 0)
  assert.match(byLog.stdout, /^At \S+, by the event log \(.*events:\d+\):$/m)
  assert.match(byLog.stdout, `The state is Pending. Request ${name} waits for approval`)
  const before = await explained(log, '--at=2020-01-01T00:00:00Z')
  assert.is(before.code, 2)
  assert.match(before.stderr, 'nothing is known of 2020-01-01T00:00:00Z')
  assert.is((await explained(join(there.folder, 'none'))).code, 2)
  assert.is((await explained('--cert-dir=/dev/null')).code, 1)
})

test('status --watch tells changes in lines where there is no terminal', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const watching = program(context, 'status', '--watch', '--cert-dir', there.certDir)
  await eventually('it tells of nothing', () =>
    /kubelet-client: Bootstrapping; no certificate/.test(watching.stdout()),
  )
  await rotating(context, there)
  const [name = ''] = await eventually('it is sent', () => there.names().length > 0 && there.names())
  await eventually('it tells of the request', () => watching.stdout().includes(`approval of request ${name}`))
  await there.decide(name, 'Approved')
  await eventually('it tells of the certificate', () =>
    /Issued; certificate \w+ until/.test(watching.stdout()),
  )
  watching.kill('SIGINT')
  assert.equal(await watching.ended, { code: 0, signal: null })
  assert.not.match(watching.stdout(), '\u001b')
})

test('status --watch draws on a terminal of 80 columns', {
  skip: noTerminal,
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const command = `stty cols 80; export TERM=xterm; exec ${process.execPath} ${main} status --watch --cert-dir ${there.certDir}`
  const watching = start(context, 'script', '-qec', command, '/dev/null')
  await eventually('it is drawn twice', () => watching.stdout().split('\u001b[H\u001b[2J').length > 2)
  const [, drawn = ''] = watching.stdout().split('\u001b[H\u001b[2J')
  assert.match(drawn, /life {9}\[>-+[=R]+-+\]/)
  assert.match(drawn, 'kubelet-client: \u001b[32mIssued\u001b[0m')
  for (const line of drawn.split('\r\n')) assert.ok(line.replaceAll('\u001b', '').length <= 88, line)
  watching.kill('SIGTERM')
  await watching.ended
})
