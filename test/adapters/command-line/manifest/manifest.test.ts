import * as E from 'fp-ts/lib/Either.js'
import { parse } from 'yaml'
import type { Flags } from '../../../../adapters/command-line/flags.js'
import { manifestFlags, readManifest } from '../../../../adapters/command-line/manifest/manifest.js'
import { runFlags } from '../../../../adapters/command-line/run-flags.js'
import { prometheusRules } from '../../../../adapters/metrics/prometheus-rules.js'
import { assert, suite } from '../../../helper/index.js'
import { finishedHere } from '../in-process.js'

const test = suite('manifest')

const kubeconfig = '--kubeconfig=/etc/kubernetes/kubelet.conf'

test('knows of every path among the flags of run whether it is read or written', () => {
  const flags: Flags<string> = runFlags
  for (const [name, { value, path }] of Object.entries(flags))
    if (value === 'FILE' || value === 'DIR') assert.ok(path !== undefined, `--${name} has no path`)
})

test('has no flag that run has with another meaning', () => {
  assert.equal(
    Object.keys(manifestFlags).filter((flag) => Object.hasOwn(runFlags, flag)),
    [],
  )
})

for (const [args, message] of [
  [[kubeconfig], /it is not said for what; name one of systemd, daemonset, sidecar, rbac/],
  [['upstart', kubeconfig], /there is no manifest upstart; name one of/],
  [['systemd', 'rbac', kubeconfig], /there is no manifest systemd rbac/],
  [['systemd'], /where the API is/],
  [['systemd', kubeconfig, '--once'], /--once is for a program that ends; leave it out/],
  [['systemd', kubeconfig, '--probe-interval=x'], /--probe-interval/],
] as const)
  test(`says what is wrong with "manifest ${args.join(' ')}"`, () => {
    const refused = readManifest(args)
    assert.match(E.isLeft(refused) ? `${refused.left.message}; ${refused.left.hint}` : '', message)
  })

for (const [args, message] of [
  [['daemonset', kubeconfig], /--image is missing; name an image/],
  [
    ['daemonset', kubeconfig, '--image=x', '--after-renewal-signal=HUP:/run/a.pid'],
    /does not reach beyond a container/,
  ],
  [['sidecar', kubeconfig, '--image=x', '--user=me'], /--user=me is no number of a user/],
  [['rbac', kubeconfig, '--requester=me'], /--requester=me is nobody; write user:NAME/],
] as const)
  test(`exits 2 after "manifest ${args.join(' ')}", and prints nothing`, async () => {
    const { code, stdout, stderr } = await finishedHere('manifest', ...args)
    assert.equal([code, stdout], [2, ''])
    assert.match(stderr, message)
  })

test('prints the alert rules as the operator of Prometheus takes them', async () => {
  const flags = [kubeconfig, '--namespace=monitoring']
  const { code, stdout } = await finishedHere('manifest', 'prometheus-rules', ...flags)
  assert.is(code, 0)
  assert.equal(parse(stdout), {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'kube-cert-rotation', namespace: 'monitoring' },
    spec: parse(prometheusRules()),
  })
})
