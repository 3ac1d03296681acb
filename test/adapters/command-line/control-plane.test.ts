import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { eventLine } from '../../../adapters/command-line/event-line.js'
import { instant } from '../../../src/model/time.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { finishedHere, programHere } from './in-process.js'
import { program } from './program.js'

const test = suite('control-plane')

const started = async (context: TestContext, start: typeof program, ...args: ReadonlyArray<string>) => {
  const folder = await context.temporaryDirectory()
  const dataDir = join(folder, 'data')
  const running = start(context, 'control-plane', '--secure-port=0', `--data-dir=${dataDir}`, ...args)
  await eventually('it says where it is', () => running.stdout().includes('kube-cert-rotation run'))
  return { folder, dataDir, running }
}

const once = (folder: string, dataDir: string) =>
  finishedHere(
    'run',
    '--once',
    '--hostname-override=worker-1',
    `--bootstrap-kubeconfig=${join(dataDir, 'bootstrap.kubeconfig')}`,
    `--cert-dir=${join(folder, 'pki')}`,
  )

test('writes the files to start from, says where, and serves run and itself again after a restart', async (context) => {
  const { folder, dataDir, running } = await started(context, program, '--cluster-signing-duration=1h')
  assert.match(running.stdout(), /^API server at https:\/\/127\.0\.0\.1:\d+, certificates of 1h; its CA is/)
  for (const name of ['admin.kubeconfig', 'bootstrap.kubeconfig', 'ca.crt']) {
    assert.ok((await stat(join(dataDir, name))).isFile())
    assert.match(running.stdout(), join(dataDir, name))
  }
  assert.is((await stat(join(dataDir, 'admin.kubeconfig'))).mode & 0o777, 0o600)
  assert.is((await once(folder, dataDir)).code, 0)
  const printed = running.stdout()
  assert.match(printed, /Z 201 POST certificatesigningrequests by system:bootstrap:\w{6}\n/)
  assert.match(printed, /Z 200 WATCH csr-\w+ by system:bootstrap:\w{6}\n/)
  assert.match(printed, /Z csr-\w+ issued, certificate \w+ until \d{4}-/)
  const authority = await readFile(join(dataDir, 'ca.crt'), 'utf8')
  const secrets = await readFile(join(dataDir, 'bootstrap.kubeconfig'), 'utf8')
  const token = /token: \w+\.(\w+)/.exec(secrets)?.[1] ?? 'none'
  assert.not.match(printed, token)

  running.kill('SIGTERM')
  const began = performance.now()
  assert.equal(await running.ended, { code: 0, signal: null })
  assert.ok(performance.now() - began < 1_000)
  assert.equal(
    (await readdir(dataDir)).filter((name) => name.includes('tmp')),
    [],
  )

  const again = program(context, 'control-plane', '--secure-port=0', `--data-dir=${dataDir}`)
  await eventually('it runs again', () => again.stdout().includes('API server at'))
  assert.is(await readFile(join(dataDir, 'ca.crt'), 'utf8'), authority)
})

test('takes the signing duration by its old name, and leaves approval to others', async (context) => {
  const { folder, dataDir, running } = await started(
    context,
    programHere,
    '--experimental-cluster-signing-duration=90s',
    '--auto-approve=false',
  )
  assert.match(running.stdout(), /certificates of 1m 30s, approved by hand/)
  const agent = programHere(
    context,
    'run',
    `--bootstrap-kubeconfig=${join(dataDir, 'bootstrap.kubeconfig')}`,
    `--cert-dir=${join(folder, 'pki')}`,
  )
  await eventually('the agent waits', () => agent.stdout().includes('waiting for approval'))
  assert.not.match(running.stdout(), 'approved\n')
})

test('says that a port is taken, or that its directory is none, and exits 1', async (context) => {
  const { running } = await started(context, programHere)
  const port = /127\.0\.0\.1:(\d+)/.exec(running.stdout())?.[1] ?? ''
  const folder = await context.temporaryDirectory()
  const taken = await finishedHere('control-plane', `--secure-port=${port}`, `--data-dir=${folder}`)
  assert.is(taken.code, 1)
  assert.match(taken.stderr, new RegExp(`127\\.0\\.0\\.1.*${port}.*; .*port`))
  const file = join(folder, 'file')
  await writeFile(file, '')
  const none = await finishedHere('control-plane', '--secure-port=0', `--data-dir=${file}`)
  assert.is(none.code, 1)
  assert.match(none.stderr, file)
})

test('tells each event in a short line', () => {
  const at = instant(0)
  const call = {
    _tag: 'Call',
    at,
    method: 'GET',
    user: O.none,
    certificateSerialNumber: O.none,
    code: 401,
  } as const
  const base = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  for (const [event, line] of [
    [{ ...call, path: `${base}/csr-1` }, '401 GET certificatesigningrequests/csr-1 by nobody it knows'],
    [
      { ...call, path: `${base}?limit=500`, code: 200, user: O.some('a') },
      '200 GET certificatesigningrequests by a',
    ],
    [{ ...call, path: `${base}?watch=true` }, '401 WATCH certificatesigningrequests by nobody it knows'],
    [
      {
        ...call,
        path: `${base}?watch=1&fieldSelector=metadata.name%3Dcsr-1`,
        certificateSerialNumber: O.some('0a'),
      },
      '401 WATCH csr-1 by nobody it knows with certificate 0a',
    ],
    [{ ...call, path: '/version?timeout=32s' }, '401 GET /version by nobody it knows'],
    [{ ...call, path: '/api/v1/events' }, '401 GET events by nobody it knows'],
    [
      { _tag: 'NotSigned', at, name: 'csr-1', reason: 'the CA has ended' },
      'csr-1 not signed: the CA has ended',
    ],
    [{ _tag: 'NotApproved', at, name: 'csr-1', reason: 'no' }, 'csr-1 not approved: no'],
    [{ _tag: 'Failed', at, name: 'csr-1', message: 'no' }, 'csr-1 failed: no'],
    [{ _tag: 'Cleaned', at, name: 'csr-1', reason: 'old' }, 'csr-1 cleaned up: old'],
  ] as const)
    assert.is(eventLine(event), line)
})
