import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  type ApiSettings,
  apiErrors,
  keyIdOf,
  memoryApi,
  readCertificate,
  requestPem,
  storedPair,
  virtualClock,
} from '../../../adapters/memory/index.js'
import {
  after,
  type Draft,
  day,
  hour,
  type Identity,
  type Instant,
  instant,
  interruption,
  kubeletClientTemplate,
  minute,
  type OutstandingRequest,
  second,
  textFromBase64,
} from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('memory API')

const start = instant(Date.parse('2026-01-01T00:00:00Z'))
const never = interruption().signal
const template = kubeletClientTemplate('a')
const draft = (key: string, name = `csr-${key}`): Draft => ({
  name,
  keyId: keyIdOf(key),
  template,
  pem: requestPem(template, keyIdOf(key)),
})
const bootstrap: Identity = { _tag: 'Bootstrap' }
const held = (issuer: string, notBefore: Instant, notAfter: Instant): Identity => {
  const { pem } = storedPair({ key: 'k', issuer, notBefore, notAfter })
  const certificate = O.getOrElseW(() => assert.unreachable('no certificate'))(readCertificate(pem))
  if (certificate === undefined) throw new Error('no certificate')
  return {
    _tag: 'Held',
    credential: { certificate, pem, key: { _tag: 'NotUsableHere', reason: 'not needed' } },
  }
}
const world = (settings: Partial<ApiSettings> = { autoApprove: false }) => {
  const clock = virtualClock(start)
  const api = memoryApi(clock, settings)
  const submit = async (sent: Draft): Promise<OutstandingRequest> => {
    const answer = await api.submit(bootstrap, sent, never)()
    if (E.isLeft(answer)) throw new Error(answer.left._tag)
    return { ...sent, uid: answer.right.uid, resourceVersion: answer.right.resourceVersion }
  }
  const observe = async (request: OutstandingRequest, known: 'Pending' | 'Approved' = 'Pending') => {
    const answer = await api.observe(bootstrap, request, known, never)()
    return E.isLeft(answer) ? answer.left._tag : answer.right._tag
  }
  return { clock, api, submit, observe }
}
const tag = <A>(answer: E.Either<{ readonly _tag: string }, A>) =>
  E.isLeft(answer) ? answer.left._tag : 'ok'

test('tells each step of a request to whoever watches it', async () => {
  const { clock, api, submit, observe } = world({ autoApprove: false, autoSign: false })
  const request = await submit(draft('k'))
  const steps: Array<string> = []
  void observe(request).then((seen) => steps.push(seen))
  await clock.settle()
  assert.equal(steps, [])
  api.approve()
  await clock.settle()
  assert.equal(steps, ['Approved'])
  void observe(request, 'Approved').then((seen) => steps.push(seen))
  api.sign()
  await clock.settle()
  assert.equal(steps, ['Approved', 'Issued'])
  assert.equal(
    api.records.map(({ verb, as, answer }) => `${verb} ${as}: ${answer}`),
    ['submit bootstrap: Pending', 'observe bootstrap: Approved', 'observe bootstrap: Issued'],
  )
})

test('signs what was asked for, backdated as Kubernetes does', async () => {
  const { api, submit } = world({ signingDuration: hour })
  await submit(draft('k'))
  const [request] = api.requests()
  if (request?.condition._tag !== 'Issued') return assert.unreachable('not issued')
  const certificate = O.toNullable(readCertificate(textFromBase64(request.condition.certificate)))
  assert.is(certificate?.keyId, keyIdOf('k'))
  assert.is(certificate?.notBefore, after(start, -5 * minute))
  assert.is(certificate?.notAfter, after(start, hour))
})

test('says denied, failed and gone, and that a request with another uid is another one', async () => {
  const { api, submit, observe } = world()
  const first = await submit(draft('a'))
  const second = await submit(draft('b'))
  api.deny('Policy', 'no', first.name)
  api.fail('SignerValidationFailure', 'no', second.name)
  assert.is(await observe(first), 'Denied')
  assert.is(await observe(second), 'Failed')
  const third = await submit(draft('c'))
  api.recreate()
  assert.is(await observe(third), 'Gone')
  const fourth = await submit(draft('d'))
  api.delete()
  assert.is(await observe(fourth), 'Gone')
})

test("takes up the same request again, and refuses another one's name", async () => {
  const { api, submit } = world()
  const { uid } = await submit(draft('k'))
  assert.is((await submit(draft('k'))).uid, uid)
  assert.is(api.requests().length, 1)
  const answer = await api.submit(bootstrap, draft('other', 'csr-k'), never)()
  assert.is(tag(answer), 'NameTaken')
})

test('accepts certificates of its own CA within their time, by its own clock', async () => {
  const { api } = world()
  const probe = async (...identity: Parameters<typeof held>) =>
    tag(await api.probe(held(...identity), never)())
  assert.is(await probe('memory', start, after(start, day)), 'ok')
  assert.is(await probe('another CA', start, after(start, day)), 'CredentialRejected')
  assert.is(await probe('memory', after(start, -day), start), 'CredentialRejected')
  assert.is(await probe('memory', after(start, hour), after(start, day)), 'CredentialRejected')
  api.set({ skew: hour })
  assert.is(await probe('memory', after(start, hour), after(start, day)), 'ok')
  api.set({ bootstrap: false })
  assert.is(tag(await api.probe(bootstrap, never)()), 'NoCredential')
  assert.is(tag(await api.probe({ _tag: 'External' }, never)()), 'ok')
})

test('ends an open watch with the fault that strikes it', async () => {
  const { clock, api, submit, observe } = world()
  const seen = observe(await submit(draft('k')))
  await clock.settle()
  const mend = api.inject({ answer: apiErrors.unreachable })
  assert.is(await seen, 'Unreachable')
  mend()
  assert.is(tag(await api.probe(bootstrap, never)()), 'ok')
})

test('can lose only the answer', async () => {
  const { api } = world()
  api.inject({ times: 1, answer: apiErrors.unreachable, afterwards: true })
  assert.is(tag(await api.submit(bootstrap, draft('k'), never)()), 'Unreachable')
  assert.is(api.requests().length, 1)
})

test('answers a call that waits or meets silence when its signal is given', async () => {
  const { clock, api, submit } = world()
  const request = await submit(draft('k'))
  const { signal, interrupt } = interruption()
  const watching = api.observe(bootstrap, request, 'Pending', signal)()
  api.inject({ when: ({ verb }) => verb === 'probe', answer: 'silence' })
  const probing = api.probe(bootstrap, signal)()
  await clock.advanceBy(second)
  assert.is(api.records.at(-1)?.answer, 'silence')
  interrupt()
  assert.equal([tag(await watching), tag(await probing)], ['Interrupted', 'Interrupted'])
  api.approve()
  await clock.settle()
  assert.is(api.records.filter(({ answer }) => answer === 'Interrupted').length, 2)
})

test('refuses a script that makes no sense', () => {
  const { api } = world()
  assert.throws(() => api.approve(), /there is no request yet/)
  api.create({ ...draft('k'), pem: 'real PKCS#10' })
  assert.throws(() => api.sign(), /Pending request is not signed/)
  api.set({ autoSign: false })
  api.approve()
  assert.throws(() => api.approve(), /Approved already/)
  assert.throws(() => api.deny('', ''), /Approved already/)
  assert.throws(() => api.sign(), /only requests of the memory crypto backend/)
})
