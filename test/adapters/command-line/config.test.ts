/** The file of `--config`: what is read of it, and every mistake told with its path. */
import * as E from 'fp-ts/lib/Either.js'
import { fieldOf } from '../../../adapters/command-line/config-fields.js'
import { configFrom } from '../../../adapters/command-line/config-file.js'
import type { Flag } from '../../../adapters/command-line/flags.js'
import { runFlags } from '../../../adapters/command-line/run-flags.js'
import { readRunOrConfig } from '../../../adapters/command-line/run-request.js'
import { hour } from '../../../src/model/time.js'
import { configSchema } from '../../checks/schema.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('configuration')

const head = 'apiVersion: kube-cert-rotation/v1\nkind: RotationConfiguration\n'
const config = (yaml: string) => {
  const read = configFrom('/etc/kcr/config.yaml', yaml)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  return read.right
}
const problems = (yaml: string): ReadonlyArray<string> => {
  const read = configFrom('/etc/kcr/config.yaml', yaml)
  return E.isLeft(read) ? read.left : []
}
const client = 'name: client, hostnameOverride: worker-1, bootstrapKubeconfig: b.conf'

test('says of a certificate what flags would say, with paths beside the file', () => {
  const { certificates, log, metrics } = config(`${head}logFormat: json
metricsBindAddress: ':9090'
certificates:
  - name: client
    hostnameOverride: Worker-1
    bootstrapKubeconfig: bootstrap.conf
    kubeconfig: /etc/kubernetes/kubelet.conf
    certDir: pki
    requestedLifetime: 24h
    probeInterval: '0'
    keyAlgorithm: ECDSA-P384
    clientCaFile: ca.crt
    eventLog: events.log
    renewalWindowFile: windows.yaml
    nodeLabels: { pool: gpu }
    outputs:
      - { dir: tls, mode: '0640', owner: '0:33' }
      - { kubeconfig: agent.conf }
    afterRenewal:
      - { command: [systemctl, reload, 'my agent'], timeout: 30s }
      - { signal: 'HUP:/run/nginx.pid' }
  - name: serving
    hostnameOverride: worker-1
    certDir: pki
    authenticateWith: client
    serverAddresses: [10.0.0.5, worker-1.example.com]
  - name: mesh
    certDir: mesh
    authenticateWith: client
    signerName: example.com/mesh
    commonName: agent
    organizations: ['Example, Inc.']
    ipAddresses: [fd00::1]
    rotateCertificates: false
`)
  assert.is(log.format, 'json')
  assert.equal(metrics, { host: '127.0.0.1', port: 9090 })
  const [one, two, three] = certificates
  assert.equal(one?.request, {
    options: {
      nodeName: 'worker-1',
      keyAlgorithm: 'ECDSA-P384',
      certDir: '/etc/kcr/pki',
      bootstrapKubeconfig: '/etc/kcr/bootstrap.conf',
      kubeconfig: '/etc/kubernetes/kubelet.conf',
      renewalWindows: { file: '/etc/kcr/windows.yaml', labels: { pool: 'gpu' } },
      clientCertificateAuthority: '/etc/kcr/ca.crt',
      requestedLifetime: 24 * hour,
      policy: { rotate: true, probeInterval: 0 },
    },
    outputs: [
      { kind: 'dir', path: '/etc/kcr/tls', attributes: { mode: 0o640, owner: { uid: 0, gid: 33 } } },
      { kind: 'kubeconfig', path: '/etc/kcr/agent.conf', attributes: {} },
    ],
    hooks: [
      { command: ['systemctl', 'reload', 'my agent'], limit: 30_000 },
      { signal: 'SIGHUP', pidFile: '/run/nginx.pid', by: 'number' },
    ],
    eventLog: '/etc/kcr/events.log',
  })
  assert.equal([two?.asker, two?.prefix], ['client', 'kubelet-server'])
  assert.equal(two?.addresses, { _tag: 'list', names: ['10.0.0.5', 'worker-1.example.com'] })
  const template = three?.request.options.template
  assert.equal(template?.organizations, ['Example, Inc.'])
  assert.is(three?.request.options.policy?.rotate, false)
  assert.is(three?.request.options.kubeconfig, undefined)
})

test('has the gates of the kubelet', () => {
  const { certificates, switchedOff } = config(`${head}featureGates:
  RotateKubeletClientCertificate: false
  RotateKubeletServerCertificate: false
certificates:
  - { ${client} }
  - { name: serving, authenticateWith: client, serverAddresses: node }
`)
  assert.equal(
    certificates.map(({ name, request }) => [name, request.options.policy?.rotate]),
    [['client', false]],
  )
  assert.equal(switchedOff, ['serving'])
})

test('tells every mistake with its path, all at once, with the nearest known name', () => {
  const found = problems(`${head}logFormat: jason
certificate: []
certificates:
  - { name: Client, certdir: pki, keyAlgorithm: ecdsa-p256, requestedLifetime: 10 }
  - { name: a, outputs: [{ dir: x, mode: 640 }], usages: [client-auth], afterRenewal: [{ command: [] }] }
`)
  assert.equal(found.toSorted(), [
    'certificate is not known; did you mean certificates?',
    'certificates[0].certdir is not known; did you mean certDir?',
    'certificates[0].keyAlgorithm must be one of ECDSA-P256, ECDSA-P384, ECDSA-P521, RSA-2048, RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65, ML-DSA-87, Ed25519; did you mean ECDSA-P256?',
    'certificates[0].name must be lower-case letters, digits, dots and dashes',
    'certificates[0].requestedLifetime must be a duration, such as 90s, 10m or 8760h',
    'certificates[1].afterRenewal[0].command must not be empty',
    "certificates[1].outputs[0].mode must be octal, in quotes, with nothing for others, such as '0640'",
    found.find((line) => line.startsWith('certificates[1].usages[0] must be one of')),
    'logFormat must be one of text, json; did you mean json?',
  ])
  assert.ok(found.some((line) => line.endsWith('did you mean client auth?')))
})

test('tells all contradictions, within a certificate and between them', () => {
  const found = problems(`${head}metricsBindAddress: nowhere
certificates:
  - { ${client}, certDir: a, kubeconfig: k, requestedLifetime: 5s, nodeLabels: { a: b } }
  - { name: client, hostnameOverride: worker 1, certDir: b, authenticateWith: kubeconfig }
  - { name: held, certDir: a, certPrefix: kubelet-client, commonName: x, hostnameOverride: y, signerName: z.example/z, dnsNames: [a..b] }
  - { name: serving, certDir: c, serverAddresses: [nodes], dnsNames: [x], commonName: y }
  - { name: x, certDir: d, authenticateWith: y, bootstrapKubeconfig: b }
  - { name: y, certDir: e, authenticateWith: x, outputs: [{ dir: k }] }
  - { name: z, certDir: f, authenticateWith: strange, afterRenewal: [{ command: [a], timeout: 2h }, { signal: 'HUP:/run/x', timeout: 5s }] }
`)
  for (const expected of [
    /^metricsBindAddress: "nowhere" is no address/,
    /^certificates\[0\]\.requestedLifetime of 5 s is not accepted/,
    /^certificates\[0\]\.nodeLabels is without a renewal window; give certificates\[0\]\.renewalWindowFile/,
    /^certificates\[1\]\.hostnameOverride=worker 1 cannot be the name of a node/,
    /^certificates\[1\]\.authenticateWith=kubeconfig needs certificates\[1\]\.kubeconfig/,
    /^certificates\[1\]\.name and certificates\[0\]\.name are both client/,
    /^certificates\[2\]\.name must be another name/,
    /^certificates\[2\]\.hostnameOverride and certificates\[2\]\.signerName are both given/,
    /^certificates\[2\]\.certDir and certificates\[0\]\.certDir are both \/etc\/kcr\/a\/kubelet-client/,
    /^certificates\[3\]\.serverAddresses needs certificates\[3\]\.authenticateWith/,
    /^certificates\[3\]\.serverAddresses and certificates\[3\]\.commonName are both given/,
    /^certificates\[3\]\.serverAddresses=nodes is no source of addresses; did you mean node\?/,
    /^certificates\[2\]\.dnsNames: a\.\.b is no DNS name/,
    /^certificates\[4\]\.bootstrapKubeconfig and certificates\[4\]\.authenticateWith=y are both given/,
    /^certificates\[4\]\.authenticateWith=y waits for this certificate itself/,
    /^certificates\[5\]\.outputs\[0\] and certificates\[0\]\.kubeconfig are both \/etc\/kcr\/k/,
    /^certificates\[6\]\.authenticateWith=strange is no certificate of this file; there are client, held/,
    /^certificates\[6\]\.afterRenewal\[0\]\.timeout must be 100ms or more/,
    /^certificates\[6\]\.afterRenewal\[1\]\.timeout is for commands; leave it out/,
  ])
    assert.ok(
      found.some((line) => expected.test(line)),
      `${expected}\n${found.join('\n')}`,
    )
})

test('tells contradictions beside what cannot be read, of the certificates that can', () => {
  const found = problems(`${head}metricsBindAddress: nowhere
certificates:
  - { name: a, certdir: x }
  - { name: b, commonName: x, bootstrapKubeconfig: b, authenticateWith: kubeconfig, certDir: p }
  - { name: c, commonName: x, authenticateWith: a, certDir: q }
  - { name: d, commonName: x, authenticateWith: strange, certDir: q }
  - { name: e, signerName: foo, outputs: [{ dir: x, bundle: y }, {}, { mode: '0640' }, null] }
  - { name: f, afterRenewal: [{ command: [a], signal: 'HUP:/run/x' }, {}, { signal: 'HAP:/run/x' }, { signal: 'HUP:run/x' }] }
`)
  assert.equal(found.toSorted(), [
    'certificates[0].certdir is not known; did you mean certDir?',
    'certificates[1].authenticateWith=kubeconfig needs certificates[1].kubeconfig; name the kubeconfig whose credential is used',
    'certificates[3].authenticateWith=strange is no certificate of this file; there are b, c, d',
    'certificates[3].certDir and certificates[2].certDir are both /etc/kcr/q/kubelet-client; give one of them another certDir or certPrefix',
    'certificates[4].outputs[0] must have one of dir, bundle and kubeconfig',
    'certificates[4].outputs[1] must have one of dir, bundle and kubeconfig',
    'certificates[4].outputs[2] must have one of dir, bundle and kubeconfig',
    'certificates[4].outputs[3] must have one of dir, bundle and kubeconfig',
    'certificates[4].signerName must be like example.com/name: a domain with a dot, a slash, a name',
    'certificates[5].afterRenewal[0] must have one of command and signal',
    'certificates[5].afterRenewal[1] must have one of command and signal',
    'certificates[5].afterRenewal[2].signal must be SIGNAL:FILE with the name of a signal and an absolute path, such as HUP:/run/nginx.pid',
    'certificates[5].afterRenewal[3].signal must be SIGNAL:FILE with the name of a signal and an absolute path, such as HUP:/run/nginx.pid',
    found.find((line) => line.startsWith('metricsBindAddress: "nowhere" is no address')),
  ])
})

test('tells which outputs would get in the way of what', () => {
  const found = problems(`${head}certificates:
  - { ${client}, certDir: p, outputs: [{ bundle: o/tls.crt }, { dir: o }, { dir: q }] }
  - { name: other, commonName: x, bootstrapKubeconfig: b.conf, certDir: q, outputs: [{ bundle: p/x.pem }, { kubeconfig: b.conf }] }
`)
  assert.equal(found, [
    'certificates[0].outputs[0]=/etc/kcr/o/tls.crt is in certificates[0].outputs[1]=/etc/kcr/o; name a file in another directory: the files there belong together',
    'certificates[1].certDir and certificates[0].outputs[2] are both /etc/kcr/q; each needs its own',
    'certificates[1].outputs[0]=/etc/kcr/p/x.pem is in certificates[0].certDir=/etc/kcr/p; name a file in another directory: the files there belong together',
    'certificates[1].outputs[1] and certificates[0].bootstrapKubeconfig are both /etc/kcr/b.conf; each needs its own',
    'certificates[1].outputs[1] and certificates[1].bootstrapKubeconfig are both /etc/kcr/b.conf; each needs its own',
  ])
})

test('a file that is no such file is told', () => {
  assert.match(problems('a: [').join(), /^it is not YAML/)
  assert.match(problems('- 1').join(), /^it must be a mapping with some of apiVersion, kind/)
  assert.match(problems(`${head}certificates: []`).join(), /^certificates must not be empty/)
  assert.match(problems('').join(), /apiVersion must be kube-cert-rotation\/v1/)
  const wrong = problems('apiVersion: kube-cert-rotation/v2\nkind: RotationConfigurations\n')
  assert.ok(wrong.includes('apiVersion must be kube-cert-rotation/v1'), wrong.join('\n'))
  assert.not.match(wrong.join(), 'did you mean')
  const two = `${head}certificates: [{ ${client} }]\n---\n${head}certificates: [{ ${client} }]\n`
  assert.equal(problems(two), ['it has a second document after ---, which nobody would read: leave it out'])
})

test('every flag has a field, but those of a single run; --config beside the flag is an error that names both', () => {
  for (const [flag, { value }] of Object.entries<Flag>(runFlags)) {
    if (flag === 'config') continue
    const field = Object.entries(fieldOf).find(([name]) => name === flag)?.[1]
    const args =
      flag === 'timeout' ? ['--once', '--timeout=1m'] : [value === undefined ? `--${flag}` : `--${flag}=x`]
    const read = readRunOrConfig(['--config=c.yaml', ...args])
    if (field === undefined) {
      assert.ok(E.isRight(read), flag)
      continue
    }
    if (E.isRight(read)) throw new Error(`${flag} is taken beside --config`)
    assert.is(read.left.message, `--config and --${flag} are both given`)
    assert.match(read.left.hint, `write ${field} into c.yaml`)
    // The field is there.
    const path = field.split(/\[\]\.|\./).map((name) => name.replace('[]', ''))
    let schema: unknown = configSchema
    for (const name of path) {
      const properties = JSON.parse(JSON.stringify(schema))
      schema = (properties.items ?? properties).properties?.[name]
      assert.ok(schema !== undefined, `${flag}: there is no ${field}`)
    }
  }
})
