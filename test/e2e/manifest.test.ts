/** What `manifest` prints, taken by a real API server; the roles suffice, and grant nothing more. */
import { execFileSync } from 'node:child_process'
import { assert, suite } from '../helper/index.js'
import { bootCluster } from './cluster.js'
import { program } from './package.js'

const patience = { deadline: 60_000 }
const cluster = await bootCluster()
const { kubectl } = cluster
const test = suite(`manifests, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const printed = (kind: string, ...flags: readonly string[]): string =>
  execFileSync(
    process.execPath,
    [program(), 'manifest', kind, '--kubeconfig=/run/kcr/kubeconfig', '--cert-dir=/run/kcr/pki', ...flags],
    { encoding: 'utf8' },
  )

const bootstrap = '--bootstrap-kubeconfig=/etc/boot/kubeconfig'

test('a DaemonSet is one that the API server takes', patience, async () => {
  const stdin = printed('daemonset', bootstrap, '--image=registry.example/kcr:1')
  const { code, stderr } = await kubectl(['apply', '--dry-run=server', '-f', '-'], { stdin })
  assert.is(code, 0, stderr)
})

test('the roles are what bootstrap and renewal need, and nothing more', patience, async () => {
  const applied = await kubectl(['apply', '-f', '-'], {
    stdin: printed('rbac', bootstrap, '--requester=group:kcr:bootstrappers'),
  })
  assert.is(applied.code, 0, applied.stderr)
  const asBootstrapper = ['--as=system:bootstrap:abcdef', '--as-group=kcr:bootstrappers']
  const may = async (...what: readonly string[]) =>
    (await kubectl(['auth', 'can-i', ...what, ...asBootstrapper])).stdout.trim()
  const requests = 'certificatesigningrequests.certificates.k8s.io'
  for (const verb of ['create', 'get', 'list', 'watch']) assert.is(await may(verb, requests), 'yes', verb)
  assert.is(await may('create', `${requests}/nodeclient`), 'yes')
  for (const verb of ['update', 'patch', 'delete']) assert.is(await may(verb, requests), 'no', verb)
  for (const part of ['approval', 'status', 'selfnodeclient'])
    assert.is(await may('update', `${requests}/${part}`), 'no', part)
  for (const [verb, resource] of [
    ['get', 'secrets'],
    ['list', 'nodes'],
    ['create', 'pods'],
  ] as const)
    assert.is(await may(verb, resource), 'no', resource)
})
