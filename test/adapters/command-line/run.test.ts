import { spawnSync } from 'node:child_process'
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { second } from '../../../src/model/time.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { type World, world } from '../node/world.js'
import { finishedHere, programHere } from './in-process.js'
import { finished, logged, main, type Program, program, start } from './program.js'

const test = suite('run', { together: 3 })

const flagsFor = ({ bootstrapKubeconfig, certDir, folder }: World): ReadonlyArray<string> => [
  `--bootstrap-kubeconfig=${bootstrapKubeconfig}`,
  `--kubeconfig=${join(folder, 'kubeconfig')}`,
  `--cert-dir=${certDir}`,
  '--hostname-override=worker-1',
]
const run = (context: TestContext, there: World, ...more: ReadonlyArray<string>): Program =>
  programHere(context, 'run', ...flagsFor(there), '--log-format=json', ...more)
/** In a process of its own, where that is what is tested. */
const runAlone = (context: TestContext, there: World): Program =>
  program(context, 'run', ...flagsFor(there), '--log-format=json')

/** Everything in the directory is whole: dated pairs, the link, the saved request; nothing half-written. */
const isTidy = async ({ certDir }: World) => {
  const names = await readdir(certDir)
  assert.equal(
    names.filter((name) => name.includes('tmp') || name.startsWith('.')),
    [],
    names.join(' '),
  )
}

const noKubectl =
  spawnSync('kubectl', ['version', '--client']).error === undefined ? undefined : 'no kubectl on this machine'
const noTerminal =
  spawnSync('script', ['--version']).error === undefined ? undefined : 'no script(1) to make a terminal with'

/** The real kubectl, as administrator. */
const kubectl = async (
  context: TestContext,
  { plane, folder }: World,
  ...args: ReadonlyArray<string>
): Promise<string> => {
  const kubeconfig = join(folder, 'admin.kubeconfig')
  await writeFile(kubeconfig, plane.adminKubeconfig(), { mode: 0o600 })
  const running = start(context, 'kubectl', '--kubeconfig', kubeconfig, ...args)
  const { code } = await running.ended
  if (code !== 0) throw new Error(running.stderr())
  return running.stdout()
}

const endsWithin = async (running: Program, milliseconds: number) => {
  const began = performance.now()
  const { code, signal } = await running.ended
  const took = performance.now() - began
  assert.ok(took < milliseconds, `it took ${took} ms`)
  return { code, signal }
}

test('exits 0 with --once as soon as a certificate is installed', async (context) => {
  const there = await world(context)
  const { code, stdout, stderr } = await finished(context, 'run', ...flagsFor(there), '--once')
  assert.is(stderr, '')
  assert.is(code, 0)
  assert.match(stdout, /INFO {2}Bootstrapping → Pending: request sent with the bootstrap credential/)
  assert.match(
    stdout,
    /INFO {2}Issued: stored and in use, to be renewed at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(/,
  )
  assert.match(await readlink(join(there.certDir, 'kubelet-client-current.pem')), /kubelet-client-\d{4}-/)
  const again = await finishedHere('run', ...flagsFor(there), '--once')
  assert.is(again.code, 0)
  assert.is(there.names().length, 1)
})

test('logs each transition as JSON with the names that are promised', async (context) => {
  const there = await world(context)
  const running = run(context, there, '--once')
  assert.equal(await running.ended, { code: 0, signal: null })
  const lines = running
    .stdout()
    .trim()
    .split('\n')
    .map((line) => Object.entries(JSON.parse(line)))
  const names = [
    'time',
    'level',
    'msg',
    'from',
    'to',
    'reason',
    'csr',
    'serialNumber',
    'notAfter',
    'rotateAt',
  ]
  for (const line of lines) {
    assert.equal(
      line.map(([name]) => name).filter((name) => !names.includes(name)),
      [],
    )
    assert.equal(
      line.slice(0, 3).map(([name]) => name),
      ['time', 'level', 'msg'],
    )
    for (const [name, value] of line) {
      assert.type(value, 'string')
      if (['time', 'notAfter', 'rotateAt'].includes(name))
        assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/)
    }
  }
  const installed = await logged(running, 'reason', 'Installed')
  assert.is(installed.at('to'), 'Issued')
  assert.is(installed.at('csr'), there.names()[0])
  const issued = there.events.find((event) => event._tag === 'Issued')
  assert.is(installed.at('serialNumber'), issued?.serialNumber)
  const submitted = await logged(running, 'reason', 'Submitted')
  assert.equal([submitted.at('from'), submitted.at('to')], ['Bootstrapping', 'Pending'])
})

test('--log-level leaves out what is below it, and debug has every event', async (context) => {
  const there = await world(context)
  const quiet = await finishedHere('run', ...flagsFor(there), '--once', '--log-level=warn')
  assert.equal(quiet, { code: 0, stdout: '', stderr: '' })
  await there.plane.close()
  const running = run(context, there, '--log-level=debug', '--probe-interval=1s')
  await logged(running, 'reason', 'Loaded')
  const events = () => running.log().filter((line) => line.at('level') === 'debug')
  await eventually('what is repeated is there', () => events().length >= 4)
  assert.match(String(events()[0]?.at('msg')), /^event Loaded [0-9a-f]+$/)
  for (const event of events().slice(1)) assert.match(String(event.at('msg')), /^event ProbeFailed: Unreach/)
  const told = running.log().filter((line) => line.at('reason') === 'Unreachable')
  assert.ok(told.length < events().length - 1)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`stops within a second at ${signal}, exit code 0, nothing half-written`, async (context) => {
    const there = await world(context)
    const running = runAlone(context, there)
    await logged(running, 'reason', 'Installed')
    running.kill(signal)
    assert.equal(await endsWithin(running, 1_000), { code: 0, signal: null })
    assert.match(running.stdout(), /"msg":"stopped/)
    await isTidy(there)
  })

test('goes on when its log cannot be written, and stops when nobody reads it', async (context) => {
  const there = await world(context)
  const command = (...more: ReadonlyArray<string>) =>
    [process.execPath, main, 'run', ...flagsFor(there), ...more].map((part) => `'${part}'`).join(' ')
  const full = await start(context, 'sh', '-c', `${command('--once')} > /dev/full`).ended
  assert.equal(full, { code: 0, signal: null })
  const unread = await start(context, 'sh', '-c', `${command()} | head -n 1`).ended
  assert.equal(unread, { code: 0, signal: null })
})

test('stops within a second while Pending; the request stays, and is taken up', async (context) => {
  const there = await world(context, { autoApprove: false })
  const first = run(context, there)
  await logged(first, 'to', 'Pending')
  first.kill('SIGTERM')
  assert.equal(await endsWithin(first, 1_000), { code: 0, signal: null })
  await isTidy(there)
  const second_ = run(context, there, '--once')
  await logged(second_, 'to', 'Pending')
  const [name = ''] = there.names()
  await there.decide(name, 'Approved')
  assert.is((await second_.ended).code, 0)
  assert.equal(there.names(), [name])
})

test('stops within a second while the API is out of reach, and starts no debugger when it is sent SIGUSR1', async (context) => {
  const there = await world(context)
  await there.plane.close()
  const running = runAlone(context, there)
  const trouble = await logged(running, 'reason', 'Unreachable')
  assert.is(trouble.at('level'), 'warn')
  assert.match(String(trouble.at('msg')), `${there.plane.url}`)
  running.kill('SIGUSR1')
  const before = running.log().length
  await eventually('it tries again', () => running.log().length > before)
  assert.not.match(running.stderr(), 'ebugger')
  running.kill('SIGTERM')
  assert.equal(await endsWithin(running, 1_000), { code: 0, signal: null })
})

test('does not wait in vain for a certificate with --once when it is stopped: exit code 1', async (context) => {
  const there = await world(context, { autoApprove: false })
  const running = run(context, there, '--once')
  await logged(running, 'to', 'Pending')
  running.kill('SIGTERM')
  assert.equal(await endsWithin(running, 1_000), { code: 1, signal: null })
})

test('refuses a directory that another process has, and names that process', async (context) => {
  const there = await world(context)
  const first = runAlone(context, there)
  await logged(first, 'reason', 'Installed')
  const { code, stderr } = await finishedHere('run', ...flagsFor(there))
  assert.is(code, 1)
  assert.match(
    stderr,
    new RegExp(`^kube-cert-rotation: .*in use by kube-cert-rotation.mjs, process ${first.pid} on .*; stop`),
  )
})

test('obtains a certificate with --rotate-certificates=false, does not renew it, and says so', async (context) => {
  const there = await world(context, { clusterSigningDuration: 2 * second })
  const running = run(context, there, '--rotate-certificates=false')
  const installed = await logged(running, 'reason', 'Installed')
  assert.is(installed.at('rotateAt'), undefined)
  assert.match(running.stdout(), /"level":"warn","msg":"rotation is switched off/)
  await eventually('it has ended', () =>
    running.log().some((line) => line.at('from') === 'Issued' && line.at('to') === 'Bootstrapping'),
  )
  assert.is(there.names().length, 1)
})

test('waits for approval by hand, with one request, and is done once it is told of it', {
  skip: noKubectl,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const running = run(context, there)
  await logged(running, 'to', 'Pending')
  const [name = ''] = there.names()
  await kubectl(context, there, 'certificate', 'approve', name)
  const approvedAt = performance.now()
  await logged(running, 'reason', 'Installed')
  assert.ok(performance.now() - approvedAt < 5_000, 'by its watch')
  assert.equal(there.names(), [name])
  assert.match(await kubectl(context, there, 'get', 'csr'), new RegExp(`${name}.*Approved,Issued`))
})

test('reports a denied request with its reason, and backs off', { skip: noKubectl }, async (context) => {
  const there = await world(context, { autoApprove: false })
  const running = run(context, there)
  await logged(running, 'to', 'Pending')
  const [name = ''] = there.names()
  await kubectl(context, there, 'certificate', 'deny', name)
  const denied = await logged(running, 'reason', 'Denied')
  assert.is(denied.at('csr'), name)
  assert.match(String(denied.at('msg')), /was denied \(KubectlDeny: .*the next attempt is in \d\d/)
  assert.equal(there.names(), [name])
})

test('shows state and time left on a terminal', { skip: noTerminal }, async (context) => {
  const there = await world(context)
  const command = `stty cols 100; exec ${process.execPath} ${main} run ${flagsFor(there).join(' ')}`
  const running = start(context, 'script', '-qec', command, '/dev/null')
  await eventually('the live line is drawn', () =>
    /Issued: a certificate is in use, 36\dd.* left, renewed in \d+d/.test(running.stdout()),
  )
  assert.match(running.stdout(), /stored and in use/)
  running.kill('SIGTERM')
  await running.ended
})

test('prints no secret', async (context) => {
  const there = await world(context)
  const token = there.plane.bootstrapToken.reveal().split('.')[1] ?? 'none'
  const running = run(context, there)
  await logged(running, 'reason', 'Installed')
  running.kill('SIGTERM')
  await running.ended
  const text = await finishedHere('run', ...flagsFor(there), '--once')
  const pair = await readFile(join(there.certDir, 'kubelet-client-current.pem'), 'utf8')
  const key = /PRIVATE KEY-----\n(.{40})/.exec(pair)?.[1] ?? ''
  assert.ok(key.length === 40)
  const shown = running.stdout() + running.stderr() + text.stdout + text.stderr
  for (const secret of [token, key, 'PRIVATE KEY']) assert.not.match(shown, secret)
})

test('a wrong token is told as such, without the token', async (context) => {
  const there = await world(context)
  const token = there.plane.bootstrapToken.reveal()
  const text = await readFile(there.bootstrapKubeconfig, 'utf8')
  await writeFile(there.bootstrapKubeconfig, text.replace(token, 'abcdef.0123456789abcdef'))
  const running = run(context, there)
  const refused = await logged(running, 'reason', 'CredentialRejected')
  assert.match(String(refused.at('msg')), /401.*with the bootstrap credential/)
  assert.not.match(running.stdout(), '0123456789abcdef')
})

test('asks for nothing until the file of --client-ca-file can be read', async (context) => {
  const there = await world(context)
  const file = join(there.folder, 'ca.crt')
  const running = run(context, there, `--client-ca-file=${file}`, '--once')
  const trouble = await logged(running, 'reason', 'TrustUnusable')
  assert.match(String(running.log()[0]?.at('msg')), `CAs of client certificates ${file}`)
  assert.match(
    String(trouble.at('msg')),
    `reading the CAs of client certificates from ${file} (--client-ca-file`,
  )
  assert.equal(there.names(), [])
  await writeFile(file, there.plane.authority())
  assert.equal(await running.ended, { code: 0, signal: null })
  assert.is(there.names().length, 1)
})
