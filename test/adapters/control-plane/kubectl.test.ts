import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { ControlPlaneOptions } from '../../../adapters/control-plane/index.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { bootstrapper, newRequest, requestsPath, signingRequest, started } from './client.js'

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'kubectl'))
  .find(isProgram)

/** Where the end-to-end tests put what they build of Debian's source package. */
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
const debians = [join(cache, 'kube-cert-rotation', 'kubernetes-1.20.2', 'kubectl')].find(isProgram)

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const setUp = async (context: TestContext, program: string, options: ControlPlaneOptions = {}) => {
  const directory = await context.temporaryDirectory()
  const dataDir = join(directory, 'data')
  const controlPlane = await started(context, { dataDir, ...options })
  const { base64 } = await newRequest()
  const sender = bootstrapper(context, controlPlane)
  const environment = (kubeconfig: string) => ({
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      KUBECONFIG: join(dataDir, `${kubeconfig}.kubeconfig`),
    },
  })
  return {
    controlPlane,
    directory,
    base64,
    post: (name: string, spec: object = {}) =>
      sender.call('POST', requestsPath, signingRequest(name, base64, spec)),
    run: (args: string, kubeconfig: 'admin' | 'bootstrap' = 'admin'): Promise<Run> =>
      new Promise((resolve) => {
        execFile(program, args.split(' '), environment(kubeconfig), (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
        )
      }),
    start: (args: string): ChildProcess => {
      const child = spawn(program, args.split(' '), {
        ...environment('admin'),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      context.defer(() => child.kill())
      return child
    },
  }
}

const rows = (output: string): ReadonlyArray<string> =>
  output
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | '))

const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet'

const tests = (name: string, program: string | undefined, missing: string): void => {
  const test = suite(name)
  const options = { skip: program === undefined ? missing : undefined, deadline: 30_000 }
  const path = program ?? ''

  test('lists requests with the columns of Kubernetes, and in every other form', options, async (context) => {
    const { controlPlane, post, run } = await setUp(context, path)
    await post('csr-1', { expirationSeconds: 86_400 })
    await eventually('it is issued', () => controlPlane.requests()[0]?.status.certificate !== undefined)
    for (const form of ['', ' -o wide', ' csr-1']) {
      const [header, row] = rows((await run(`get csr${form}`)).stdout)
      assert.is(header, 'NAME | AGE | SIGNERNAME | REQUESTOR | REQUESTEDDURATION | CONDITION')
      const requestor = `system:bootstrap:${controlPlane.bootstrapToken.reveal().slice(0, 6)}`
      assert.match(row ?? '', `${kubelet} | ${requestor} | 24h | Approved,Issued`)
    }
    assert.is((await run('get csr -o name')).stdout, 'certificatesigningrequest.certificates.k8s.io/csr-1\n')
    assert.match((await run('get csr csr-1 -o yaml')).stdout, /^kind: CertificateSigningRequest$/m)
    const { items } = JSON.parse((await run('get csr -o json')).stdout)
    assert.is(items[0].spec.signerName, kubelet)
  })

  test('watches a request from Pending to Issued', options, async (context) => {
    const { controlPlane, post, start } = await setUp(context, path, { autoApprove: false })
    await post('csr-1')
    const printed: Array<string> = []
    start('get csr -w').stdout?.on('data', (chunk: Buffer) => printed.push(String(chunk)))
    const conditions = () => {
      const whole = printed.join('').split('\n').slice(0, -1).join('\n')
      return rows(whole).map((line) => line.split(' | ').at(-1))
    }
    await eventually('the request is listed', () => conditions().includes('Pending'), { deadline: 20_000 })
    controlPlane.approval.resume()
    await eventually('it is issued', () => conditions().includes('Approved,Issued'))
    assert.equal(conditions(), ['CONDITION', 'Pending', 'Approved', 'Approved,Issued'])
  })

  test('approves and denies', options, async (context) => {
    const { controlPlane, post, run } = await setUp(context, path, { autoApprove: false })
    await post('csr-1')
    await post('csr-2')
    assert.is((await run('certificate approve csr-1')).code, 0)
    assert.is((await run('certificate deny csr-2')).code, 0)
    await eventually(
      'the first is issued',
      () => controlPlane.requests()[0]?.status.certificate !== undefined,
    )
    const reasons = controlPlane
      .requests()
      .map(({ status }) => status.conditions?.map(({ reason }) => reason))
    assert.equal(reasons, [['KubectlApprove'], ['KubectlDeny']])
    const again = await run('certificate approve csr-2')
    assert.is(again.code, 1)
    assert.match(again.stderr, /already Denied|mutually exclusive/)
  })

  test('creates from a file, describes, labels and deletes', options, async (context) => {
    const { controlPlane, directory, base64, run } = await setUp(context, path)
    const file = join(directory, 'request.json')
    await writeFile(file, JSON.stringify(signingRequest('csr-1', base64)))
    assert.equal(await run(`create -f ${file}`), {
      code: 0,
      stdout: 'certificatesigningrequest.certificates.k8s.io/csr-1 created\n',
      stderr: '',
    })
    await eventually('it is issued', () => controlPlane.requests()[0]?.status.certificate !== undefined)
    const { stdout } = await run('describe csr csr-1')
    assert.match(stdout, /^Requesting User: +kubernetes-admin$/m)
    assert.match(stdout, /^Status: +Approved,Issued$/m)
    assert.match(stdout, /Common Name: +system:node:worker-1$/m)
    assert.is((await run('label csr csr-1 color=blue')).code, 0)
    assert.equal(controlPlane.requests()[0]?.metadata.labels, { color: 'blue' })
    assert.match((await run(`create -f ${file}`)).stderr, /AlreadyExists/)
    assert.match((await run('delete csr csr-1')).stdout, /deleted/)
    assert.equal(controlPlane.requests(), [])
    assert.match((await run('delete csr csr-1')).stderr, /\(NotFound\).*"csr-1" not found/)
  })

  test('says who it is, what it may do and what it talks to', options, async (context) => {
    const { run } = await setUp(context, path)
    const version = await run('version')
    assert.match(version.stdout, /v1\.33\.0\+kube-cert-rotation/)
    assert.is((await run('auth can-i delete csr')).stdout, 'yes\n')
    assert.match((await run('auth can-i delete csr', 'bootstrap')).stdout, /^no\b/)
    assert.is((await run('auth can-i create csr', 'bootstrap')).stdout, 'yes\n')
    const refused = await run('delete csr csr-1', 'bootstrap')
    assert.match(refused.stderr, /\(Forbidden\).*cannot delete resource "certificatesigningrequests"/)
    assert.match((await run('api-resources')).stdout, /certificatesigningrequests +csr/)
    const whoami = await run('auth whoami')
    // kubectl has it from 1.28 on.
    if (/unknown command/.test(whoami.stderr)) return
    assert.match(whoami.stdout, /Username +kubernetes-admin/)
    assert.match(whoami.stdout, /Groups +\[system:masters system:authenticated\]/)
  })
}

tests('kubectl on the PATH', onPath, 'there is no kubectl on the PATH')
tests(
  "Debian's kubectl 1.20",
  debians,
  `it is not in ${cache}/kube-cert-rotation: test/e2e/assets/build.sh puts it there`,
)
