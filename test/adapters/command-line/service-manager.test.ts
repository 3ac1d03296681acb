/** A program in place of systemd-notify, which writes down what it is called with; systemd's own where it is there. */
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serviceManager } from '../../../adapters/command-line/service-manager.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { world } from '../node/world.js'
import { main, start } from './program.js'

const test = suite('service manager')

/** A `systemd-notify` in a folder, and what it has been told. */
const notify = async (context: TestContext, body = '') => {
  const folder = await context.temporaryDirectory()
  const file = join(folder, 'told')
  const program = join(folder, 'systemd-notify')
  await writeFile(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> '${file}'\n${body}\n`, { mode: 0o755 })
  const told = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1)
  return { folder, program, told }
}

test('is told one message at a time, in their order, each on a line', async (context) => {
  const { program, told } = await notify(context)
  const manager = serviceManager({ ...process.env, NOTIFY_SOCKET: '/run/n' }, program)
  manager.status('Pending:\nwaits')
  manager.reloading()
  manager.reloaded()
  manager.ready()
  manager.reloading()
  manager.reloaded()
  await eventually('what was said', async () => (await told()).length === 4 || undefined)
  manager.stopping()
  await manager.close()
  const lines = await told()
  assert.equal(
    lines.map((line) => line.replace(/^\/run\/n |\d{2,}$/g, '')),
    ['STATUS=Pending: waits', 'READY=1', 'RELOADING=1 MONOTONIC_USEC=', 'READY=1', 'STOPPING=1'],
  )
})

test('is nobody without a socket, and may be missing or fail', async (context) => {
  const { program, told } = await notify(context, 'exit 1')
  serviceManager({ ...process.env }, program).ready()
  serviceManager({ ...process.env, NOTIFY_SOCKET: '/run/n' }, '/nowhere/systemd-notify').ready()
  const failing = serviceManager({ ...process.env, NOTIFY_SOCKET: '/run/n' }, program)
  failing.ready()
  failing.stopping()
  await eventually('both messages', async () => (await told()).length === 2 || undefined)
  assert.match((await told()).join(' '), /READY=1 .*STOPPING=1/)
})

test('that hangs keeps no process from ending', async (context) => {
  const { program } = await notify(context, 'exec sleep 60')
  const module = join(import.meta.dirname, '../../../adapters/command-line/service-manager.js')
  const script = `import { serviceManager } from '${module}'
    const manager = serviceManager({ ...process.env, NOTIFY_SOCKET: '/run/n' }, '${program}')
    for (let i = 0; i < 100; i += 1) manager.status(String(i))`
  const { code } = await start(context, process.execPath, '--input-type=module', '--eval', script).ended
  assert.is(code, 0)
})

test('hears of the certificate, what is done for it, and the end, from the program', async (context) => {
  const there = await world(context)
  const { folder, told } = await notify(context)
  const flags = [`--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`, `--cert-dir=${there.certDir}`]
  const env = ['env', `PATH=${folder}:${process.env['PATH']}`, 'NOTIFY_SOCKET=/run/n', process.execPath]
  const [command = '', ...args] = [...env, main, 'run', ...flags, '--hostname-override=worker-1']
  const running = start(context, command, ...args)
  await eventually('it is ready', async () => (await told()).includes('/run/n READY=1') || undefined)
  running.kill('SIGHUP')
  await eventually('it was ready twice', async () => {
    const ready = (await told()).filter((line) => line.endsWith('READY=1'))
    return ready.length >= 2 || undefined
  })
  running.kill('SIGTERM')
  assert.is((await running.ended).code, 0)
  const lines = await told()
  assert.ok(lines.some((line) => /^\/run\/n STATUS=Pending: /.test(line)))
  await eventually('it stops', async () => (await told()).includes('/run/n STOPPING=1') || undefined)
})

const isThere = ['systemd-notify', 'python3'].every((tool) => spawnSync(tool, ['--help']).status === 0)
/** Receives one datagram, which Node cannot. */
const receive = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
print(s.recv(1024).decode())`

test("is told by systemd's own systemd-notify", {
  skip: isThere ? undefined : 'systemd-notify or python3 is not installed',
}, async (context) => {
  const socket = join(await context.temporaryDirectory(), 'notify')
  const listener = start(context, 'python3', '-c', receive, socket)
  await eventually('the socket', () => listener.stdout().includes('bound') || undefined)
  serviceManager({ ...process.env, NOTIFY_SOCKET: socket }).ready()
  assert.is((await listener.ended).code, 0)
  assert.match(listener.stdout(), /^READY=1$/m)
})
