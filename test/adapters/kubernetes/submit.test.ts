import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { instant } from '../../../src/model/time.js'
import type { Identity } from '../../../src/ports.js'
import { assert, suite } from '../../helper/index.js'
import {
  apiFor,
  bootstrap,
  ca,
  clusterAt,
  draft,
  fails,
  held,
  never,
  otherPem,
  served,
  setUp,
  succeeds,
  token,
  withToken,
} from './fixture.js'
import { json, status } from './scripted-server.js'

const test = suite('submitting a request')

const v1 = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const v1beta1 = '/apis/certificates.k8s.io/v1beta1/certificatesigningrequests'

test('posts the request as v1 with signer, usages and lifetime, and the bootstrap token', async (context) => {
  const { server, api } = await setUp(context)
  const date = 'Mon, 23 Nov 2026 17:20:02 GMT'
  server.answer((_, response) => json(response, 201, served(), { date }))
  const result = await succeeds(api.submit(bootstrap, draft, never))
  assert.equal(result, {
    uid: 'uid-1',
    resourceVersion: '10',
    condition: { _tag: 'Pending' },
    serverTime: O.some(instant(Date.UTC(2026, 10, 23, 17, 20, 2))),
  })
  const [seen] = server.seen
  assert.is(server.seen.length, 1)
  assert.is(`${seen?.method} ${seen?.path}`, `POST ${v1}`)
  assert.is(seen?.authorization, `Bearer ${token}`)
  assert.is(seen?.certificate, undefined)
  assert.equal(JSON.parse(seen?.body ?? ''), {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'csr-1' },
    spec: {
      request: Buffer.from(draft.pem).toString('base64'),
      signerName: draft.template.signerName,
      usages: draft.template.usages,
      expirationSeconds: 600,
    },
  })
})

test('falls back to v1beta1 where v1 is not served, and remembers it', async (context) => {
  const warnings: Array<string> = []
  const { server, api } = await setUp(context, { warn: (message) => warnings.push(message) })
  server.answer(({ path }, response) =>
    path === v1beta1
      ? json(response, 201, served())
      : json(response, 404, status(404, 'the server could not find the requested resource', { details: {} })),
  )
  await succeeds(api.submit(bootstrap, draft, never))
  await succeeds(api.submit(bootstrap, draft, never))
  assert.equal(
    server.seen.map(({ path }) => path),
    [v1, v1beta1, v1beta1],
  )
  const { spec } = JSON.parse(server.seen[1]?.body ?? '')
  assert.is(spec.expirationSeconds, undefined)
  assert.is(spec.signerName, draft.template.signerName)
  assert.is(warnings.length, 1)
})

test('returns to v1 when a cluster drops v1beta1', async (context) => {
  const { server, api } = await setUp(context)
  for (const path of [v1beta1, v1]) {
    server.answer((seen, response) =>
      seen.path === path
        ? json(response, 201, served())
        : response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found'),
    )
    await succeeds(api.submit(bootstrap, draft, never))
  }
  assert.is(server.seen.at(-1)?.path, v1)
})

test('says so when neither version is served', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => response.writeHead(404).end('404 page not found'))
  assert.is((await fails(api.submit(bootstrap, draft, never)))._tag, 'NotServed')
})

test('takes up its own request, with what it has come to, when the name is taken', async (context) => {
  const { server, api } = await setUp(context)
  // Other line breaks and text around the block are the same request.
  const pem = `text\n${draft.pem.replaceAll('\n', '\r\n')}`
  server.answer(({ method }, response) =>
    method === 'POST'
      ? json(response, 409, status(409, 'already exists', { reason: 'AlreadyExists' }))
      : json(response, 200, served(['Approved'], { pem, version: '17', certificate: 'QQ==' })),
  )
  const result = await succeeds(api.submit(bootstrap, draft, never))
  assert.equal(result.condition, { _tag: 'Issued', certificate: 'QQ==' })
  assert.is(result.resourceVersion, '17')
})

test("leaves somebody else's request of the same name alone", async (context) => {
  const { server, api } = await setUp(context)
  server.answer(({ method }, response) =>
    method === 'POST'
      ? json(response, 409, status(409, 'already exists'))
      : json(response, 200, served([], { pem: otherPem })),
  )
  assert.is((await fails(api.submit(bootstrap, draft, never)))._tag, 'NameTaken')
})

test('asks to try again when the request with its name vanished meanwhile', async (context) => {
  const { server, api } = await setUp(context)
  server.answer(({ method }, response) =>
    method === 'POST'
      ? json(response, 409, status(409, 'already exists'))
      : json(response, 404, status(404, 'not found', { details: { name: 'csr-1' } })),
  )
  assert.is((await fails(api.submit(bootstrap, draft, never)))._tag, 'Unavailable')
})

for (const [code, message, tag] of [
  [400, 'bad request', 'Invalid'],
  [401, 'Unauthorized', 'CredentialRejected'],
  [403, 'User "system:anonymous" cannot create', 'CredentialRejected'],
  [403, 'can only create a node CSR with CN=system:node:a', 'Forbidden'],
  [404, 'the server could not find the requested resource', 'NotServed'],
  [405, 'no', 'Unintelligible'],
  [410, 'gone', 'Unintelligible'],
  [413, 'too large', 'Invalid'],
  [422, 'unknown usage', 'Invalid'],
  [429, 'slow down', 'Unavailable'],
  [500, 'etcd', 'Unavailable'],
  [503, 'starting', 'Unavailable'],
  [504, 'time-out', 'Unavailable'],
] as const)
  test(`takes ${code} "${message}" for ${tag}`, async (context) => {
    const { server, api } = await setUp(context)
    server.answer((_, response) => json(response, code, status(code, message)))
    const error = await fails(api.submit(bootstrap, draft, never))
    assert.is(error._tag, tag)
    assert.match(error.message, message)
    assert.match(error.message, `POST ${server.url}${v1}`)
    assert.ok(error.remedy.length > 0)
    const soon = ['Unavailable', 'Unintelligible', 'CredentialRejected'].includes(tag)
    assert.is(error.retry, soon ? 'soon' : 'later')
  })

test('passes on how long the server asks to wait, in seconds or as a date by its own clock', async (context) => {
  const { server, api } = await setUp(context)
  const delay = async (headers: Record<string, string>) => {
    server.answer((_, response) => json(response, 429, status(429, 'slow down'), headers))
    return O.toUndefined((await fails(api.submit(bootstrap, draft, never))).retryAfter)
  }
  const date = 'Sat, 01 Jan 2000 00:00:00 GMT'
  assert.is(await delay({ 'retry-after': '7' }), 7_000)
  assert.is(await delay({ 'retry-after': 'Sat, 01 Jan 2000 00:01:00 GMT', date }), 60_000)
  assert.is(await delay({ 'retry-after': 'Fri, 31 Dec 1999 00:00:00 GMT', date }), 0)
  assert.is(await delay({ 'retry-after': 'soon' }), undefined)
  assert.is(await delay({}), undefined)
})

test('never follows a redirect, so that no token reaches another server', async (context) => {
  const { server, api } = await setUp(context)
  const { server: other } = await setUp(context)
  for (const code of [301, 302, 307, 308]) {
    server.answer((_, response) => response.writeHead(code, { location: `${other.url}/` }).end())
    const error = await fails(api.submit(bootstrap, draft, never))
    assert.is(error._tag, 'Unintelligible')
    assert.match(error.remedy, 'redirects are not followed')
  }
  assert.is(other.seen.length, 0)
})

test('does not repeat a token that the server repeats, nor what would move the cursor', async (context) => {
  const { server, api } = await setUp(context)
  server.answer(({ authorization }, response) =>
    json(response, 403, status(403, `no: ${authorization}\u001b[2J\n${'x'.repeat(5_000)}`)),
  )
  const { message } = await fails(api.submit(bootstrap, draft, never))
  assert.not.match(message, token)
  assert.not.match(message, /\p{Cc}/u)
  assert.match(message, 'Bearer [token]')
  assert.ok(message.length < 1_000)
})

test('takes what is no CertificateSigningRequest for an answer of somebody else', async (context) => {
  const { server, api } = await setUp(context)
  const message = async (body: string, type = 'application/json') => {
    server.answer((_, response) => response.writeHead(201, { 'content-type': type }).end(body))
    const error = await fails(api.submit(bootstrap, draft, never))
    assert.is(error._tag, 'Unintelligible')
    return error.message
  }
  assert.match(await message('<html>', 'text/html; charset=utf-8'), '201 with text/html, which is no JSON')
  assert.match(await message('{"metadata":'), 'which is no JSON')
  assert.match(await message('null'), 'the object must be a mapping of fields')
  const request: object = { ...served(), metadata: { name: 'a', uid: 1 } }
  assert.match(await message(JSON.stringify(request)), 'metadata.uid must be a string')
  const conditions = { ...served(), status: { conditions: [{ type: 7 }] } }
  assert.match(await message(JSON.stringify(conditions)), 'status.conditions[0].type must be a string')
})

test('uses the external credential for a rotation that has one, and says when there is none', async (context) => {
  const { server, api } = await setUp(context)
  server.answer((_, response) => json(response, 201, served()))
  assert.is((await fails(api.submit({ _tag: 'External' }, draft, never)))._tag, 'NoCredential')
  const cluster = clusterAt(server.url)
  const other = apiFor(context, cluster, { external: TE.right(withToken(cluster, 'external')) })
  await succeeds(other.submit({ _tag: 'External' }, draft, never))
  assert.is(server.seen.at(-1)?.authorization, 'Bearer external')
})

test('keeps the path below which the API lies', async (context) => {
  const { server } = await setUp(context)
  server.answer((_, response) => json(response, 200, {}))
  const api = apiFor(context, clusterAt(`${server.url}/k8s/c-1`))
  await succeeds(api.probe(bootstrap, never))
  assert.is(server.seen[0]?.path, '/k8s/c-1/apis/certificates.k8s.io')
})

test('probes with what every authenticated user may read', async (context) => {
  const { server, api } = await setUp(context)
  const pair = ca.sign('/CN=system:node:a')
  server.answer((_, response) => json(response, 200, { kind: 'APIGroup' }))
  await succeeds(api.probe(held(pair), never))
  assert.is(server.seen[0]?.certificate, 'system:node:a')
  server.answer((_, response) => json(response, 401, status(401, 'Unauthorized')))
  assert.is((await fails(api.probe(held(pair), never)))._tag, 'CredentialRejected')
})

test('says what the asked credential needs when it may not: a node needs no bootstrap role', async (context) => {
  const { server } = await setUp(context)
  const cluster = clusterAt(server.url)
  server.answer((_, response) => json(response, 403, status(403, 'certificatesigningrequests is forbidden')))
  const api = apiFor(context, cluster, { external: TE.right(withToken(cluster, 'external')) })
  const remedyFor = async (identity: Identity) => (await fails(api.submit(identity, draft, never))).remedy
  assert.match(await remedyFor(bootstrap), 'cluster role system:node-bootstrapper')
  assert.match(await remedyFor(held(ca.sign('/CN=system:node:a'))), 'the Node authorizer')
  assert.match(
    await remedyFor({ _tag: 'External' }),
    'let the user of the kubeconfig create, get, list and watch',
  )
  const probed = await fails(api.probe(held(ca.sign('/CN=system:node:a')), never))
  assert.not.match(probed.remedy, 'bootstrap')
})
