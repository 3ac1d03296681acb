/** `run --once`: it ends when all is in place, and says what is not. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { runCommand } from '../../../adapters/command-line/run.js'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { watchedOutputs } from '../../../adapters/command-line/watched-outputs.js'
import { failure } from '../../../src/model/failure.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { type World, world } from '../node/world.js'
import { content } from '../outputs/content.js'
import { inProcess } from './in-process.js'

const test = suite('run --once', { together: 3 })

const flagsFor = ({ bootstrapKubeconfig, certDir }: World): ReadonlyArray<string> => [
  `--bootstrap-kubeconfig=${bootstrapKubeconfig}`,
  `--cert-dir=${certDir}`,
  '--hostname-override=worker-1',
  '--once',
]

/** A directory where one name is taken by a file of somebody else. */
const foreign = async ({ folder }: World): Promise<string> => {
  const directory = join(folder, 'foreign')
  await mkdir(directory)
  await writeFile(join(directory, 'tls.crt'), 'mine')
  return directory
}

const configOf = async ({ folder }: World, ...certificates: ReadonlyArray<object>): Promise<string> => {
  const file = join(folder, 'config.yaml')
  const client = { bootstrapKubeconfig: 'bootstrap.kubeconfig', hostnameOverride: 'worker-1', certDir: 'pki' }
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: 'kube-cert-rotation/v1',
      kind: 'RotationConfiguration',
      certificates: [{ name: 'client', ...client, ...certificates[0] }, ...certificates.slice(1)],
    }),
  )
  return file
}

test('ends when its outputs are written, also where the certificate was there before', async (context) => {
  const there = await world(context)
  const first = await inProcess(runCommand, ...flagsFor(there))
  assert.is(first.code, 0, first.stdout)
  const bundle = join(there.folder, 'agent.pem')
  const again = await inProcess(runCommand, ...flagsFor(there), `--output-bundle=${bundle}`)
  assert.is(again.code, 0, again.stdout)
  assert.match(await readFile(bundle, 'utf8'), 'PRIVATE KEY')
})

test('exits 1 and says which output could not be written, each time', async (context) => {
  const there = await world(context)
  const directory = await foreign(there)
  for (const _ of [1, 2]) {
    const { code, stdout } = await inProcess(runCommand, ...flagsFor(there), `--output-dir=${directory}`)
    assert.is(code, 1, stdout)
    assert.match(
      stdout,
      `ERROR writing the output ${directory}: tls.crt is there already, and is not ours; name another directory`,
    )
  }
  assert.is(await readFile(join(directory, 'tls.crt'), 'utf8'), 'mine')
})

test('does the same for the certificates of a file', async (context) => {
  const there = await world(context)
  const directory = await foreign(there)
  const file = await configOf(there, { outputs: [{ bundle: 'agent.pem' }, { dir: directory }] })
  for (const _ of [1, 2]) {
    const { code, stdout } = await inProcess(runCommand, `--config=${file}`, '--once')
    assert.is(code, 1, stdout)
    assert.match(stdout, `ERROR client: writing the output ${directory}: tls.crt is there already`)
  }
  assert.match(await readFile(join(there.folder, 'agent.pem'), 'utf8'), 'PRIVATE KEY')
  const good = await configOf(there, { outputs: [{ bundle: 'other.pem' }] })
  assert.is((await inProcess(runCommand, `--config=${good}`, '--once')).code, 0)
  assert.match(await readFile(join(there.folder, 'other.pem'), 'utf8'), 'PRIVATE KEY')
})

test('says of a file what is wrong with it, and which certificates are switched off', async (context) => {
  const there = await world(context)
  const folder = await inProcess(runCommand, `--config=${there.folder}`)
  assert.is(folder.stderr, `kube-cert-rotation: ${there.folder}: it cannot be read: it is a directory\n`)
  const serving = { name: 'serving', authenticateWith: 'client', serverAddresses: 'node' }
  const file = await configOf(there, {}, { ...serving, certDir: 'pki' })
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('{', '{"featureGates":{"RotateKubeletServerCertificate":false},'))
  const { code, stdout } = await inProcess(runCommand, `--config=${file}`, '--once')
  assert.is(code, 0, stdout)
  assert.match(stdout, `INFO  keeps 1 certificate of ${file}`)
  const told = 'featureGates.RotateKubeletServerCertificate is false, so these are not kept: serving'
  assert.match(stdout, `WARN  ${file}: ${told}`)
  const status = await inProcess(statusCommand, `--config=${file}`)
  assert.is(status.stderr, `kube-cert-rotation: ${file}: ${told}\n`)
})

test('explains what is late: the serving certificate where it is that one', async (context: TestContext) => {
  const there = await world(context)
  assert.is((await inProcess(runCommand, ...flagsFor(there))).code, 0)
  const { code, stdout } = await inProcess(
    runCommand,
    ...flagsFor(there),
    '--timeout=3s',
    '--rotate-server-certificates',
    '--server-addresses=10.9.9.9',
  )
  assert.is(code, 3, stdout)
  const [last] = stdout.trim().split('\n').slice(-1)
  assert.match(
    last ?? '',
    /ERROR serving: no certificate within 3s: (Request \S+ waits for approval \(signer kubernetes.io\/kubelet-serving\)|There is no cert)/,
  )
  assert.is(stdout.split(' ERROR ').length, 2, stdout)
})

test('an output that hangs is named', async () => {
  const hanging = { name: 'the output /x', write: () => () => new Promise<never>(() => {}) }
  const failing = {
    name: 'the output /y',
    write: () => async () => E.left(failure('OutputUnwritable', 'soon', 'writing the output /y: no', 'x')),
  }
  const { outputs, tried, untried } = watchedOutputs([hanging, failing])
  const given = content('a')
  let isDone = false
  void tried(() => given.credential.pem).then(() => {
    isDone = true
  })
  const [, second] = outputs.map(({ write }) => write(given)())
  await second
  assert.equal(untried(given.credential.pem), ['the output /x'])
  assert.equal(untried(undefined), ['the output /x', 'the output /y'])
  assert.equal(untried('another certificate'), ['the output /x', 'the output /y'])
  assert.is(isDone, false)
})
