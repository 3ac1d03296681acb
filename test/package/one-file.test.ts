/** The program in one file, away from everything else: an empty folder that it cannot write to, without node_modules. */
import { chmod, copyFile, mkdir, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Program, start } from '../adapters/command-line/program.js'
import { world } from '../adapters/node/world.js'
import { assert, eventually, suite, type TestContext } from '../helper/index.js'
import { patience, root } from './project.js'

const test = suite('the program in one file')

const alone = async (context: TestContext) => {
  const folder = join(await context.temporaryDirectory(), 'alone')
  await mkdir(folder)
  const file = join(folder, 'kube-cert-rotation.mjs')
  await copyFile(join(root, 'dist/kube-cert-rotation.mjs'), file)
  await chmod(file, 0o444)
  await chmod(folder, 0o555)
  // As root nothing is read-only: so it is looked whether it stayed as it was.
  context.defer(async () => assert.equal(await readdir(folder), ['kube-cert-rotation.mjs']))
  return (...args: ReadonlyArray<string>) => start(context, process.execPath, file, ...args)
}

const finished = async (running: Program) => ({
  ...(await running.ended),
  stdout: running.stdout(),
  stderr: running.stderr(),
})

test('says how it is used, and its version', patience, async (context) => {
  const program = await alone(context)
  for (const command of [[], ['run'], ['status'], ['replay'], ['control-plane'], ['demo']]) {
    const { code, stdout } = await finished(program(...command, '--help'))
    assert.is(code, 0)
    assert.match(stdout, /^usage: kube-cert-rotation/)
  }
  assert.match((await finished(program('--version'))).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('obtains a certificate, and shows it', patience, async (context) => {
  const there = await world(context)
  const program = await alone(context)
  const kubeconfigs = ['--bootstrap-kubeconfig', there.bootstrapKubeconfig]
  const directory = ['--cert-dir', there.certDir]
  const flags = [...kubeconfigs, ...directory, '--hostname-override', 'worker-1', '--once']
  const ran = await finished(program('run', ...flags))
  assert.is(ran.code, 0, ran.stderr)
  assert.match(await readlink(join(there.certDir, 'kubelet-client-current.pem')), /^kubelet-client-.*\.pem$/)
  const shown = await finished(program('status', ...directory))
  assert.is(shown.code, 0, shown.stderr)
  assert.match(shown.stdout, /^subject +CN=system:node:worker-1, O=system:nodes$/m)
})

test('is a control plane, and ends when it is told to', patience, async (context) => {
  const program = await alone(context)
  const data = join(await context.temporaryDirectory(), 'data')
  const running = program('control-plane', '--secure-port', '0', '--data-dir', data)
  const bootstrap = join(data, 'bootstrap.kubeconfig')
  await eventually('a bootstrap kubeconfig', () => readFile(bootstrap, 'utf8').catch(() => undefined))
  running.kill('SIGTERM')
  assert.is((await running.ended).code, 0)
})
