/** `run --config`: several certificates in one process, a file that changes, and those who look at them. */
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explainCommand } from '../../../adapters/command-line/explain.js'
import { runCommand } from '../../../adapters/command-line/run.js'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { reloadCommand, rotateCommand } from '../../../adapters/command-line/steer.js'
import { checkKeyAlgorithm } from '../../../adapters/crypto/index.js'
import { assert, suite, type TestContext, eventually as within } from '../../helper/index.js'
import { type World, world } from '../node/world.js'
import { finishedHere, inProcess } from './in-process.js'
import { finished, type Program, program } from './program.js'

/** OpenSSL 3.5 and later. */
const hasMlDsa = (await checkKeyAlgorithm('ML-DSA-44')())._tag === 'Right'

const test = suite('run --config', { together: 2 })

const eventually = <A>(what: string, probe: Parameters<typeof within<A>>[1]) =>
  within(what, probe, { deadline: 20_000 })

/** Writes the file as an editor does: as a whole. */
const write = async (
  { folder }: World,
  certificates: ReadonlyArray<object>,
  more: object = {},
): Promise<string> => {
  const file = join(folder, 'config.yaml')
  const content = {
    apiVersion: 'kube-cert-rotation/v1',
    kind: 'RotationConfiguration',
    logFormat: 'json',
    ...more,
    certificates,
  }
  await writeFile(`${file}.new`, JSON.stringify(content))
  await rename(`${file}.new`, file)
  return file
}

const client = {
  name: 'client',
  hostnameOverride: 'worker-1',
  bootstrapKubeconfig: 'bootstrap.kubeconfig',
  certDir: 'pki',
}
const serving = {
  name: 'serving',
  hostnameOverride: 'worker-1',
  certDir: 'pki',
  authenticateWith: 'client',
  serverAddresses: ['10.0.0.5'],
}
/** Of a signer whose requests wait for somebody. */
const waiting = {
  name: 'waiting',
  certDir: 'waiting',
  authenticateWith: 'client',
  signerName: 'kubernetes.io/kube-apiserver-client',
  commonName: 'agent',
}
const nodes = [{ name: 'worker-1', addresses: ['10.0.0.5', '10.0.0.6'] }]

const run = (context: TestContext, file: string, ...more: ReadonlyArray<string>): Program =>
  program(context, 'run', `--config=${file}`, ...more)

const told = (
  { log }: Program,
  certificate: string | undefined,
  field: string,
  value: string | RegExp,
): number =>
  log().filter((line) => {
    const text = String(line.at(field))
    const isIt = typeof value === 'string' ? text === value : value.test(text)
    return isIt && line.at('certificate') === certificate
  }).length

const has = (running: Program, certificate: string, field: string, value: string) =>
  eventually(
    `${certificate}: ${field} ${value}`,
    () => told(running, certificate, field, value) > 0 || undefined,
  )
const installed = (running: Program, certificate: string) => has(running, certificate, 'reason', 'Installed')

test('keeps certificates that need each other in one process, and a changed file disturbs only what it changes', {
  deadline: 90_000,
}, async (context) => {
  const there = await world(context, { nodes })
  const file = await write(there, [serving, waiting, client])
  const running = run(context, file)
  await installed(running, 'client')
  await installed(running, 'serving')
  await has(running, 'waiting', 'to', 'Pending')
  const pending = there.plane.requests().find(({ spec }) => spec.signerName === waiting.signerName)
  const name = pending?.metadata.name ?? ''
  assert.is(told(running, 'serving', 'reason', 'TemplateChanged'), 1, 'that one is wanted is told once')
  const installs = () => ['client', 'serving'].map((one) => told(running, one, 'reason', 'Installed'))
  assert.equal(installs(), [1, 1])

  // One is changed, one removed, one new; the one with a request under way stays as it is.
  await eventually('it is watched', () =>
    there.calls().some(({ path }) => path.includes(name) && path.includes('watch')),
  )
  const asked = () => there.calls().filter(({ path }) => path.includes(name)).length
  const [before, lines] = [asked(), told(running, 'waiting', 'level', /./)]
  const other = { ...serving, name: 'second', certPrefix: 'second', serverAddresses: ['10.0.0.6'] }
  await write(there, [waiting, { ...client, outputs: [{ bundle: 'agent.pem' }] }, other])
  running.kill('SIGHUP')
  await eventually(
    'the new one is there',
    () => told(running, 'second', 'reason', 'Installed') === 1 || undefined,
  )
  assert.is(
    told(
      running,
      undefined,
      'msg',
      /was read again; new: second; changed: client; removed: serving; unchanged: 1$/,
    ),
    1,
  )
  await eventually(
    'the changed one has its output',
    () => existsSync(join(there.folder, 'agent.pem')) || undefined,
  )
  assert.equal(installs(), [1, 1])
  assert.equal([asked(), told(running, 'waiting', 'level', /./)], [before, lines], 'its watch goes on')
  await there.decide(name, 'Approved')
  await installed(running, 'waiting')

  // A file that is wrong changes nothing.
  const calls = there.calls().length
  await write(there, [
    { ...client, certdir: 'x' },
    { ...waiting, keyAlgorithm: 'RSA' },
  ])
  const reload = await inProcess(reloadCommand, `--cert-dir=${join(there.folder, 'pki')}`)
  assert.is(reload.code, 0, reload.stderr)
  await eventually(
    'both mistakes are told',
    () =>
      (told(running, undefined, 'msg', /certificates\[0\]\.certdir is not known.*nothing was changed$/) ===
        1 &&
        told(
          running,
          undefined,
          'msg',
          /certificates\[1\]\.keyAlgorithm must be one of .*nothing was changed$/,
        ) === 1) ||
      undefined,
  )
  assert.is(there.calls().length, calls)
  running.kill('SIGUSR2')
  await eventually(
    'each is explained',
    () =>
      ['client', 'waiting', 'second'].every((one) => told(running, one, 'msg', /^SIGUSR2: /) === 1) ||
      undefined,
  )
  running.kill('SIGTERM')
  assert.equal(await running.ended, { code: 0, signal: null })
})

test('status, explain, rotate and reload know the certificates of a file', {
  deadline: 90_000,
}, async (context) => {
  const there = await world(context, { nodes })
  const events = {
    eventLog: 'events.log',
    afterRenewal: [{ command: ['touch', join(there.folder, 'told')] }],
  }
  const file = await write(there, [{ ...client, ...events }, serving], { metricsBindAddress: '127.0.0.1:0' })
  const idle = await inProcess(reloadCommand, `--config=${file}`)
  assert.is(idle.code, 3)
  const none = await inProcess(statusCommand, `--config=${file}`)
  assert.is(none.code, 1)
  const running = run(context, file)
  await installed(running, 'serving')
  const status = await inProcess(statusCommand, `--config=${file}`)
  assert.is(status.code, 0, status.stdout)
  assert.match(status.stdout, /^client: kubelet-client in .*\nstate {8}Issued\n/)
  assert.match(status.stdout, /\n\nserving: kubelet-server in .*\nstate {8}Issued\n/)
  const json = JSON.parse((await inProcess(statusCommand, `--config=${file}`, '-o', 'json')).stdout)
  assert.equal(
    json.certificates.map(({ name, usable }: { name: string; usable: boolean }) => [name, usable]),
    [
      ['client', true],
      ['serving', true],
    ],
  )
  const check = await inProcess(statusCommand, `--config=${file}`, '--check')
  assert.match(check.stdout, /^CERTIFICATE OK: 2 certificates work \| expires_in=\d+s\n$/)
  const warned = await inProcess(statusCommand, `--config=${file}`, '--check', '--expires-in=3650d')
  assert.match(warned.stdout, /^CERTIFICATE WARNING: client: .*; serving: /)
  assert.is(warned.code, 1)
  const explained = await inProcess(explainCommand, `--config=${file}`)
  assert.match(explained.stdout, /^client:\n[\s\S]*\nserving:\n[\s\S]*in use until/)
  const one = await inProcess(explainCommand, `--config=${file}`, '--certificate=serving')
  assert.match(one.stdout, /^serving:\n/)
  const misspelt = await inProcess(statusCommand, `--config=${file}`, '--certificate=servin')
  assert.match(misspelt.stderr, /there is no certificate servin; did you mean serving\?/)
  assert.is(misspelt.code, 2)
  for (const command of [statusCommand, rotateCommand, reloadCommand, explainCommand]) {
    const both = await inProcess(command, `--config=${file}`, '--cert-dir=x')
    assert.match(both.stderr, /--config and --cert-dir are both given/)
    assert.is(both.code, 2)
  }

  const rotated = await inProcess(
    rotateCommand,
    `--config=${file}`,
    '--certificate=serving',
    '--wait',
    '--reason=why',
  )
  assert.match(rotated.stdout, /^serving: certificate [0-9a-f]+ is in use/)
  assert.equal(
    ['client', 'serving'].map((each) => told(running, each, 'reason', 'Installed')),
    [1, 2],
  )
  const all = await inProcess(rotateCommand, `--config=${file}`, '--wait')
  assert.is(all.stdout.trim().split('\n').length, 2, all.stderr)
  await eventually('the hook was run', () => existsSync(join(there.folder, 'told')) || undefined)
  assert.match(await readFile(join(there.folder, 'events.log'), 'utf8'), /Installed/)
  const [, url = ''] = /served at (\S+)\/metrics/.exec(running.stdout()) ?? []
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /kube_cert_rotation_certificates_usable 2|usable.* 2\n/)
  const reload = await inProcess(reloadCommand, `--config=${file}`)
  assert.is(reload.code, 0, reload.stderr)
  await eventually(
    'it is read',
    () => told(running, undefined, 'msg', /was read again.*unchanged: 2$/) === 1 || undefined,
  )
})

test('with --once it ends when all are there, 3 when it is too late, 1 when one cannot be started', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context, { nodes })
  const good = await write(there, [serving, client])
  const { code, stdout } = await finished(context, 'run', `--config=${good}`, '--once')
  assert.is(code, 0, stdout)
  const late = await write(there, [client, waiting])
  const slow = await finishedHere('run', `--config=${late}`, '--once', '--timeout=3s')
  assert.is(slow.code, 3, slow.stdout)
  assert.match(slow.stdout, /"certificate":"waiting"/)
  assert.match(slow.stdout, /no certificate within 3s/)
  await writeFile(join(there.folder, 'occupied'), '')
  const blocked = await write(there, [
    client,
    {
      ...waiting,
      authenticateWith: 'held',
      bootstrapKubeconfig: 'bootstrap.kubeconfig',
      certDir: 'occupied/x',
    },
  ])
  const failed = await finishedHere('run', `--config=${blocked}`, '--once')
  assert.is(failed.code, 1, failed.stdout)
  assert.match(failed.stdout, /occupied/)
})

test('a mistake in the file is exit code 2, with each problem a line, and nothing is started', async (context) => {
  const there = await world(context)
  const file = await write(there, [
    { ...client, certDir: 3 },
    { name: 'x', authenticateWith: 1 },
  ])
  const { code, stderr } = await inProcess(runCommand, `--config=${file}`)
  assert.is(code, 2)
  assert.equal(stderr.trim().split('\n'), [
    `kube-cert-rotation: ${file}: certificates[0].certDir must be text that is not empty`,
    `kube-cert-rotation: ${file}: certificates[1].authenticateWith must be text that is not empty`,
  ])
  const lifeless = await write(there, [client, { ...waiting, keyAlgorithm: 'ML-DSA-44' }])
  if (!hasMlDsa) {
    const impossible = await inProcess(runCommand, `--config=${lifeless}`)
    assert.is(impossible.code, 2)
    assert.match(
      impossible.stderr,
      /certificate waiting: keyAlgorithm: no private key ML-DSA-44 could be made/,
    )
    const flags = [`--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`, `--cert-dir=${there.certDir}`]
    const serving_ = ['--rotate-server-certificates', '--server-key-algorithm=ML-DSA-44']
    const byFlags = await inProcess(runCommand, ...flags, ...serving_)
    assert.is(byFlags.code, 2)
    assert.match(
      byFlags.stderr,
      /^kube-cert-rotation: --server-key-algorithm: no private key ML-DSA-44 could be made/,
    )
  }
  const missing = await inProcess(runCommand, '--config=/nowhere/config.yaml')
  assert.is(missing.code, 2)
  assert.match(missing.stderr, /\/nowhere\/config.yaml: it cannot be read/)
  assert.is(there.calls().length, 0)
})
