/** Renewal windows from a ConfigMap: an operator renews a part of a fleet with one `kubectl apply`. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { assert, eventually, suite } from '../helper/index.js'
import { readStatus, startAgent } from './agent.js'
import { bootCluster } from './cluster.js'
import { prepareNode } from './node.js'
import { program } from './package.js'

const cluster = await bootCluster()
const { kubectl } = cluster
const test = suite(`renewal windows, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

const second = 1_000
const instantText = (at: number): string => new Date(Math.ceil(at / second) * second).toISOString()
const place = 'kube-system/renewal-windows'

/** The operator's recipe of the page, for the nodes here and other times. */
const recipe = (start: string, end: string): string => {
  const page = readFileSync('adapters/command-line/README.md', 'utf8')
  const [, text = ''] = /^```yaml\n(apiVersion: v1\nkind: ConfigMap\n.*?)^```$/ms.exec(page) ?? []
  return text
    .replace('2026-12-01T10:00:00Z', start)
    .replace('2026-12-01T11:00:00Z', end)
    .replace('worker-*', 'node-*')
}

test('one kubectl apply renews those it is meant for, spread over the window; nonsense changes nothing', {
  deadline: 150_000,
}, async (context) => {
  const flags = ['--cert-dir=/run/pki', '--kubeconfig=/run/kubeconfig', `--renewal-window-configmap=${place}`]
  const roles = execFileSync(process.execPath, [program(), 'manifest', 'rbac', ...flags], {
    encoding: 'utf8',
  })
  assert.is((await kubectl(['apply', '-f', '-'], { stdin: roles })).code, 0)
  const start = async (labels: string) => {
    const node = await prepareNode(cluster)
    const agent = startAgent(
      context,
      cluster,
      node,
      `--renewal-window-configmap=${place}`,
      `--node-labels=${labels}`,
    )
    return { node, agent }
  }
  const meant = await Promise.all(Array.from({ length: 5 }, () => start('pool=gpu,zone=a')))
  const other = await start('pool=cpu')
  const all = [...meant, other]
  for (const { agent } of all) await agent.next('Installed')
  // Requests of an agent are kept ten seconds apart.
  const from = Date.now() + 15 * second
  const [begin, end] = [instantText(from), instantText(from + 15 * second)]
  const applied = await kubectl(['apply', '-f', '-'], { stdin: recipe(begin, end) })
  assert.is(applied.code, 0, applied.stderr)

  const suggested = await Promise.all(meant.map(({ agent }) => agent.next('WindowSuggested')))
  const planned = suggested.map(({ rotateAt = '' }) => rotateAt)
  for (const at of planned) assert.ok(at >= begin && at <= end, `${begin} ${at} ${end}`)
  assert.ok(new Set(planned).size >= 3, planned.join(' '))
  const [first] = meant
  if (first === undefined) throw new Error('nobody is meant')
  const before = await readStatus(first.node)
  assert.is(before.report.rotateAt, planned[0])
  assert.is(before.report.renewalWindow?.source, `ConfigMap ${place}, ca.yaml`)
  assert.match(
    before.report.explanation,
    /It is renewed at .*, in the renewal window .*, suggested by ConfigMap kube-system\/renewal-windows, ca\.yaml: the cluster CA is replaced at 15:00\./,
  )

  const nonsense = await kubectl(['apply', '-f', '-'], { stdin: recipe(end, begin) })
  assert.is(nonsense.code, 0, nonsense.stderr)
  for (const { agent } of all)
    await eventually('nonsense is told', () =>
      agent.steps.some(
        ({ level, msg }) =>
          level === 'warn' && /ConfigMap kube-system\/renewal-windows: .*end must be after start/.test(msg),
      ),
    )

  for (const [index, { agent }] of meant.entries()) {
    const due = await agent.next('RenewDue')
    assert.match(due.msg, /a renewal is due: renewal window .* the cluster CA is replaced at 15:00$/)
    const renewed = await agent.next('Installed')
    const late = Date.parse(renewed.time) - Date.parse(planned[index] ?? '')
    assert.ok(late >= 0 && late < 10 * second, `${late} ms after the time in the window`)
  }
  const after = await readStatus(first.node)
  assert.match(
    after.report.renewalWindow?.meaning ?? '',
    /the certificate came after its start|to be renewed/,
  )
  assert.is(other.agent.steps.filter(({ reason }) => reason === 'Installed').length, 1)
  assert.not(other.agent.steps.some(({ reason }) => reason === 'WindowSuggested'))
})

test('those who may not read the ConfigMap say whose role is missing', {
  deadline: 180_000,
}, async (context) => {
  const node = await prepareNode(cluster)
  const agent = startAgent(context, cluster, node, '--renewal-window-configmap=default/windows')
  await agent.next('Installed')
  await eventually('it is told', () =>
    agent.steps.some(
      ({ level, msg }) =>
        level === 'warn' &&
        /default\/windows: .*forbidden.*; let its user get and watch ConfigMap windows/i.test(msg),
    ),
  )
})
