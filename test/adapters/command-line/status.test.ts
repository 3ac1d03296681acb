import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { second } from '../../../adapters/node/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { json } from '../control-plane/client.js'
import { rotating, until, world } from '../node/world.js'
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
  assert.match(stdout, /The certificate works, and is renewed in \d+d/)
  assert.not.match(stdout, 'warning')
})

test('shows a saved request; without a certificate the exit code is 1', async (context) => {
  const there = await world(context, { autoApprove: false })
  const rotation = await rotating(context, there)
  await until(rotation, 'Pending')
  const [name = ''] = there.names()
  const text = await finished(context, 'status', '--cert-dir', there.certDir)
  assert.is(text.code, 1)
  assert.match(text.stdout, `request      ${name} (kubernetes.io/kube-apiserver-client-kubelet)`)
  assert.match(text.stdout, `kubectl get csr ${name}`)
  const { code, stdout } = await finished(context, 'status', '--cert-dir', there.certDir, '-o', 'json')
  assert.is(code, 1)
  const report = json(stdout)
  assert.is(report.at('usable'), false)
  assert.is(report.at('pendingRequest', 'name'), name)
  assert.is(report.at('certificate'), undefined)
  assert.not.match(stdout + text.stdout, 'PRIVATE KEY')
})

test('says that a certificate has ended, exit code 1', { deadline: 30_000 }, async (context) => {
  // Long enough to arrive before its end on a busy machine too: dates have whole seconds.
  const there = await world(context, { clusterSigningDuration: 3 * second })
  const rotation = await rotating(context, there)
  const { notAfter } = await rotation.issued()
  await rotation.stop()
  await eventually('it has ended', () => Date.now() >= notAfter.getTime(), { deadline: 10_000 })
  const { code, stdout } = await finished(context, 'status', '--cert-dir', there.certDir)
  assert.is(code, 1)
  assert.match(stdout, /^state +Bootstrapping$/m)
  assert.match(stdout, /The certificate ended .* ago/)
})

test('shows an empty directory, and one that is not there, without making it', async (context) => {
  const certDir = join(await context.temporaryDirectory(), 'none')
  const { code, stdout } = await finished(context, 'status', '--cert-dir', certDir)
  assert.is(code, 1)
  assert.match(stdout, /There is no certificate/)
  assert.match(stdout, `warning: ${certDir}: there is no such directory`)
  const error = await rm(certDir).catch((thrown: NodeJS.ErrnoException) => thrown.code)
  assert.is(error, 'ENOENT')
})
