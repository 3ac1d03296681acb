/** What `manifest` prints, taken by a real API server; the roles suffice, and grant nothing more. */
import { execFileSync } from 'node:child_process'
import { assert, suite } from '../helper/index.js'
import { bootCluster } from './cluster.js'
import { program } from './package.js'

const patience = { deadline: 240_000 }
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

const apply = async (...flags: readonly string[]): Promise<void> => {
  const { code, stderr } = await kubectl(['apply', '-f', '-'], { stdin: printed('rbac', ...flags) })
  assert.is(code, 0, stderr)
}

/** Signers are no resource that can be got, so kubectl auth can-i does not find their group. */
const may = async (who: string, what: string): Promise<boolean> => {
  const [, verb, name] = /^(approve|sign) (.*)$/.exec(what) ?? []
  if (verb === undefined) {
    const { stdout } = await kubectl(['auth', 'can-i', ...what.split(' '), ...who.split(' ')])
    return stdout.trim().endsWith('yes')
  }
  const [, user] = /--as=(\S+)/.exec(who) ?? []
  const stdin = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes: { group: 'certificates.k8s.io', resource: 'signers', verb, name } },
  })
  const { code, stdout, stderr } = await kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}'], {
    stdin,
  })
  assert.is(code, 0, stderr)
  return stdout === 'true'
}

/** Asks the API server whether somebody may do that: all of the first, and none of the others. */
const mayOnly = async (who: string, yes: readonly string[], no: readonly string[]): Promise<void> => {
  const allowed: string[] = []
  for (const what of [...yes, ...no]) if (await may(who, what)) allowed.push(what)
  assert.equal(allowed, yes, who)
}

const requests = 'certificatesigningrequests.certificates.k8s.io'
const own = 'example.com/agents'
const serving = 'kubernetes.io/kubelet-serving'
const verbs = (...all: readonly string[]) => all.map((verb) => `${verb} ${requests}`)
const part = (verb: string, subresource: string) => `${verb} ${requests} --subresource=${subresource}`
/** What none of the roles is for. */
const never = [
  ...verbs('delete', 'patch', 'update'),
  'get secrets -n kube-system',
  'update configmaps/windows -n pki',
  'create pods -n kube-system',
  'create clusterrolebindings.rbac.authorization.k8s.io',
]

test('the roles are what bootstrap and renewal need, and nothing more', patience, async () => {
  await apply(bootstrap, '--requester=group:kcr:bootstrappers')
  await mayOnly(
    '--as=system:bootstrap:abcdef --as-group=kcr:bootstrappers',
    [...verbs('create', 'get', 'list', 'watch'), part('create', 'nodeclient')],
    [part('update', 'approval'), part('update', 'status'), part('create', 'selfnodeclient'), ...never],
  )
})

test(
  'who asks, approves and signs for a signer of your own may do that, and nothing more',
  patience,
  async () => {
    await apply(
      `--signer-name=${own}`,
      '--common-name=agent-1',
      '--requester=serviceaccount:pki/requester',
      '--approver=serviceaccount:pki/approver',
      '--signer=user:signer',
    )
    const [approves, signs] = [`approve ${own}`, `sign ${own}`]
    const others = [`approve ${serving}`, `sign ${serving}`, ...never]
    for (const who of ['--as=system:serviceaccount:pki:requester', '--as=agent-1'])
      await mayOnly(who, verbs('create', 'get', 'watch'), [
        part('update', 'approval'),
        part('update', 'status'),
        approves,
        signs,
        ...others,
      ])
    await mayOnly(
      '--as=system:serviceaccount:pki:approver',
      [...verbs('get', 'list', 'watch'), part('update', 'approval'), approves],
      [...verbs('create'), part('update', 'status'), signs, ...others],
    )
    await mayOnly(
      '--as=signer',
      [...verbs('get', 'list', 'watch'), part('update', 'status'), signs],
      [...verbs('create'), part('update', 'approval'), approves, ...others],
    )
  },
)

test(
  'nodes may read the ConfigMap of windows, and somebody may approve serving certificates',
  patience,
  async () => {
    assert.is((await kubectl(['create', 'namespace', 'pki'])).code, 0)
    await apply(
      bootstrap,
      '--rotate-server-certificates',
      '--renewal-window-configmap=pki/windows',
      '--approver=serviceaccount:pki/serving',
    )
    const windows = ['get', 'watch'].map((verb) => `${verb} configmaps/windows -n pki`)
    const approves = `approve ${serving}`
    await mayOnly('--as=system:node:a --as-group=system:nodes', windows, [
      'get configmaps/other -n pki',
      'list configmaps -n pki',
      'update configmaps/windows -n pki',
      'get configmaps/windows -n kube-system',
      part('update', 'approval'),
      approves,
    ])
    await mayOnly(
      '--as=system:serviceaccount:pki:serving',
      [...verbs('get', 'list', 'watch'), part('update', 'approval'), approves],
      [...verbs('create'), part('update', 'status'), `approve ${own}`, ...windows, ...never],
    )
  },
)
