import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { statusCommand } from '../../../adapters/command-line/status.js'
import { second } from '../../../src/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { json, right, started } from '../control-plane/client.js'
import { rotating, until, world } from '../node/world.js'
import { finishedHere, inProcess } from './in-process.js'
import { finished } from './program.js'

const test = suite('status')

test('shows the certificate, when it was received and is renewed, exit code 0', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  const { serialNumber } = await rotation.issued()
  const { code, stdout, stderr } = await finished(context, 'status', '--cert-dir', there.certDir)
  assert.is(code, 0)
  assert.is(stderr, '')
  const instant = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
  for (const row of [
    'state +Issued',
    `certificate +${serialNumber}`,
    'subject +CN=system:node:worker-1, O=system:nodes',
    `valid +${instant} to ${instant}`,
    `received +${instant}`,
    `renewed at +${instant}`,
  ])
    assert.match(stdout, new RegExp(`^${row}$`, 'm'))
  assert.match(stdout, /is in use until .*\. It is renewed at \S+ \(in \d+d/)
  assert.not.match(stdout, 'warning')
})

test('says who keeps the directory, and that nobody does', { deadline: 30_000 }, async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const shown = async () => {
    const flags = ['--cert-dir', there.certDir]
    const [text, report] = await Promise.all([
      inProcess(statusCommand, ...flags),
      inProcess(statusCommand, ...flags, '-o', 'json'),
    ])
    return { text: text.stdout, agent: json(report.stdout).at('agent') }
  }
  const while_ = await shown()
  assert.match(while_.text, new RegExp(`^agent +.*, process ${process.pid} on ${hostname()}, since 2`, 'm'))
  const { program, since, ...who } = Object(while_.agent)
  assert.equal(who, { hostname: hostname(), pid: process.pid })
  assert.match(`${program} ${since}`, /\S \d{4}-\d\d-\d\dT/)
  await rotation.stop()
  const later = await shown()
  assert.match(later.text, /^agent +nobody: no agent is running on this directory/m)
  assert.match(
    later.text,
    /its renewal is due in \d+d(?: \d+h)?, if kube-cert-rotation run is there to do it/,
  )
  assert.is(later.agent, null)
  const mute = createServer(() => {})
  context.defer(() => mute.close())
  mute.listen(join(there.certDir, 'kubelet-client.lock-0123456789abcdef'))
  await once(mute, 'listening')
  const silent = await shown()
  assert.match(silent.text, /^agent +a process that does not say who it is$/m)
  assert.equal(silent.agent, { silent: true })
})

test('says whether the certificate chains to a CA of a file', { deadline: 30_000 }, async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const file = join(there.folder, 'ca.crt')
  const shown = async (pem: string) => {
    await writeFile(file, pem)
    const flags = ['--cert-dir', there.certDir, '--client-ca-file', file]
    const [text, report] = await Promise.all([
      inProcess(statusCommand, ...flags),
      inProcess(statusCommand, ...flags, '-o', 'json'),
    ])
    assert.equal([text.code, report.code], [0, 0])
    const { stdout } = text
    const verified = json(report.stdout).at('chainVerified')
    return { stdout, verified }
  }
  const right = await shown(there.plane.authority())
  assert.match(right.stdout, /^chain +chains to a CA in the file given$/m)
  assert.is(right.verified, true)
  const wrong = await shown((await started(context)).authority())
  assert.match(wrong.stdout, `does not chain to a CA in ${file}: it is not signed by CN=`)
  assert.not.match(wrong.stdout, /^chain/m)
  assert.is(wrong.verified, false)
  const none = await shown('')
  assert.match(none.stdout, `warning: reading the CAs of client certificates from ${file} (--client-ca-file`)
  assert.is(none.verified, undefined)
})

test('shows a saved request; without a certificate the exit code is 1', async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  await until(rotation, 'Pending')
  const [name = ''] = there.names()
  await rotation.stop()
  const text = await inProcess(statusCommand, '--cert-dir', there.certDir)
  assert.is(text.code, 1)
  assert.match(text.stdout, `request      ${name} (kubernetes.io/kube-apiserver-client-kubelet)`)
  assert.match(text.stdout, `whether it was sent, this directory does not know: kubectl get csr ${name} says`)
  const { code, stdout } = await inProcess(statusCommand, '--cert-dir', there.certDir, '-o', 'json')
  assert.is(code, 1)
  const report = json(stdout)
  assert.is(report.at('usable'), false)
  assert.is(report.at('pendingRequest', 'name'), name)
  assert.is(report.at('certificate'), undefined)
  assert.not.match(stdout + text.stdout, 'PRIVATE KEY')
})

test('says that a certificate has expired, exit code 1', { deadline: 30_000 }, async (context) => {
  // Long enough to arrive before its end on a busy machine too: dates have whole seconds.
  const there = await world(context, { clusterSigningDuration: 3 * second })
  const rotation = await rotating(context, there)
  const { notAfter } = await rotation.issued()
  await rotation.stop()
  await eventually('it has ended', () => Date.now() >= notAfter.getTime(), { deadline: 10_000 })
  const { code, stdout } = await inProcess(statusCommand, '--cert-dir', there.certDir)
  assert.is(code, 1)
  assert.match(stdout, /^state +Bootstrapping$/m)
  assert.match(stdout, /The certificate expired .* ago/)
})

test('shows an empty directory, and one that is not there, without making it', async (context) => {
  const certDir = join(await context.temporaryDirectory(), 'none')
  const { code, stdout } = await inProcess(statusCommand, '--cert-dir', certDir)
  assert.is(code, 1)
  assert.match(stdout, /There is no certificate/)
  assert.match(stdout, `warning: ${certDir}: there is no such directory`)
  const error = await rm(certDir).catch((thrown: NodeJS.ErrnoException) => thrown.code)
  assert.is(error, 'ENOENT')
})

test('says when the kubeconfigs name different CAs for the API server: the certificate does not count as usable', {
  deadline: 30_000,
}, async (context) => {
  const there = await world(context)
  const kubeconfig = join(there.folder, 'kubeconfig')
  const rotation = await rotating(context, there, { kubeconfig })
  await rotation.issued()
  await rotation.stop()
  const flags = ['--kubeconfig', kubeconfig, '--bootstrap-kubeconfig', there.bootstrapKubeconfig]
  const shown = () => finishedHere('status', '--cert-dir', there.certDir, ...flags)
  const before = await shown()
  assert.is(before.code, 0)
  assert.not.match(before.stdout, 'cannot be verified')
  right(await there.plane.replaceAuthority({ keepOld: false })())
  await writeFile(there.bootstrapKubeconfig, there.plane.bootstrapKubeconfig())
  const after = await shown()
  assert.is(after.code, 1)
  assert.match(after.stdout, `no CA in ${kubeconfig} is in ${there.bootstrapKubeconfig}`)
  await rm(kubeconfig)
  const gone = await shown()
  assert.is(gone.code, 0)
  assert.match(gone.stdout, `warning: kubeconfig ${kubeconfig}: `)
})

test('names the prefixes that there are where there is no certificate with the one asked for', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there, { certPrefix: 'kubelet-server' })
  const { serialNumber } = await rotation.issued()
  await rotation.stop()
  await writeFile(join(there.certDir, 'own.crt'), '')
  await writeFile(join(there.certDir, 'own.key'), '')
  const shown = await finishedHere('status', '--cert-dir', there.certDir)
  assert.is(shown.code, 1)
  assert.match(
    shown.stdout,
    /no certificate.* other prefixes: --cert-prefix=kubelet-server, --cert-prefix=own\./,
  )
  const report = await finishedHere('status', '--cert-dir', there.certDir, '-o', 'json')
  assert.equal(json(report.stdout).at('otherPrefixes'), ['kubelet-server', 'own'])
  const asked = await finishedHere('status', '--cert-dir', there.certDir, '--cert-prefix=kubelet-server')
  assert.is(asked.code, 0)
  assert.match(asked.stdout, serialNumber)
  assert.not.match(asked.stdout, 'prefixes')
})
