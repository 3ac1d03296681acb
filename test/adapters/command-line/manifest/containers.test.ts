import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { parse } from 'yaml'
import type { Image } from '../../../../adapters/command-line/manifest/container.js'
import { daemonSet } from '../../../../adapters/command-line/manifest/daemonset.js'
import { serviceFrom } from '../../../../adapters/command-line/manifest/service.js'
import { sidecar } from '../../../../adapters/command-line/manifest/sidecar.js'
import { assert, suite } from '../../../helper/index.js'
import { flagsOfNode, get } from './flags.js'

const test = suite('manifest daemonset and sidecar')

const PodSpec = t.intersection([
  t.type({
    containers: t.array(
      t.intersection([
        t.type({
          name: t.string,
          command: t.array(t.string),
          args: t.array(t.string),
          resources: t.type({ requests: t.record(t.string, t.string), limits: t.record(t.string, t.string) }),
          securityContext: t.UnknownRecord,
          volumeMounts: t.array(
            t.intersection([
              t.type({ name: t.string, mountPath: t.string }),
              t.partial({ readOnly: t.literal(true) }),
            ]),
          ),
        }),
        t.partial({ livenessProbe: t.unknown }),
      ]),
    ),
    volumes: t.array(t.intersection([t.type({ name: t.string }), t.UnknownRecord])),
  }),
  t.partial({ automountServiceAccountToken: t.boolean }),
])
const Workload = t.type({ spec: t.type({ template: t.type({ spec: PodSpec }) }) })

const podOf = (text: string): t.TypeOf<typeof PodSpec> => {
  const decoded = Workload.decode(parse(text))
  if (E.isLeft(decoded)) throw new Error(text)
  return decoded.right.spec.template.spec
}

const image: Image = { image: 'registry.example/kcr:1', program: ['kube-cert-rotation'], user: 0 }
const serviceOf = (more: Readonly<Record<string, string>> = {}) =>
  get(serviceFrom({ ...flagsOfNode, ...more }))
const onNode = (more: Readonly<Record<string, string>> = {}) =>
  podOf(get(daemonSet(serviceOf(more), image, 'kube-system')))
const beside = {
  kubeconfig: '/run/kcr/kubeconfig',
  'cert-dir': '/run/kcr/pki',
  'hostname-override': 'worker-1',
}

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

test('a DaemonSet has no capabilities, no token and nothing of the host but the directories of the flags', () => {
  const pod = onNode({ 'client-ca-file': '/etc/ca/client.pem' })
  assert.is(pod.automountServiceAccountToken, false)
  assert.equal(
    ['hostNetwork', 'hostPID', 'hostIPC', 'serviceAccountName'].filter((field) => field in pod),
    [],
  )
  const [container] = pod.containers
  assert.equal(container?.securityContext, { runAsUser: 0, runAsGroup: 0, ...restricted })
  assert.equal(
    container?.volumeMounts.map(({ mountPath, readOnly }) => [mountPath, readOnly ?? false]),
    [
      ['/etc/kubernetes', false],
      ['/var/lib/kubelet/pki', false],
      ['/etc/boot', true],
      ['/etc/ca', true],
    ],
  )
  assert.equal(
    pod.volumes.map(({ name, ...source }) => [name, source['hostPath']]),
    container?.volumeMounts.map(({ name, mountPath: path, readOnly }) => [
      name,
      { path, type: readOnly === true ? 'Directory' : 'DirectoryOrCreate' },
    ]),
  )
  assert.ok(container?.resources.requests['cpu'] && container.resources.limits['memory'])
})

test('a DaemonSet takes the name of each node, and refuses to be given one', () => {
  assert.is(onNode().containers[0]?.args.at(-1), '--hostname-override=$(NODE_NAME)')
  const refused = daemonSet(serviceOf({ 'hostname-override': 'worker-1' }), image, 'kube-system')
  assert.match(E.isLeft(refused) ? refused.left.message : '', 'would be the same on every node')
})

test('what looks like a variable of Kubernetes is none', () => {
  assert.ok(onNode({ 'cert-dir': '/srv/$(A)' }).containers[0]?.args.includes('--cert-dir=/srv/$$(A)'))
})

test('volumes have names that Kubernetes takes, whatever their paths are', () => {
  const long = `/srv/${'a'.repeat(100)}/_-`
  for (const { name } of onNode({ 'cert-dir': long }).volumes)
    assert.match(name, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
})

test('a sidecar is no root, reads a Secret and writes to memory', () => {
  const pod = podOf(get(sidecar(serviceOf(beside), { ...image, user: 65532 })))
  const [container] = pod.containers
  assert.equal(container?.securityContext, {
    runAsUser: 65532,
    runAsGroup: 65532,
    runAsNonRoot: true,
    ...restricted,
  })
  assert.equal(pod.volumes, [
    { name: 'kube-cert-rotation-run-kcr', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    {
      name: 'kube-cert-rotation-etc-boot',
      secret: { secretName: 'kube-cert-rotation-etc-boot', defaultMode: 0o440 },
    },
  ])
})

test('a sidecar needs a name, and keeps what is read and what is written apart', () => {
  for (const [given, message] of [
    [{ kubeconfig: '/run/kcr/kubeconfig' }, 'it is not known whose certificate it is'],
    [{ ...beside, kubeconfig: '/etc/boot/kubeconfig' }, '/etc/boot is both read and written'],
  ] as const) {
    const refused = sidecar(serviceOf(given), image)
    assert.is(E.isLeft(refused) ? refused.left.message : '', message)
  }
})
