import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { stringify } from 'yaml'
import {
  accessFromKubeconfig,
  clusterFromKubeconfig,
  clusterOf,
  existingKubeconfig,
  inCluster,
  kubeconfigText,
  loadKubeconfig,
  writeKubeconfig,
} from '../../../adapters/kubernetes/index.js'
import type { Failure, Interrupted } from '../../../src/model/failure.js'
import { instant } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { answering, script, v1 } from '../credentials/plugins.js'
import { never } from '../kubernetes/fixture.js'
import { authority } from '../kubernetes/pki.js'

const test = suite('kubeconfig files')

const ca = authority('ca')
const pair = ca.sign('/O=system:nodes/CN=system:node:a')
const ended = ca.sign('/O=system:nodes/CN=system:node:a', { days: -1 })
const now = instant(Date.now())
const base64 = (text: string) => Buffer.from(text).toString('base64')

const right = async <A>(effect: TaskEither<Failure | Interrupted, A>): Promise<A> => {
  const result = await effect()
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const message = async (effect: TaskEither<Failure | Interrupted, unknown>): Promise<string> => {
  const result = await effect()
  if (E.isRight(result) || result.left._tag === 'Interrupted') throw new Error('it was accepted')
  return result.left.message
}

const access = (path: string) => accessFromKubeconfig(path)(never)

const write = async (directory: string, user: object, cluster: object = {}): Promise<string> => {
  const path = join(directory, 'kubeconfig')
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://api:6443', ...cluster } }],
    users: [{ name: 'x', user }],
  }
  await writeFile(path, stringify(config))
  return path
}

test('reads the files that a kubeconfig names beside it, anew each time', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const path = await write(
    directory,
    { tokenFile: 'token', 'client-certificate': 'crt', 'client-key': 'key' },
    { 'certificate-authority': 'ca.crt' },
  )
  await writeFile(join(directory, 'ca.crt'), ca.certificate)
  await writeFile(join(directory, 'token'), 'first\n')
  await writeFile(join(directory, 'crt'), pair.certificate)
  await writeFile(join(directory, 'key'), pair.key)
  const effect = access(path)
  const found = await right(effect)
  assert.equal(found.cluster.certificateAuthority, O.some(ca.certificate))
  assert.is(O.toUndefined(found.credential.token)?.reveal(), 'first')
  assert.is(O.toUndefined(found.credential.clientCertificate)?.pem, pair.certificate)
  await writeFile(join(directory, 'token'), 'second')
  assert.is(O.toUndefined((await right(effect)).credential.token)?.reveal(), 'second')
})

test('prefers a token file to the token beside it while it can be read', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const path = await write(directory, { token: 'fixed', tokenFile: 'token' })
  const token = async () => O.toUndefined((await right(access(path))).credential.token)?.reveal()
  assert.is(await token(), 'fixed')
  await writeFile(join(directory, 'token'), 'fresh')
  assert.is(await token(), 'fresh')
})

test('says which file is missing and which field names it', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  assert.match(
    await message(loadKubeconfig(join(directory, 'none'))),
    'none: it cannot be read: no such file or directory (ENOENT)',
  )
  const path = await write(directory, { tokenFile: 'token' }, { 'certificate-authority': 'ca.crt' })
  assert.match(await message(access(path)), 'certificate-authority names')
  await writeFile(join(directory, 'ca.crt'), 'no PEM')
  assert.match(await message(clusterFromKubeconfig(path)), 'holds no certificate')
  await writeFile(join(directory, 'ca.crt'), ca.certificate)
  assert.match(await message(access(path)), 'users[0].user.tokenFile names')
})

test('refuses a certificate without a key, a user without a credential, and a token with a line break', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const refusal = async (user: object) => message(access(await write(directory, user)))
  assert.match(await refusal({ 'client-certificate-data': base64(pair.certificate) }), 'without a client-key')
  assert.match(
    await refusal({ 'client-certificate': '/etc/passwd', 'client-key-data': base64(pair.key) }),
    'users[0].user.client-certificate holds no certificate that can be read',
  )
  assert.match(await refusal({}), 'users[0].user has no credential')
  assert.match(await refusal({ token: 'a\nb' }), 'users[0].user.token')
})

test('reads no more of a file than a kubeconfig can be long', async () => {
  assert.match(await message(loadKubeconfig('/dev/zero')), 'it is no regular file')
})

test('waits for nobody to write to a FIFO, and replaces neither it nor a device', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  assert.match(await message(loadKubeconfig(fifo)), `kubeconfig ${fifo}: it cannot be read: it is a FIFO`)
  const naming = await write(directory, { tokenFile: fifo }, { 'certificate-authority': fifo })
  assert.match(await message(access(naming)), `names ${fifo}: the file cannot be read: it is a FIFO`)
  for (const path of [fifo, '/dev/zero'])
    assert.is(
      await message(writeKubeconfig(path, 'new')),
      `writing the kubeconfig ${path}: it is ${path === fifo ? 'a FIFO' : 'no regular file'}`,
    )
  assert.ok((await stat(fifo)).isFIFO())
})

test('finds the proxy in the environment unless the kubeconfig names one', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const through = async (cluster: object, environment: NodeJS.ProcessEnv) => {
    const kubeconfig = await right(loadKubeconfig(await write(directory, {}, cluster)))
    const found = await right(clusterOf(kubeconfig, environment))
    return O.toUndefined(found.proxyUrl)?.reveal()
  }
  const HTTPS_PROXY = 'proxy:3128'
  assert.is(await through({}, {}), undefined)
  assert.is(await through({}, { HTTPS_PROXY }), 'http://proxy:3128')
  assert.is(await through({ 'proxy-url': 'https://own:1' }, { HTTPS_PROXY, NO_PROXY: '*' }), 'https://own:1')
  for (const server of ['https://localhost:1', 'https://127.0.0.2', 'https://[::1]:1'])
    assert.is(await through({ server }, { HTTPS_PROXY }), undefined, server)
  assert.is(await through({ server: 'https://api.localhost' }, { HTTPS_PROXY }), 'http://proxy:3128')
  for (const [server, NO_PROXY] of [
    ['https://api.example.com:6443', 'a.org, example.com'],
    ['https://api.example.com:6443', '.example.com'],
    ['https://api.example.com:6443', '*.example.com:6443'],
    ['https://10.1.2.3', '10.0.0.0/8'],
    ['https://10.1.2.3', '10.1.2.3:443'],
    ['https://[fd00::1]', 'fd00::/16'],
    ['https://[fd00::1]:6443', '[FD00::1]:6443'],
    ['https://[fd00::1]', 'fd00::1'],
    ['https://API.Example.com', 'api.EXAMPLE.com'],
    ['https://bücher.example', '.bücher.example,bücher.example'],
    ['https://api', '*'],
  ] as const)
    assert.is(
      await through({ server }, { https_proxy: HTTPS_PROXY, no_proxy: NO_PROXY }),
      undefined,
      NO_PROXY,
    )
  for (const NO_PROXY of ['xapi', '.api', '*.api', 'api:443', '10.0.0.0/99', 'api.org', ':6443'])
    assert.is(await through({}, { HTTPS_PROXY, NO_PROXY }), 'http://proxy:3128', NO_PROXY)
})

test('reads a list of kubeconfigs as one: the first that names a thing counts, those that are missing do not', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const [one, other] = [join(directory, 'one'), join(directory, 'other')]
  await mkdir(one)
  await mkdir(other)
  const user = (tokenFile: string) => ({ name: 'u', user: { tokenFile } })
  const cluster = (server: string) => ({ name: 'c', cluster: { server, 'certificate-authority': 'ca.crt' } })
  await writeFile(join(one, 'config'), stringify({ users: [user('token')] }))
  await writeFile(
    join(other, 'config'),
    stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      clusters: [cluster('https://second:6443')],
      users: [user('never-looked-at')],
    }),
  )
  await writeFile(join(one, 'token'), 'of-one')
  await writeFile(join(other, 'ca.crt'), ca.certificate)
  const list = ['missing', 'one/config', 'other/config'].map((name) => join(directory, name))
  const { cluster: found, credential } = await right(accessFromKubeconfig(list)(never))
  assert.is(found.server, 'https://second:6443')
  assert.equal(found.certificateAuthority, O.some(ca.certificate))
  assert.is(O.toUndefined(credential.token)?.reveal(), 'of-one')
  assert.match(await message(loadKubeconfig([join(directory, 'none')])), 'none: it cannot be read')
  await writeFile(join(one, 'config'), stringify({ users: [user('token'), user('token')] }))
  assert.match(
    await message(loadKubeconfig(list)),
    `${join(one, 'config')}: users[1] has the same name as users[0]`,
  )
  await writeFile(join(one, 'config'), 'users: 7')
  assert.match(await message(loadKubeconfig(list)), `${join(one, 'config')}: users must be a list`)
})

test('runs a credential plugin where no other credential is named, with the cluster if it is to know it', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const info = join(directory, 'info')
  const { runs } = await script(
    directory,
    `printf %s "$KUBERNETES_EXEC_INFO" > ${info}; ${answering({ token: 'abc' })}`,
  )
  const exec = { apiVersion: v1, command: './plugin', interactiveMode: 'Never', provideClusterInfo: true }
  const cluster = {
    'certificate-authority-data': base64(ca.certificate),
    'tls-server-name': 'api',
    'proxy-url': 'http://proxy:1',
    extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
  }
  const path = await write(directory, { exec }, cluster)
  const source = accessFromKubeconfig(path)
  const token = async () => O.toUndefined((await right(source(never))).credential.token)?.reveal()
  assert.is(await token(), 'abc')
  assert.is(await token(), 'abc')
  assert.is(await runs(), 1)
  assert.equal(JSON.parse(await readFile(info, 'utf8')).spec, {
    cluster: {
      server: 'https://api:6443',
      'tls-server-name': 'api',
      'certificate-authority-data': base64(ca.certificate),
      'proxy-url': 'http://proxy:1',
      config: { audience: 'a' },
    },
    interactive: false,
  })
  // What the plugin is told has changed: it is another credential.
  await write(directory, { exec: { ...exec, args: ['x'] } }, cluster)
  assert.is(await token(), 'abc')
  assert.is(await runs(), 2)
  await write(directory, { exec, token: 'fixed' }, cluster)
  assert.is(await token(), 'fixed')
  assert.is(await runs(), 2)
})

test("finds a pod's service account, and reads its token anew", async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  assert.ok(O.isNone(inCluster(environment, directory)))
  await writeFile(join(directory, 'token'), 'first\n')
  assert.ok(O.isNone(inCluster({}, directory)))
  const pod = O.toUndefined(inCluster(environment, directory))
  if (pod === undefined) throw new Error('it was not found')
  assert.is(pod.server, 'https://[fd00::1]:443')
  assert.match(await message(pod.access(never)), 'service account of this pod: the file')
  await writeFile(join(directory, 'ca.crt'), 'no PEM')
  assert.match(await message(pod.cluster), 'ca.crt holds no certificate of a CA')
  await writeFile(join(directory, 'ca.crt'), ca.certificate)
  const token = async () => O.toUndefined((await right(pod.access(never))).credential.token)?.reveal()
  assert.is(await token(), 'first')
  await writeFile(join(directory, 'token'), 'second')
  assert.is(await token(), 'second')
  assert.equal((await right(pod.cluster)).certificateAuthority, O.some(ca.certificate))
})

test('refuses a proxy of another kind, without telling its password', async ({ temporaryDirectory }) => {
  const path = await write(await temporaryDirectory(), {}, { 'proxy-url': 'socks5://u:hunter2@proxy' })
  const refusal = await message(clusterFromKubeconfig(path))
  assert.match(refusal, 'clusters[0].cluster.proxy-url is a socks5: URL')
  assert.not.match(refusal, 'hunter2')
})

const classified = async (path: string) => {
  const found = await right(existingKubeconfig(path, now))
  return found._tag === 'Unusable' ? found.reason : found._tag
}

test('prefers an existing kubeconfig whose client certificate works', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'pair.pem'), pair.certificate + pair.key)
  const path = await write(directory, { 'client-certificate': 'pair.pem', 'client-key': 'pair.pem' })
  const found = await right(existingKubeconfig(path, now))
  assert.is(found._tag, 'Usable')
  assert.equal(found._tag === 'Usable' && found.certificatePath, O.some(join(directory, 'pair.pem')))
})

test('tells a certificate that is embedded in the kubeconfig', async ({ temporaryDirectory }) => {
  const user = {
    'client-certificate-data': base64(pair.certificate),
    'client-key-data': base64(pair.key),
  }
  const found = await right(existingKubeconfig(await write(await temporaryDirectory(), user), now))
  assert.equal(found._tag === 'Usable' && found.certificatePath, O.none)
  assert.is(found._tag === 'Usable' && found.key.reveal(), pair.key)
})

test('does not count a kubeconfig without a certificate that works', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const of = async (user: object) => classified(await write(directory, user))
  const data = (certificate: string, key: string) => ({
    'client-certificate-data': base64(certificate),
    'client-key-data': base64(key),
  })
  assert.is(await classified(join(directory, 'none')), 'Absent')
  assert.match(await of({ token: 'a' }), 'it has a token, and no client certificate')
  assert.match(await of({ exec: {} }), 'users[0].user.exec.command is missing')
  assert.match(
    await of({ exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'aws' } }),
    'it has a credential plugin, and no client certificate',
  )
  assert.match(
    await of({ 'client-certificate': 'a.pem', 'client-key': 'a.pem' }),
    'no such file or directory (ENOENT)',
  )
  assert.match(await of(data(ended.certificate, ended.key)), 'its client certificate expired at')
  assert.match(
    await of(data(pair.certificate + ended.certificate, pair.key)),
    'its client certificate expired at',
  )
  assert.match(
    await of(data(pair.certificate, ended.key)),
    'users[0].user.client-key is the key of another certificate',
  )
  assert.match(await of(data(pair.certificate, 'zeros')), 'client-key holds no private key that can be read')
  assert.match(await of(data('zeros', pair.key)), 'client-certificate holds no certificate that can be read')
})

test('writes what the kubelet writes, and keeps server name, proxy and CA', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const from = await right(
    loadKubeconfig(
      await write(
        directory,
        { token: 'a' },
        {
          'certificate-authority': 'ca.crt',
          'tls-server-name': 'kubernetes',
          'proxy-url': 'http://p:1',
        },
      ),
    ),
  )
  const pairPath = '/var/lib/kubelet/pki/kubelet-client-current.pem'
  const path = join(directory, 'new', 'kubelet.conf')
  const result = await right(writeKubeconfig(path, kubeconfigText(from.cluster, pairPath)))
  assert.equal(result, { changed: true, backup: O.none })
  assert.is((await stat(path)).mode & 0o777, 0o600)
  assert.is((await stat(join(directory, 'new'))).mode & 0o777, 0o700)
  const text = await readFile(path, 'utf8')
  for (const part of ['name: default-cluster', 'user: default-auth', 'current-context: default-context'])
    assert.match(text, part)
  assert.match(text, 'namespace: default\n')
  const written = await right(loadKubeconfig(path))
  assert.equal(
    written.cluster.certificateAuthority,
    O.some({ _tag: 'File', path: join(directory, 'ca.crt') }),
  )
  assert.equal(written.cluster.tlsServerName, O.some('kubernetes'))
  assert.is(O.toUndefined(written.cluster.proxyUrl)?.reveal(), 'http://p:1')
  assert.equal(written.user.clientCertificate, O.some({ _tag: 'File', path: pairPath }))
  assert.equal(written.user.clientKey, O.some({ _tag: 'File', path: pairPath }))
  assert.equal(await right(writeKubeconfig(path, text)), { changed: false, backup: O.none })
  assert.equal(await readdir(join(directory, 'new')), ['kubelet.conf'])
})

test('keeps CA data as data', async ({ temporaryDirectory }) => {
  const data = base64(ca.certificate)
  const path = await write(await temporaryDirectory(), {}, { 'certificate-authority-data': data })
  const { cluster } = await right(loadKubeconfig(path))
  assert.match(kubeconfigText(cluster, '/a.pem'), `certificate-authority-data: ${data}\n`)
})

test('keeps each file that it overwrites beside it, once', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const path = join(directory, 'kubelet.conf')
  const backups = []
  await writeFile(`${path}.kube-cert-rotation.tmp`, 'left by a crash')
  for (const text of ['first', 'second', 'third', 'second', 'third'])
    backups.push(O.toUndefined((await right(writeKubeconfig(path, text))).backup))
  const [backup, second, third] = ['', '-2', '-3'].map((end) => `${path}.backup${end}`)
  assert.equal(backups, [undefined, backup, second, third, second])
  assert.is(await readFile(`${path}.backup`, 'utf8'), 'first')
  assert.is((await stat(`${path}.backup`)).mode & 0o777, 0o600)
  assert.is(await readFile(path, 'utf8'), 'third')
  assert.is((await readdir(directory)).length, 4)
})

test('follows no link that lies in its way, and says when it cannot write', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'sub'))
  const victim = join(directory, 'victim')
  await symlink(victim, join(directory, 'sub', 'kubelet.conf.kube-cert-rotation.tmp'))
  await right(writeKubeconfig(join(directory, 'sub', 'kubelet.conf'), 'text'))
  assert.equal((await readdir(directory)).sort(), ['sub'])
  await writeFile(victim, '')
  await chmod(victim, 0o600)
  assert.match(await message(writeKubeconfig(join(victim, 'kubelet.conf'), 'text')), 'writing the kubeconfig')
})
