import { X509Certificate } from 'node:crypto'
import type { Approver, ControlPlaneEvent } from '../../../adapters/control-plane/index.js'
import { day, hour, type Instant, instant, minute, second } from '../../../src/model/time.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import {
  admin,
  bootstrapper,
  client,
  credentialsOf,
  issued,
  newRequest,
  requestsPath,
  right,
  signingRequest,
  started,
} from './client.js'

const test = suite('controllers')

const setUp = async (context: TestContext, options: object = {}) => {
  const events: Array<ControlPlaneEvent> = []
  const controlPlane = await started(context, { ...options, onEvent: (event) => events.push(event) })
  const { base64 } = await newRequest()
  const sender = bootstrapper(context, controlPlane)
  const post = (name: string, spec: object = {}) =>
    sender.call('POST', requestsPath, signingRequest(name, base64, spec))
  const conditions = (): ReadonlyArray<string> =>
    controlPlane.requests()[0]?.status.conditions?.map(({ type }) => type) ?? []
  const certificate = (): string | undefined => controlPlane.requests()[0]?.status.certificate
  const told = (tag: ControlPlaneEvent['_tag']) =>
    eventually(`${tag} is told`, () => events.find((event) => event._tag === tag))
  return { controlPlane, post, base64, conditions, certificate, told, events }
}

test('approve and sign a bootstrap request: names, usages and dates as asked, nothing else', async (context) => {
  const before = Date.now()
  const controlPlane = await started(context, { clusterSigningDuration: 90 * second })
  const { cert } = await issued(context, controlPlane, 'csr-1')
  const certificate = new X509Certificate(cert)
  assert.is(certificate.subject, 'O=system:nodes\nCN=system:node:worker-1')
  assert.equal(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.is(certificate.ca, false)
  assert.is(certificate.subjectAltName, undefined)
  assert.ok(certificate.verify(new X509Certificate(controlPlane.authority()).publicKey))
  const [start, end] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  assert.is(end - start, 390 * second)
  assert.ok(end >= before + 89 * second && end <= Date.now() + 90 * second)
})

test('say why they approved', async (context) => {
  const { controlPlane, post, told } = await setUp(context)
  await post('csr-1')
  await told('Issued')
  const condition = controlPlane.requests()[0]?.status.conditions?.[0]
  assert.is(condition?.reason, 'AutoApproved')
  assert.is(condition?.message, 'Auto approving kubelet client certificate after SubjectAccessReview.')
})

test('hold approval and signing back, and catch up', async (context) => {
  const { controlPlane, post, conditions, certificate, told } = await setUp(context)
  controlPlane.approval.hold()
  controlPlane.signing.hold()
  await post('csr-1')
  assert.equal(conditions(), [])
  controlPlane.approval.resume()
  await told('Approved')
  assert.equal(conditions(), ['Approved'])
  assert.is(certificate(), undefined)
  controlPlane.signing.resume()
  await told('Issued')
  assert.is.not(certificate(), undefined)
})

test('leave a request Pending that no recogniser knows', async (context) => {
  const { post, conditions, told } = await setUp(context)
  await post('csr-1', { usages: ['digital signature', 'client auth', 'server auth'] })
  await post('csr-2')
  await told('Issued')
  assert.equal(conditions(), [])
})

test('leave a request Pending whose sender may not have it approved, and tell it', async (context) => {
  const { controlPlane, base64, told } = await setUp(context)
  const administrator = admin(context, controlPlane)
  const bindings = await setUp(context, {
    bindings: [
      {
        role: 'system:node-bootstrapper',
        subject: 'system:bootstrappers',
        rules: [
          { verbs: ['create'], group: 'certificates.k8s.io', resources: ['certificatesigningrequests'] },
        ],
      },
    ],
  })
  await bindings.post('csr-1')
  const refused = await bindings.told('NotApproved')
  assert.is(
    refused._tag === 'NotApproved' && refused.reason,
    'recognized as nodeclient but subject access review was not approved',
  )
  assert.equal(bindings.conditions(), [])
  await administrator.call('POST', requestsPath, signingRequest('csr-1', base64))
  await told('Approved')
})

test('fail an approved request that the signer does not accept', async (context) => {
  const { controlPlane, post, base64, conditions, told } = await setUp(context, { autoApprove: false })
  await post('csr-1', { usages: ['client auth'] })
  const object = {
    ...signingRequest('csr-1', base64),
    status: { conditions: [{ type: 'Approved', status: 'True' }] },
  }
  await admin(context, controlPlane).call('PUT', `${requestsPath}/csr-1/approval`, object)
  const failed = await told('Failed')
  assert.match(failed._tag === 'Failed' ? failed.message : '', /^usages did not match/)
  assert.equal(conditions(), ['Approved', 'Failed'])
})

test('leave a denied request alone, and a request of another signer', async (context) => {
  const { controlPlane, post, base64, events, told } = await setUp(context, { autoApprove: false })
  await post('csr-1')
  await post('csr-2', { signerName: 'example.com/mine' })
  const decide = (name: string, type: string) =>
    admin(context, controlPlane).call('PUT', `${requestsPath}/${name}/approval`, {
      ...signingRequest(name, base64),
      status: { conditions: [{ type, status: 'True' }] },
    })
  assert.is((await decide('csr-1', 'Denied')).code, 200)
  assert.is((await decide('csr-2', 'Approved')).code, 200)
  controlPlane.approval.resume()
  await post('csr-3')
  await told('Issued')
  assert.equal(
    events.flatMap((event) => (event._tag === 'Issued' || event._tag === 'Approved' ? [event.name] : [])),
    ['csr-3', 'csr-3'],
  )
})

test('sign nothing once the CA has expired: the request stays Approved', async (context) => {
  const clock: { now: Instant } = { now: instant(Date.now()) }
  const { post, conditions, certificate, told } = await setUp(context, {
    now: () => clock.now,
    authorityLifetime: hour,
  })
  clock.now = instant(clock.now + 2 * hour)
  await post('csr-1')
  const refused = await told('NotSigned')
  assert.match(refused._tag === 'NotSigned' ? refused.reason : '', /refusing to sign/)
  assert.equal(conditions(), ['Approved'])
  assert.is(certificate(), undefined)
})

test('clean up an hour after issuing', async (context) => {
  const clock: { now: Instant } = { now: instant(Date.now()) }
  const { controlPlane, post, told } = await setUp(context, {
    now: () => clock.now,
    clusterSigningDuration: 10 * day,
  })
  await post('csr-1')
  await told('Issued')
  controlPlane.clean()
  assert.is(controlPlane.requests().length, 1)
  clock.now = instant(clock.now + hour + minute)
  controlPlane.clean()
  assert.equal(controlPlane.requests(), [])
  const cleaned = await told('Cleaned')
  assert.is(cleaned._tag === 'Cleaned' && cleaned.reason, 'approved and issued more than an hour ago')
})

test('take a new authority: new connections see it, old certificates count only when it is kept', async (context) => {
  const controlPlane = await started(context)
  const worker = await issued(context, controlPlane, 'csr-1')
  const old = client(context, controlPlane, worker)
  assert.is((await old.call('GET', requestsPath)).code, 200)

  const first = controlPlane.authority()
  right(await controlPlane.replaceAuthority({ keepOld: true })())
  assert.is.not(controlPlane.authority(), first)
  assert.is((await old.call('GET', requestsPath)).code, 200)
  assert.is((await client(context, controlPlane, worker).call('GET', requestsPath)).code, 200)

  right(await controlPlane.replaceAuthority({ keepOld: false })())
  assert.is((await old.call('GET', requestsPath)).code, 401)
  const successor = await issued(context, controlPlane, 'csr-2')
  assert.is((await client(context, controlPlane, successor).call('GET', requestsPath)).code, 200)
  const fresh = credentialsOf(controlPlane.adminKubeconfig())
  assert.is((await client(context, controlPlane, fresh).call('GET', requestsPath)).code, 200)
})

/** Approves names of one domain, denies others, and has no opinion of other signers. */
const ofTheDomain: Approver = async ({ signerName, names, groups }) => {
  if (signerName !== 'example.com/serving') return { _tag: 'NoOpinion' }
  const foreign = names.dnsNames.find((name) => !name.endsWith('.example.com'))
  return foreign === undefined && groups.includes('system:bootstrappers')
    ? { _tag: 'Approve' }
    : { _tag: 'Deny', reason: 'ForeignName', message: `${foreign} is not below example.com` }
}

test('an approver of one’s own approves, denies with a reason, or leaves it to the controller manager', async (context) => {
  const { controlPlane, post, told, events } = await setUp(context, { approver: ofTheDomain })
  const serving = { signerName: 'example.com/serving', usages: ['server auth'] }
  const [good, bad] = [
    await newRequest({ dnsNames: ['a.example.com'] }),
    await newRequest({ dnsNames: ['a.example.com', 'example.org'] }),
  ]
  await post('good', { ...serving, request: good.base64 })
  await told('Approved')
  await post('bad', { ...serving, request: bad.base64 })
  const denied = await told('Denied')
  assert.is(denied._tag === 'Denied' && denied.message, 'example.org is not below example.com')
  await post('node')
  await eventually('the node is approved', () =>
    events.some((event) => event._tag === 'Approved' && event.name === 'node'),
  )
  const conditions = controlPlane
    .requests()
    .map(({ metadata, status }) => [metadata.name, status.conditions?.[0]?.reason])
  assert.equal(Object.fromEntries(conditions), {
    bad: 'ForeignName',
    good: 'Approved',
    node: 'AutoApproved',
  })
})

test('without the controller manager, what an approver has no opinion of stays Pending, as does what it fails at', async (context) => {
  let asked = 0
  const approver: Approver = ({ name }) => {
    asked += 1
    if (name === 'broken') throw new Error('no policy there')
    return { _tag: 'NoOpinion' }
  }
  const { controlPlane, post, told } = await setUp(context, { approver, autoApprove: false })
  await post('csr-1')
  await post('broken')
  const failed = await told('NotApproved')
  assert.is(failed._tag === 'NotApproved' && failed.reason, 'the approver failed: no policy there')
  assert.is(asked, 2)
  assert.equal(
    controlPlane.requests().map(({ status }) => status.conditions ?? []),
    [[], []],
  )
})
