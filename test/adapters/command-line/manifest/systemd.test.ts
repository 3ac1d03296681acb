import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serviceFrom } from '../../../../adapters/command-line/manifest/service.js'
import { systemdUnit, type Unit } from '../../../../adapters/command-line/manifest/systemd.js'
import { assert, suite, type TestContext } from '../../../helper/index.js'
import { finished } from '../program.js'
import { flagsOfNode, get } from './flags.js'

const test = suite('manifest systemd')

const node: Unit = { program: [process.execPath, '/usr/lib/kcr.mjs'] }
const unit = (given: Readonly<Record<string, string>>, how: Unit = node) => {
  const text = systemdUnit(get(serviceFrom({ ...flagsOfNode, ...given })), how)
  const lines = text.split('\n')
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1))
  return { text, valuesOf }
}

test('starts the program with the flags that are given, and with absolute paths', () => {
  const { valuesOf } = unit({ 'cert-dir': 'pki', 'probe-interval': '1m' })
  const certDir = join(process.cwd(), 'pki')
  const flags = `--bootstrap-kubeconfig=/etc/boot/token.conf --kubeconfig=/etc/kubernetes/kubelet.conf --cert-dir=${certDir}`
  assert.equal(valuesOf('ExecStart'), [
    `${process.execPath} /usr/lib/kcr.mjs run ${flags} --probe-interval=1m`,
  ])
})

test('may write where files are written, and nowhere else', () => {
  const { valuesOf } = unit({ 'event-log': '/var/log/kcr/events' })
  assert.equal(valuesOf('ReadWritePaths'), ['/etc/kubernetes /var/lib/kubelet/pki /var/log/kcr'])
  assert.equal(valuesOf('ProtectSystem'), ['strict'])
  const nested = unit({ 'event-log': '/var/lib/kubelet/pki/log/events' })
  assert.equal(nested.valuesOf('ReadWritePaths'), ['/etc/kubernetes /var/lib/kubelet/pki'])
})

test('knows what the certificates of a file read and write', async ({ temporaryDirectory }) => {
  const config = join(await temporaryDirectory(), 'config.yaml')
  await writeFile(
    config,
    `apiVersion: kube-cert-rotation/v1
kind: RotationConfiguration
certificates:
  - name: client
    hostnameOverride: worker-1
    bootstrapKubeconfig: /etc/boot/token.conf
    kubeconfig: /etc/kubernetes/kubelet.conf
    eventLog: /var/log/kcr/events
  - name: mesh
    authenticateWith: client
    commonName: mesh
    certDir: /srv/mesh/pki
    outputs: [{ dir: /srv/mesh/tls, owner: '0:33' }, { bundle: /etc/haproxy/mesh.pem }]
`,
  )
  const service = get(serviceFrom({ config }))
  assert.equal(service.reads, [config, '/etc/boot/token.conf'])
  assert.equal(service.writes, [
    '/etc/kubernetes',
    '/var/lib/kubelet/pki',
    '/var/log/kcr',
    '/srv/mesh/pki',
    '/srv/mesh/tls',
    '/etc/haproxy',
  ])
  const text = systemdUnit(service, node)
  assert.match(text, `run --config=${config}\n`)
  assert.match(text, 'CapabilityBoundingSet=CAP_CHOWN\n')
  await writeFile(config, 'certificates: []')
  const wrong = serviceFrom({ config })
  assert.match(JSON.stringify(wrong), /config\.yaml: .*certificates must not be empty/)
})

test('sees home directories and /tmp only where a path leads there', () => {
  assert.equal(unit({}).valuesOf('ProtectHome'), ['yes'])
  assert.equal(unit({}).valuesOf('PrivateTmp'), ['yes'])
  assert.equal(unit({ kubeconfig: '/root/.kube/config' }).valuesOf('ProtectHome'), ['read-only'])
  assert.equal(unit({}, { program: ['/home/me/node'] }).valuesOf('ProtectHome'), ['read-only'])
  assert.equal(unit({ 'cert-dir': '/tmp/pki' }).valuesOf('PrivateTmp'), ['no'])
})

test('quotes what systemd would take for something else', () => {
  const { valuesOf } = unit({ 'cert-dir': '/srv/a b/100%/$HOME/"x"' })
  assert.match(valuesOf('ExecStart').join(), String.raw`"--cert-dir=/srv/a b/100%%/$$HOME/\"x\""`)
  assert.match(valuesOf('ReadWritePaths').join(), String.raw`"/srv/a b/100%%/$HOME/\"x\""`)
})

test('runs as the user that is named', () => {
  assert.equal(unit({}).valuesOf('User'), [])
  assert.equal(unit({}, { ...node, user: 'agent' }).valuesOf('User'), ['agent'])
})

test('may signal processes of others only with --after-renewal-signal', () => {
  const rights = ['CapabilityBoundingSet', 'AmbientCapabilities', 'PrivateUsers', 'ProtectProc', 'ProcSubset']
  const of = ({ valuesOf }: ReturnType<typeof unit>) => rights.map((key) => valuesOf(key).join())
  const signal = { 'after-renewal-signal': 'HUP:/run/nginx.pid' }
  assert.equal(of(unit({})), ['', '', 'yes', 'invisible', 'pid'])
  assert.equal(of(unit(signal)), ['CAP_KILL', '', '', 'default', 'all'])
  const owner = { ...signal, 'output-owner': '0:33', 'output-dir': '/srv/tls' }
  const both = 'CAP_CHOWN CAP_KILL'
  assert.equal(of(unit(owner, { ...node, user: 'agent' })), [both, both, '', 'default', 'all'])
  assert.match(unit({ 'after-renewal': 'systemctl reload nginx' }).text, /^# Commands of --after-renewal/m)
})

const analyze = (...args: ReadonlyArray<string>) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })
const version = Number(/^systemd (\d+)/.exec(analyze('--version').stdout ?? '')?.[1])
const skip = version >= 250 ? undefined : 'systemd-analyze (250 or later) is not installed'

/** What is given beside the flags of a node. */
const cases: ReadonlyArray<readonly [given: Readonly<Record<string, string>>, user?: string]> = [
  [{}],
  [{ 'cert-dir': '/srv/a b/100%/$HOME' }],
  [{ kubeconfig: '/home/me/kubeconfig' }, 'daemon'],
  [{ 'after-renewal-signal': 'HUP:/run/nginx.pid', 'after-renewal': 'systemctl reload nginx' }, 'daemon'],
]
const unitFile = async (context: TestContext, text: string): Promise<string> => {
  const file = join(await context.temporaryDirectory(), 'kube-cert-rotation.service')
  await writeFile(file, text)
  return file
}

for (const [given, user] of cases) {
  const flags = Object.entries({ ...given, ...(user === undefined ? {} : { user }) }).map(
    ([name, value]) => `--${name}=${value}`,
  )
  const what = flags.join(' ') || 'the flags of a node'
  test(`is a unit that systemd accepts, with ${what}`, { skip }, async (context) => {
    const all = Object.entries({ ...flagsOfNode, ...given, ...(user && { user }) })
    const args = all.map(([name, value]) => `--${name}=${value}`)
    const { code, stdout, stderr } = await finished(context, 'manifest', 'systemd', ...args)
    assert.is(code, 0, stderr)
    const verified = analyze('verify', await unitFile(context, stdout))
    assert.equal([verified.status, verified.stderr], [0, ''])
  })
  // Where the program is makes a difference: one in a home directory or below /tmp has to be let see it.
  test(`is exposed below 2.0, with ${what}`, { skip }, async (context) => {
    const { text } = unit(given, { program: ['/usr/bin/node', '/usr/lib/kcr.mjs'], ...(user && { user }) })
    const { status, stdout } = analyze(
      'security',
      '--offline=true',
      '--threshold=20',
      await unitFile(context, text),
    )
    assert.match(stdout, /Overall exposure level .*: [01]\.\d/)
    assert.is(status, 0)
  })
}
