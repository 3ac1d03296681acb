import { assert, suite, type TestContext } from '../../helper/index.js'
import {
  admin,
  bootstrapper,
  type Client,
  client,
  newRequest,
  requestsPath,
  signingRequest,
  started,
} from './client.js'

const test = suite('certificate signing requests')

const manual = { autoApprove: false }

const setUp = async (context: TestContext) => {
  const controlPlane = await started(context, manual)
  const { base64 } = await newRequest()
  return { controlPlane, base64, administrator: admin(context, controlPlane) }
}

const post = (poster: Client, name: string, base64: string, spec: object = {}) =>
  poster.call('POST', requestsPath, signingRequest(name, base64, spec))

test('are created with the sender, uid, version and time that the server fills in', async (context) => {
  const { controlPlane, base64 } = await setUp(context)
  const sent = {
    ...signingRequest('csr-1', base64, { username: 'root', groups: ['system:masters'], uid: '0' }),
    status: { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'Y2VydA==' },
  }
  const { code, json } = await bootstrapper(context, controlPlane).call('POST', requestsPath, sent)
  assert.is(code, 201)
  assert.is(json.at('kind'), 'CertificateSigningRequest')
  assert.is(json.at('metadata', 'name'), 'csr-1')
  assert.match(String(json.at('metadata', 'uid')), /^[0-9a-f-]{36}$/)
  assert.match(String(json.at('metadata', 'resourceVersion')), /^[1-9]\d*$/)
  assert.match(String(json.at('metadata', 'creationTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.match(String(json.at('spec', 'username')), /^system:bootstrap:[a-z0-9]{6}$/)
  assert.equal(json.at('spec', 'groups'), ['system:bootstrappers', 'system:authenticated'])
  assert.is(json.at('spec', 'request'), base64)
  assert.equal(json.at('status'), {})
})

test('get a name from generateName', async (context) => {
  const { administrator, base64 } = await setUp(context)
  const sent = { ...signingRequest('', base64), metadata: { generateName: `csr-${'x'.repeat(100)}` } }
  const names = new Set<unknown>()
  for (const _ of [1, 2]) {
    names.add((await administrator.call('POST', requestsPath, sent)).json.at('metadata', 'name'))
  }
  assert.is(names.size, 2)
  for (const name of names) assert.match(String(name), /^csr-x{54}[a-z0-9]{5}$/)
})

test('are refused with 409 under a name that is taken', async (context) => {
  const { administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64)
  const { code, json } = await post(administrator, 'csr-1', base64)
  assert.is(code, 409)
  assert.is(json.at('reason'), 'AlreadyExists')
  assert.is(json.at('message'), 'certificatesigningrequests.certificates.k8s.io "csr-1" already exists')
  assert.equal(json.at('details'), {
    name: 'csr-1',
    group: 'certificates.k8s.io',
    kind: 'certificatesigningrequests',
  })
})

const invalidSpecs: ReadonlyArray<readonly [string, object, string]> = [
  ['no PKCS#10 request', { request: '' }, 'spec.request'],
  [
    'something else in PEM',
    { request: btoa('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n') },
    'spec.request',
  ],
  ['no signer', { signerName: null }, 'spec.signerName'],
  ['a usage given twice', { usages: ['client auth', 'client auth'] }, 'spec.usages[1]'],
  ['an unknown usage', { usages: ['flying'] }, 'spec.usages[0]'],
  ['an expiration under ten minutes', { expirationSeconds: 599 }, 'spec.expirationSeconds'],
]
for (const [what, spec, field] of invalidSpecs) {
  test(`are refused with 422 when they have ${what}`, async (context) => {
    const { administrator, base64 } = await setUp(context)
    const { code, json } = await post(administrator, 'csr-1', base64, spec)
    assert.is(code, 422)
    assert.is(json.at('reason'), 'Invalid')
    assert.is(json.at('details', 'causes', 0, 'field'), field)
    assert.match(
      String(json.at('message')),
      /^CertificateSigningRequest.certificates.k8s.io "csr-1" is invalid: /,
    )
  })
}

test('are refused when they are signed by another key than the one they are for', async (context) => {
  const { administrator, base64 } = await setUp(context)
  const lines = Buffer.from(base64, 'base64').toString().trim().split('\n')
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  const last = der.length - 1
  der[last] = (der[last] ?? 0) ^ 1
  const forged = `${lines[0]}\n${der.toString('base64')}\n${lines.at(-1)}\n`
  const { code, json } = await post(administrator, 'csr-1', btoa(forged))
  assert.is(code, 422)
  assert.match(String(json.at('message')), /signature/)
})

const unreadable: ReadonlyArray<readonly [string, string, RegExp]> = [
  ['no JSON', '{"kind"', /not JSON/],
  ['a field of a wrong type', '{"spec":{"usages":"client auth"}}', /spec.usages must be a list/],
  ['something that is no base64', '{"spec":{"request":"%%%"}}', /spec.request /],
  ['another kind', '{"kind":"Pod","apiVersion":"v1"}', /unrecognized/],
]
for (const [what, body, reason] of unreadable) {
  test(`are refused with 400 when the body is ${what}`, async (context) => {
    const { administrator } = await setUp(context)
    const { code, json } = await administrator.call('POST', requestsPath, body)
    assert.is(code, 400)
    assert.match(String(json.at('message')), reason)
  })
}

test('are refused with 413 beyond 3 MiB, and with 415 in YAML', async (context) => {
  const { administrator } = await setUp(context)
  const long = await administrator.call('POST', requestsPath, 'x'.repeat(3 * 1024 * 1024 + 1))
  assert.is(long.code, 413)
  const yaml = await administrator.call('POST', requestsPath, 'kind: x', {
    'Content-Type': 'application/yaml',
  })
  assert.is(yaml.code, 415)
})

test('of a node for another node, and of anybody for system:masters, are refused at admission', async (context) => {
  const { controlPlane, administrator } = await setUp(context)
  const { base64 } = await newRequest({ commonName: 'jane', organizations: ['system:masters'] })
  const { code, json } = await post(administrator, 'csr-1', base64, {
    signerName: 'kubernetes.io/kube-apiserver-client',
  })
  assert.is(code, 403)
  assert.match(String(json.at('message')), /signer with system:masters group is not allowed$/)
  assert.equal(controlPlane.requests(), [])
})

test('are read by name, with 404 for what is not there', async (context) => {
  const { administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64)
  const there = await administrator.call('GET', `${requestsPath}/csr-1`)
  assert.is(there.code, 200)
  assert.is(there.json.at('metadata', 'name'), 'csr-1')
  const missing = await administrator.call('GET', `${requestsPath}/csr-2`)
  assert.is(missing.code, 404)
  assert.is(missing.json.at('details', 'name'), 'csr-2')
})

test('tell a missing object from a missing resource by the details', async (context) => {
  const { administrator } = await setUp(context)
  const { code, json } = await administrator.call(
    'GET',
    '/apis/certificates.k8s.io/v1beta1/certificatesigningrequests',
  )
  assert.is(code, 404)
  assert.equal(json.at('details'), {})
})

test('are listed, all or by selectors', async (context) => {
  const { administrator, base64 } = await setUp(context)
  for (const name of ['b', 'a', 'c']) await post(administrator, name, base64)
  await administrator.call('PATCH', `${requestsPath}/c`, '{"metadata":{"labels":{"color":"blue"}}}', {
    'Content-Type': 'application/merge-patch+json',
  })
  const list = async (query: string): Promise<unknown> => {
    const { json } = await administrator.call('GET', `${requestsPath}${query}`)
    const items = json.at('items')
    return Array.isArray(items) ? items.map((item) => item.metadata.name) : json.at('message')
  }
  assert.equal(await list(''), ['a', 'b', 'c'])
  assert.equal(await list('?fieldSelector=metadata.name=b'), ['b'])
  assert.equal(await list('?fieldSelector=metadata.name!=b,spec.signerName==x'), [])
  assert.equal(await list('?labelSelector=color=blue'), ['c'])
  assert.equal(await list('?labelSelector=color!=blue'), ['a', 'b'])
  assert.match(String(await list('?fieldSelector=spec.username=x')), /not supported/)
  assert.match(String(await list('?labelSelector=color%20in%20(blue)')), /not supported/)
})

test('keep their spec and status when the object itself is updated', async (context) => {
  const { controlPlane, administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64)
  const [before] = controlPlane.requests()
  const changed = {
    ...signingRequest('csr-1', 'AAAA', { signerName: 'example.com/other' }),
    metadata: { name: 'csr-1', annotations: { a: 'b' } },
    status: { conditions: [{ type: 'Approved', status: 'True' }] },
  }
  const { code, json } = await administrator.call('PUT', `${requestsPath}/csr-1`, changed)
  assert.is(code, 200)
  assert.equal(json.at('spec'), before?.spec)
  assert.equal(json.at('status'), {})
  assert.equal(json.at('metadata', 'annotations'), { a: 'b' })
})

test('keep their version when an update changes nothing', async (context) => {
  const { administrator, base64 } = await setUp(context)
  const { json } = await post(administrator, 'csr-1', base64)
  const again = await administrator.call('PUT', `${requestsPath}/csr-1`, signingRequest('csr-1', base64))
  assert.is(again.json.at('metadata', 'resourceVersion'), json.at('metadata', 'resourceVersion'))
})

const approved = { type: 'Approved', status: 'True', reason: 'Tested' }
const withStatus = (base64: string, status: object, metadata: object = {}) => ({
  ...signingRequest('csr-1', base64),
  metadata: { name: 'csr-1', ...metadata },
  status,
})

test('are approved with the version that was read, or with none; a stale one is a conflict', async (context) => {
  const { controlPlane, administrator, base64 } = await setUp(context)
  controlPlane.signing.hold()
  const { json } = await post(administrator, 'csr-1', base64)
  const resourceVersion = json.at('metadata', 'resourceVersion')
  const approve = (message: string, metadata: object) =>
    administrator.call(
      'PUT',
      `${requestsPath}/csr-1/approval`,
      withStatus(base64, { conditions: [{ ...approved, message }] }, metadata),
    )
  const first = await approve('one', { resourceVersion })
  assert.is(first.code, 200)
  assert.match(String(first.json.at('status', 'conditions', 0, 'lastUpdateTime')), /Z$/)
  const stale = await approve('two', { resourceVersion })
  assert.is(stale.code, 409)
  assert.is(stale.json.at('reason'), 'Conflict')
  assert.match(String(stale.json.at('message')), /the object has been modified/)
  assert.is((await approve('three', {})).code, 200)
  assert.is((await approve('four', { uid: 'another' })).code, 409)
})

test('are not changed when the name in the object is another', async (context) => {
  const { administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64)
  const { code } = await administrator.call(
    'PUT',
    `${requestsPath}/csr-1/approval`,
    withStatus(base64, { conditions: [approved] }, { name: 'csr-2' }),
  )
  assert.is(code, 400)
})

test('take a certificate of another signer, text around it included, and nothing else', async (context) => {
  const { controlPlane, administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64, { signerName: 'example.com/mine' })
  await administrator.call(
    'PUT',
    `${requestsPath}/csr-1/approval`,
    withStatus(base64, { conditions: [approved] }),
  )
  const [{ status } = { status: {} }] = controlPlane.requests()
  const issue = (pem: string) =>
    administrator.call(
      'PUT',
      `${requestsPath}/csr-1/status`,
      withStatus(base64, { ...status, certificate: btoa(pem) }),
    )
  for (const nonsense of ['nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    const refused = await issue(nonsense)
    assert.is(refused.code, 422)
    assert.is(refused.json.at('details', 'causes', 0, 'field'), 'status.certificate')
  }
  assert.is((await issue(`made by hand\n${controlPlane.authority()}`)).code, 200)
  assert.is((await issue(controlPlane.authority())).code, 422)
})

test('are deleted, under the conditions that the sender sets', async (context) => {
  const { controlPlane, administrator, base64 } = await setUp(context)
  const { json } = await post(administrator, 'csr-1', base64)
  const uid = json.at('metadata', 'uid')
  const remove = (preconditions: object) =>
    administrator.call('DELETE', `${requestsPath}/csr-1`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions,
    })
  assert.is((await remove({ uid: 'another' })).code, 409)
  const done = await remove({ uid })
  assert.is(done.json.at('status'), 'Success')
  assert.equal(controlPlane.requests(), [])
  assert.is((await remove({})).code, 404)
})

test('come back under the same name with another uid', async (context) => {
  const { administrator, base64 } = await setUp(context)
  const first = await post(administrator, 'csr-1', base64)
  await administrator.call('DELETE', `${requestsPath}/csr-1`)
  const second = await post(administrator, 'csr-1', base64)
  assert.is.not(first.json.at('metadata', 'uid'), second.json.at('metadata', 'uid'))
})

test('are patched by merging, and by nothing else', async (context) => {
  const { administrator, base64 } = await setUp(context)
  await post(administrator, 'csr-1', base64)
  const patch = (body: object, contentType: string) =>
    administrator.call('PATCH', `${requestsPath}/csr-1`, body, { 'Content-Type': contentType })
  const merge = 'application/merge-patch+json'
  const set = await patch({ metadata: { labels: { a: '1', b: '2' } } }, merge)
  assert.equal(set.json.at('metadata', 'labels'), { a: '1', b: '2' })
  const removed = await patch({ metadata: { labels: { a: null } } }, 'application/strategic-merge-patch+json')
  assert.equal(removed.json.at('metadata', 'labels'), { b: '2' })
  assert.is((await patch([], 'application/json-patch+json')).code, 415)
})

test('are not there for methods that nothing is done with', async (context) => {
  const { administrator } = await setUp(context)
  assert.is((await administrator.call('DELETE', requestsPath)).code, 405)
  assert.is((await administrator.call('PUT', requestsPath)).code, 405)
  assert.is((await administrator.call('POST', '/version')).code, 405)
  assert.is((await administrator.call('GET', `${requestsPath}/csr-1/scale`)).code, 404)
  assert.is((await administrator.call('GET', '/api/v1/pods')).code, 404)
  assert.is((await administrator.call('GET', '/nowhere')).code, 404)
})

test('survive every odd request, and the server with them', async (context) => {
  const { controlPlane, administrator } = await setUp(context)
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const odd: ReadonlyArray<readonly [string, string, string?, string?]> = [
    ['GET', '/%'],
    ['GET', '//'],
    ['POST', requestsPath, deep],
    ['POST', requestsPath, `{"metadata":${deep}}`],
    ['POST', requestsPath, 'null'],
    ['POST', requestsPath, '{"__proto__":{"a":1},"spec":null,"metadata":{"labels":{"__proto__":"x"}}}'],
    ['POST', requestsPath, 'k8s\0\xff\xff', 'application/vnd.kubernetes.protobuf'],
    ['GET', `${requestsPath}?watch=1&resourceVersion=nonsense`],
    ['GET', `${requestsPath}?watch=1&fieldSelector=nonsense`],
    ['PATCH', `${requestsPath}/a%00b`, deep, 'application/merge-patch+json'],
    ['TRACE', requestsPath],
  ]
  for (const [method, path, body, contentType] of odd) {
    const { code, json } = await administrator.call(
      method,
      path,
      body,
      contentType === undefined ? {} : { 'Content-Type': contentType },
    )
    assert.ok(code >= 400 && code < 500, `${method} ${path} answered ${code}`)
    assert.is(json.at('kind'), 'Status')
  }
  assert.is((await client(context, controlPlane).call('GET', '/healthz')).text, 'ok')
})
