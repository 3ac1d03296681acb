import { createHash, X509Certificate } from 'node:crypto'
import type { ApiCall, ControlPlaneEvent } from '../../../adapters/control-plane/index.js'
import { hour, type Instant, instant, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { client, credentialsOf, issued, newRequest, requestsPath, signingRequest, started } from './client.js'

const test = suite('authentication')

const whoami = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

test('takes the user and the groups from a client certificate of its own', async (context) => {
  const controlPlane = await started(context)
  const worker = await issued(context, controlPlane, 'csr-1')
  const { code, json } = await client(context, controlPlane, worker).call('POST', whoami, {})
  assert.is(code, 201)
  const digest = createHash('sha256').update(new X509Certificate(worker.cert).raw).digest('hex')
  assert.equal(json.at('status', 'userInfo'), {
    username: 'system:node:worker-1',
    groups: ['system:nodes', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digest}`] },
  })
})

test('takes a bootstrap token, with any spelling of Bearer', async (context) => {
  const controlPlane = await started(context)
  const token = controlPlane.bootstrapToken.reveal()
  for (const scheme of ['Bearer', 'bearer']) {
    const { json } = await client(context, controlPlane).call(
      'POST',
      whoami,
      {},
      { Authorization: `${scheme} ${token}` },
    )
    assert.is(json.at('status', 'userInfo', 'username'), `system:bootstrap:${token.slice(0, 6)}`)
  }
})

test('answers 401 to a wrong token, and to a certificate of another authority', async (context) => {
  const controlPlane = await started(context)
  const stranger = credentialsOf((await started(context)).adminKubeconfig())
  for (const credentials of [{ token: 'abcdef.0123456789abcdef' }, stranger]) {
    const { code, json } = await client(context, controlPlane, credentials).call('GET', requestsPath)
    assert.is(code, 401)
    assert.is(json.at('reason'), 'Unauthorized')
    assert.is(json.at('message'), 'Unauthorized')
  }
})

test('answers 403 naming system:anonymous to no credential at all, but shows its health', async (context) => {
  const controlPlane = await started(context)
  const nobody = client(context, controlPlane)
  const { code, json } = await nobody.call('POST', requestsPath, {})
  assert.is(code, 403)
  assert.is(
    json.at('message'),
    'certificatesigningrequests.certificates.k8s.io is forbidden: User "system:anonymous" cannot create resource "certificatesigningrequests" in API group "certificates.k8s.io" at the cluster scope',
  )
  assert.is(
    (await nobody.call('GET', '/apis')).json.at('message'),
    'forbidden: User "system:anonymous" cannot get path "/apis"',
  )
  for (const path of ['/healthz', '/livez', '/readyz', '/version']) {
    assert.is((await nobody.call('GET', path)).code, 200)
  }
})

test('prefers a certificate to a token, and a valid token to a bad certificate', async (context) => {
  const controlPlane = await started(context)
  const token = controlPlane.bootstrapToken.reveal()
  const good = await issued(context, controlPlane, 'csr-1')
  const bad = credentialsOf((await started(context)).adminKubeconfig())
  const name = async (credentials: object): Promise<unknown> =>
    (await client(context, controlPlane, { ...credentials, token }).call('POST', whoami, {})).json.at(
      'status',
      'userInfo',
      'username',
    )
  assert.is(await name(good), 'system:node:worker-1')
  assert.is(await name(bad), `system:bootstrap:${token.slice(0, 6)}`)
})

test('looks at the dates on every request: one connection sees 401 before, 200 within and 401 after them', async (context) => {
  const start = Date.now()
  const clock: { now: Instant } = { now: instant(start) }
  const controlPlane = await started(context, { now: () => clock.now, clusterSigningDuration: hour })
  const worker = await issued(context, controlPlane, 'csr-1')
  const calls = client(context, controlPlane, worker, { maxSockets: 1 })
  const codeAt = async (time: number): Promise<number> => {
    clock.now = instant(time)
    return (await calls.call('GET', requestsPath)).code
  }
  assert.is(await codeAt(start - 6 * minute), 401)
  assert.is(await codeAt(start), 200)
  assert.is(await codeAt(start + hour - minute), 200)
  assert.is(await codeAt(start + hour + minute), 401)
  assert.is(await codeAt(start), 200)
})

test('takes no certificate that is for something else than clients', async (context) => {
  const controlPlane = await started(context, { autoApprove: false })
  const usages = ['digital signature', 'key encipherment', 'server auth']
  const { base64 } = await newRequest({ dnsNames: ['worker-1'] })
  const administrator = client(context, controlPlane, credentialsOf(controlPlane.adminKubeconfig()))
  const post = (name: string) => {
    const object = signingRequest(name, base64, { signerName: 'kubernetes.io/kubelet-serving', usages })
    return administrator.call('POST', requestsPath, object)
  }
  await post('csr-1')
  const approval = { conditions: [{ type: 'Approved', status: 'True' }] }
  const serving = issued(
    context,
    controlPlane,
    'csr-2',
    { dnsNames: ['worker-1'] },
    {
      signerName: 'kubernetes.io/kubelet-serving',
      usages,
    },
  )
  const approve = async (): Promise<number> =>
    (
      await administrator.call('PUT', `${requestsPath}/csr-2/approval`, {
        ...signingRequest('csr-2', base64),
        status: approval,
      })
    ).code
  while ((await approve()) === 404) await new Promise((resolve) => setImmediate(resolve))
  assert.is((await client(context, controlPlane, await serving).call('GET', requestsPath)).code, 401)
})

test('tells each call with its user, its answer and the certificate that it came with, valid or not', async (context) => {
  const events: Array<ControlPlaneEvent> = []
  const controlPlane = await started(context, { onEvent: (event) => events.push(event) })
  const worker = await issued(context, controlPlane, 'csr-1')
  const stranger = credentialsOf((await started(context)).adminKubeconfig())
  events.length = 0
  const serial = (pem: string | undefined): string =>
    new X509Certificate(pem ?? '').serialNumber.toLowerCase()
  await client(context, controlPlane, worker).call('GET', `${requestsPath}?limit=5`)
  await client(context, controlPlane, stranger).call('GET', requestsPath)
  await client(context, controlPlane).call('GET', requestsPath)
  const calls = events.filter((event): event is ApiCall => event._tag === 'Call')
  assert.equal(
    calls.map(({ at: _, _tag, ...call }) => call),
    [
      {
        method: 'GET',
        path: `${requestsPath}?limit=5`,
        user: { _tag: 'Some', value: 'system:node:worker-1' },
        certificateSerialNumber: { _tag: 'Some', value: serial(worker.cert) },
        code: 200,
      },
      {
        method: 'GET',
        path: requestsPath,
        user: { _tag: 'None' },
        certificateSerialNumber: { _tag: 'Some', value: serial(stranger.cert) },
        code: 401,
      },
      {
        method: 'GET',
        path: requestsPath,
        user: { _tag: 'Some', value: 'system:anonymous' },
        certificateSerialNumber: { _tag: 'None' },
        code: 403,
      },
    ],
  )
})

test('knows the certificate of a resumed TLS session too', async (context) => {
  const controlPlane = await started(context)
  const worker = await issued(context, controlPlane, 'csr-1')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const calls = client(context, controlPlane, worker, { keepAlive: false, maxVersion })
    for (const _ of [1, 2, 3]) assert.is((await calls.call('GET', requestsPath)).code, 200)
  }
})
