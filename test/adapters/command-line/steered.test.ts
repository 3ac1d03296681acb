/** A running agent as those who steer it do: hooks, rotate, reload. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { readCommand, readSignal } from '../../../adapters/command-line/hooks.js'
import { reloadCommand, rotateCommand } from '../../../adapters/command-line/steer.js'
import { assert, suite, type TestContext, eventually as within } from '../../helper/index.js'
import { rotating, type World, world } from '../node/world.js'
import { inProcess, programHere } from './in-process.js'
import { main, type Program, program, start } from './program.js'

const test = suite('steered', { together: 3 })

const eventually = <A>(what: string, probe: Parameters<typeof within<A>>[1]) =>
  within(what, probe, { deadline: 20_000 })

const flagsFor = ({ bootstrapKubeconfig, certDir }: World): ReadonlyArray<string> => [
  'run',
  `--bootstrap-kubeconfig=${bootstrapKubeconfig}`,
  `--cert-dir=${certDir}`,
  '--hostname-override=worker-1',
  '--log-format=json',
]
const run = (context: TestContext, there: World, ...more: ReadonlyArray<string>): Program =>
  programHere(context, ...flagsFor(there), ...more)

/** A hook in Node: what it is to do, with the file that it may write to as `process.argv[1]`. */
const hook = (code: string, file: string): string =>
  `--after-renewal=${JSON.stringify([process.execPath, '-e', code, file])}`

const linesOf = (file: string): ReadonlyArray<string> =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []

const says = (running: Program, pattern: RegExp): boolean =>
  running.log().some((line) => pattern.test(String(line.at('msg'))))

test('a hook that was cut off by the end of the process is run again for the same certificate, then no more', {
  deadline: 90_000,
}, async (context) => {
  const there = await world(context)
  const file = join(there.folder, 'told')
  const gate = join(there.folder, 'gate')
  const code = `const { appendFileSync, existsSync } = require('node:fs'), e = process.env
    appendFileSync(process.argv[1], [e.KUBE_CERT_ROTATION_SERIAL_NUMBER, e.KUBE_CERT_ROTATION_CURRENT, e.KUBE_CERT_ROTATION_NOT_AFTER, e.KUBE_CERT_ROTATION_REASON].join('|') + '\\n')
    console.log('told\\u001b[2J')
    if (!existsSync(${JSON.stringify(gate)})) setTimeout(() => {}, 5000)`
  const first = program(context, ...flagsFor(there), hook(code, file))
  await eventually('the hook is run', () => linesOf(file).length === 1)
  first.kill('SIGKILL')
  await first.ended
  writeFileSync(gate, '')
  const second = run(context, there, hook(code, file))
  await eventually('it is run again', () => linesOf(file).length === 2)
  await eventually('its output is logged', () => says(second, /^hook .*: told \[2J$/))
  const [one = '', two = ''] = linesOf(file)
  const [serial, current, notAfter, reason] = one.split('|')
  assert.is(two.split('|')[0], serial)
  assert.equal(
    [current, reason],
    [join(there.certDir, 'kubelet-client-current.pem'), 'there was no certificate'],
  )
  assert.match(notAfter ?? '', /^\d{4}-.*Z$/)
  second.kill('SIGTERM')
  assert.is((await second.ended).code, 0)
  const third = run(context, there, hook(code, file))
  await eventually('it runs', () => third.log().length > 1)
  const asked = await inProcess(rotateCommand, '--cert-dir', there.certDir, '--reason=new CA', '--wait=20s')
  assert.equal([asked.code, asked.stderr], [0, ''])
  await eventually('it is run for the next', () => linesOf(file).length === 3)
  assert.is(linesOf(file)[2]?.split('|')[3], 'new CA')
})

test('a hook that fails or takes too long is told and tried again, and delays nothing', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const file = join(there.folder, 'told')
  const running = run(
    context,
    there,
    '--after-renewal-timeout=500ms',
    `--after-renewal=${JSON.stringify(['sh', '-c', 'echo x >> "$0"; exit 3', file])}`,
    hook('setTimeout(() => {}, 60000)', file),
  )
  await eventually('it is tried again', () => linesOf(file).length >= 2)
  await eventually('the failure is told', () => says(running, /^the hook .* ended with status 3; /))
  await eventually('the other is told', () => says(running, /^the hook .* did not end within 0.5 s; /))
  const asked = await inProcess(rotateCommand, '--cert-dir', there.certDir, '--wait=20s')
  assert.is(asked.code, 0, asked.stderr)
  assert.match(asked.stdout, /^certificate [0-9a-f]+ is in use, until 2/)
})

test('rotate --wait says why there is no new certificate, and without an agent that there is none', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  await eventually('it waits', () => rotation.state()._tag === 'Pending')
  const late = await inProcess(rotateCommand, '--cert-dir', there.certDir, '--wait=1s')
  assert.is(late.code, 1)
  assert.match(late.stderr, /there is no new certificate after 1s: .*waits for approval/)
  const waiting = inProcess(rotateCommand, '--cert-dir', there.certDir, '--wait=20s')
  const [name = ''] = there.names()
  await there.decide(name, 'Denied', 'NotToday')
  const denied = await waiting
  assert.is(denied.code, 1)
  assert.match(denied.stderr, 'NotToday')
  const refused = await inProcess(reloadCommand, '--cert-dir', there.certDir)
  assert.is(refused.code, 1)
  assert.match(refused.stderr, 'this agent cannot reload')
  await rotation.stop()
  for (const command of [rotateCommand, reloadCommand])
    assert.is((await inProcess(command, '--cert-dir', there.certDir)).code, 3)
  assert.is((await inProcess(rotateCommand, '--wait=soon')).code, 2)
})

test('reload does what SIGHUP does', { deadline: 60_000 }, async (context) => {
  const there = await world(context)
  const running = program(context, ...flagsFor(there))
  await eventually('it has a certificate', () => running.stdout().includes('"Installed"'))
  const before = there.calls().length
  const { code, stdout } = await inProcess(reloadCommand, '--cert-dir', there.certDir, '--reason=token')
  assert.equal([code, stdout], [0, 'a reload was asked for\n'])
  await eventually('it is told', () => says(running, /^reload, asked for over the socket .*: token$/))
  await eventually('the API is asked', () => there.calls().length > before)
  assert.is(there.calls().filter(({ method }) => method === 'POST').length, 1)
  running.kill('SIGTERM')
  assert.is((await running.ended).code, 0)
})

test('a signal waits for the program that is to have it, and goes to it once for each certificate', {
  deadline: 90_000,
  skip: process.platform === 'linux' ? undefined : 'it takes /proc of Linux',
}, async (context) => {
  const there = await world(context)
  const pidFile = join(there.folder, 'server.pid')
  const flag = `--after-renewal-signal=HUP:${pidFile}`
  const running = run(context, there, flag)
  await eventually('it is told that there is no file', () =>
    says(
      running,
      /^the hook SIGHUP to .*server\.pid: the file cannot be read: .*; start .*tried again in 1s/,
    ),
  )
  const server = start(
    context,
    process.execPath,
    '-e',
    `process.on('SIGHUP', () => console.log('reloads'))
    require('node:fs').writeFileSync(process.argv[1], process.pid + '\\n')
    setInterval(() => {}, 1e6)`,
    pidFile,
  )
  const reloads = () => server.stdout().split('\n').length - 1
  await eventually('it is sent for the first', () => reloads() === 1)
  await eventually('it is logged', () => says(running, /^hook SIGHUP to .*: sent to process \d+ \(\S+\)$/))
  const asked = await inProcess(rotateCommand, '--cert-dir', there.certDir, '--wait=20s')
  assert.equal([asked.code, asked.stderr], [0, ''])
  await eventually('it is sent for the next', () => reloads() === 2)
  running.kill('SIGTERM')
  await running.ended
  const again = program(context, ...flagsFor(there), flag)
  await eventually('it has looked', () => says(again, /the store has a certificate/))
  rmSync(pidFile)
  const next = await inProcess(rotateCommand, '--cert-dir', there.certDir, '--wait=20s')
  assert.equal([next.code, next.stderr], [0, ''])
  await eventually('a file that was removed is told', () =>
    says(again, /server\.pid: the file cannot be read/),
  )
  assert.is(reloads(), 2)
})

test('systemctl is given its words as they stand, and what is in the environment', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const bin = join(there.folder, 'bin')
  const file = join(there.folder, 'told')
  mkdirSync(bin)
  const script = `#!/bin/sh\nprintf '%s|' "$#" "$@" "$KUBE_CERT_ROTATION_REASON" >> '${file}'\necho >> '${file}'\n`
  writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 })
  start(
    context,
    'env',
    `PATH=${bin}:${process.env['PATH'] ?? ''}`,
    process.execPath,
    main,
    ...flagsFor(there),
    '--after-renewal=systemctl reload nginx@$HOME.service',
    '--after-renewal=["systemctl","--no-block","reload","a b;c","*"]',
  )
  await eventually('both are run', () => linesOf(file).length === 2)
  assert.equal([...linesOf(file)].sort(), [
    '2|reload|nginx@$HOME.service|there was no certificate|',
    '4|--no-block|reload|a b;c|*|there was no certificate|',
  ])
})

test('reads whom a signal is for', () => {
  const wanted = (signal: string, by: string) => E.right({ signal, pidFile: '/run/nginx.pid', by })
  assert.equal(readSignal('HUP:/run/nginx.pid'), wanted('SIGHUP', 'number'))
  assert.equal(readSignal('sigusr1:lock:/run/nginx.pid'), wanted('SIGUSR1', 'lock'))
  for (const text of [
    '',
    'HUP',
    'HUP:',
    ':/a',
    '1:/a',
    'HUPS:/a',
    '/run/nginx.pid',
    'HUP:a',
    'HUP:lock:a',
    'HUP:lock:',
  ])
    assert.is(readSignal(text)._tag, 'Left', text)
})

test('reads a command as words, or as a JSON array', () => {
  assert.equal(readCommand('systemctl reload  nginx'), E.right(['systemctl', 'reload', 'nginx']))
  assert.equal(readCommand('["a", "b c", ""]'), E.right(['a', 'b c', '']))
  for (const text of ['', ' ', '[', '[]', '[1]', '[""]', 'sh -c "exit 1"', "a 'b c'", 'a\\ b'])
    assert.is(readCommand(text)._tag, 'Left', text)
})
