import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  apiErrors,
  type CryptoOperation,
  cryptoErrors,
  keyIdOf,
  memoryPorts,
  storedPair,
  storeErrors,
} from '../../adapters/memory/index.js'
import type { Action } from '../../src/action.js'
import type { CertificateChain } from '../../src/certificate.js'
import { keyring } from '../../src/keyring.js'
import { loading } from '../../src/loading.js'
import { type Means, type Ports, perform } from '../../src/performing.js'
import type { CertificateSigningRequests, SavedRequest } from '../../src/ports.js'
import { interruption, onSignal } from '../../src/signal.js'
import { kubeletClientTemplate } from '../../src/template.js'
import { after, day, endOfTime, hour, instant, minute } from '../../src/time.js'
import { assert, suite } from '../helper/index.js'

const test = suite('performing')

const now = instant(Date.parse('2026-01-01T00:00:00Z'))
const template = kubeletClientTemplate('a')
const submitAs = (credential: 'held' | 'bootstrap' | 'external'): Action => ({
  _tag: 'Submit',
  template,
  draft: O.none,
  credential,
})

/** The ports in memory, with a certificate in the store and in use. */
const world = async (change: (ports: Ports) => Partial<Ports> = () => ({})) => {
  const pair = storedPair({ key: 'key of a0', notBefore: after(now, -hour), notAfter: after(now, day) })
  const memory = memoryPorts({ now, api: { autoApprove: false }, store: { pairs: [pair] } })
  const ports = { ...memory, ...change(memory) }
  const keys = keyring()
  const found = await loading(memory.store, memory.crypto, keys, now)()
  const held = found._tag === 'Right' ? found.right.held : O.none
  if (O.isSome(held)) await keys.equip(held.value)()
  const stop = interruption()
  const news = interruption()
  const times: Array<number> = []
  const means: Means = {
    ports,
    keys,
    held,
    stop: stop.signal,
    news: news.signal,
    serverTime: (time) => times.push(time),
  }
  /** Performs an action, and answers with the facts once there are any. */
  const does = (action: Action, other: Partial<Means> = {}) => perform({ ...means, ...other }, action)
  return { ...memory, keys, means, does, stop, news, times }
}

/** A world with a request that is pending at the API. */
const pending = async () => {
  const it = await world()
  const [fact] = await it.does(submitAs('bootstrap'))
  if (fact?._tag !== 'Submitted') throw new Error('not submitted')
  const observe = (credential: 'held' | 'bootstrap' = 'held', until = endOfTime): Action => ({
    _tag: 'Observe',
    request: fact.request,
    known: 'Pending',
    credential,
    until,
  })
  return { ...it, request: fact.request, observe }
}

test('saves a request with its key before it sends it', async () => {
  const { does, store, requests, times } = await world()
  const facts = await does(submitAs('bootstrap'))
  assert.equal(
    facts.map(({ _tag }) => _tag),
    ['Submitted'],
  )
  const saved = O.toUndefined(store.contents().request)
  assert.is(saved?.draft.pem, requests.requests()[0]?.pem)
  assert.is(saved?.draft.keyId, keyIdOf('key 1'))
  assert.match(saved?.draft.name ?? '', /^csr-[0-9a-f]{32}$/)
  assert.equal(times, [now])
})

for (const operation of [
  'generateKey',
  'createRequest',
  'forStorage',
] satisfies ReadonlyArray<CryptoOperation>)
  test(`sends nothing when ${operation} fails`, async () => {
    const { does, crypto, requests } = await world()
    crypto.inject({ when: (call) => call === operation, answer: cryptoErrors.keyUnavailable })
    const facts = await does(submitAs('bootstrap'))
    assert.equal(facts, [
      { _tag: 'SubmitFailed', draft: O.none, credential: 'bootstrap', failure: cryptoErrors.keyUnavailable },
    ])
    assert.is(requests.records.length, 0)
  })

test('sends nothing that could not be saved', async () => {
  const { does, store, requests } = await world()
  store.inject({ when: ({ operation }) => operation === 'saveRequest', answer: storeErrors.full })
  const facts = await does(submitAs('bootstrap'))
  assert.equal(facts, [
    { _tag: 'SubmitFailed', draft: O.none, credential: 'bootstrap', failure: storeErrors.full },
  ])
  assert.is(requests.records.length, 0)
})

test('tells which request was saved when sending it failed', async () => {
  const { does, store, requests } = await world()
  requests.inject({ answer: apiErrors.unreachable })
  const [fact] = await does(submitAs('bootstrap'))
  assert.is(fact?._tag, 'SubmitFailed')
  assert.equal(
    fact?._tag === 'SubmitFailed' && fact.draft,
    O.map(({ draft }: SavedRequest) => draft)(store.contents().request),
  )
})

test('sends a kept request again as it was, and one whose key is lost not at all', async () => {
  const { does, keys, requests } = await world()
  requests.inject({ answer: apiErrors.unreachable, times: 1 })
  const [fact] = await does(submitAs('bootstrap'))
  if (fact?._tag !== 'SubmitFailed') return assert.unreachable('submitted')
  const again: Action = { _tag: 'Submit', template, draft: fact.draft, credential: 'bootstrap' }
  await does(again)
  const [first] = requests.requests()
  assert.is(first?.keyId, keyIdOf('key 1'))
  keys.retain([])
  await does(again)
  assert.is(requests.requests()[1]?.keyId, keyIdOf('key 2'))
})

test('goes out as whom it is told to', async () => {
  const { does, requests } = await world()
  await does(submitAs('held'))
  await does(submitAs('bootstrap'))
  await does(submitAs('external'))
  assert.equal(
    requests.records.map(({ as, serialNumber }) => `${as} ${serialNumber ?? ''}`.trim()),
    ['held a0', 'bootstrap', 'external'],
  )
})

test('fails with NoCredential when there is no held certificate to go out with', async () => {
  const { does, observe, requests } = await pending()
  const without = { held: O.none }
  const facts = [
    ...(await does(submitAs('held'), without)),
    ...(await does(observe('held'), without)),
    ...(await does({ _tag: 'Probe', keyId: 'k' }, without)),
  ]
  assert.equal(
    facts.map((fact) => `${fact._tag} ${'failure' in fact ? fact.failure._tag : ''}`),
    ['SubmitFailed NoCredential', 'ObserveFailed NoCredential', 'ProbeFailed NoCredential'],
  )
  assert.is(requests.records.length, 1)
})

test('takes up a request that was there already at what it has come to', async () => {
  const { does, requests, request } = await pending()
  requests.approve()
  const facts = await does({ _tag: 'Submit', template, draft: O.some(request), credential: 'bootstrap' })
  assert.equal(
    facts.map((fact) => (fact._tag === 'Observed' ? `${fact._tag} ${fact.observation._tag}` : fact._tag)),
    ['Submitted', 'Observed Issued'],
  )
})

test('has nothing to tell of a submission or a probe that was stopped', async () => {
  const { does, requests, stop, clock } = await world()
  requests.inject({ answer: 'silence' })
  const submitting = does(submitAs('bootstrap'))
  const probing = does({ _tag: 'Probe', keyId: 'k' })
  await clock.settle()
  stop.interrupt()
  assert.equal([await submitting, await probing], [[], []])
})

test('tells what a request has come to, with the certificate read', async () => {
  const { does, observe, requests, request, clock } = await pending()
  const observing = does(observe())
  await clock.settle()
  requests.approve()
  const [fact] = await observing
  if (fact?._tag !== 'Observed' || fact.observation._tag !== 'Issued') return assert.unreachable('not issued')
  assert.is(fact.uid, request.uid)
  assert.is(fact.observation.chain.certificate.keyId, request.keyId)
})

test('tells that what is attached cannot be read', async () => {
  const { does, observe, requests } = await pending()
  requests.attach('<html>')
  const [fact] = await does(observe())
  assert.is(fact?._tag === 'Observed' && fact.observation._tag, 'Unreadable')
})

test('observes until the time it was given, and lets go of the watch before it answers', async () => {
  const { does, observe, clock, requests } = await pending()
  const observing = does(observe('held', after(now, minute)))
  await clock.advanceBy(minute)
  assert.equal(await observing, [{ _tag: 'TimePassed' }])
  assert.is(requests.records.at(-1)?.answer, 'Interrupted')
})

test('has nothing to tell of an observation that news cut short', async () => {
  const { does, observe, clock, news, requests } = await pending()
  const observing = does(observe())
  await clock.settle()
  news.interrupt()
  assert.equal(await observing, [])
  assert.is(requests.records.at(-1)?.answer, 'Interrupted')
})

test('counts what was seen at the last moment', async () => {
  const { does, observe, means, news } = await pending()
  const denied = { _tag: 'Denied', reason: 'Policy', message: 'no' } as const
  const requests: CertificateSigningRequests = {
    ...means.ports.requests,
    observe: (_identity, _request, _known, signal) => () =>
      new Promise((resolve) => {
        onSignal(signal, () => resolve(E.right(denied)))
      }),
  }
  const observing = does(observe(), { ports: { ...means.ports, requests } })
  news.interrupt()
  const [fact] = await observing
  assert.equal(fact?._tag === 'Observed' && fact.observation, denied)
})

test('tells that observing failed, and with whose credential', async () => {
  const { does, observe, request, requests } = await pending()
  requests.inject({ answer: apiErrors.forbidden })
  assert.equal(await does(observe('bootstrap')), [
    { _tag: 'ObserveFailed', uid: request.uid, credential: 'bootstrap', failure: apiErrors.forbidden },
  ])
})

const chain = (key: string): CertificateChain => ({
  certificate: {
    ...{ commonName: 'n', organizations: [], dnsNames: [], ipAddresses: [], uris: [] },
    ...{ serialNumber: '01', issuer: 'memory', keyId: keyIdOf(key) },
    ...{ notBefore: now, notAfter: after(now, day), extendedKeyUsages: O.none },
  },
  pem: 'chain',
})
const installOf = (key: string): Action => ({
  _tag: 'Install',
  delivered: { ...chain(key), receivedAt: now },
})

test('stores a certificate with its key', async () => {
  const { does, store } = await world()
  assert.equal(await does(installOf('key of a0')), [{ _tag: 'Installed', keyId: keyIdOf('key of a0') }])
  const [current] = store.contents().pairs
  assert.is(current?.pem, 'chain')
  assert.match(current?.key.reveal() ?? '', /key of a0/)
})

test('tells why a certificate could not be stored', async () => {
  const { does, store, crypto } = await world()
  const failureOf = async (key: string) => {
    const [fact] = await does(installOf(key))
    return fact?._tag === 'InstallFailed' && fact.failure._tag
  }
  assert.is(await failureOf('key nobody has'), 'KeyUnavailable')
  crypto.inject({ times: 1, when: (call) => call === 'forStorage', answer: cryptoErrors.keyUnavailable })
  assert.is(await failureOf('key of a0'), 'KeyUnavailable')
  store.inject({ answer: storeErrors.full })
  assert.is(await failureOf('key of a0'), 'StoreUnwritable')
})

test('probes with the held certificate', async () => {
  const { does, requests } = await world()
  const probe: Action = { _tag: 'Probe', keyId: keyIdOf('key of a0') }
  assert.equal(await does(probe), [{ _tag: 'CredentialAccepted', keyId: keyIdOf('key of a0') }])
  requests.set({ issuer: 'another CA' })
  assert.equal(await does(probe), [
    { _tag: 'ProbeFailed', keyId: keyIdOf('key of a0'), failure: apiErrors.unauthorized },
  ])
})

test('waits until the time it was given, or for news', async () => {
  const { does, clock, news } = await world()
  const waiting = does({ _tag: 'Wait', until: after(now, minute) })
  await clock.advanceBy(minute)
  assert.equal(await waiting, [{ _tag: 'TimePassed' }])
  const cutShort = does({ _tag: 'Wait', until: endOfTime })
  news.interrupt()
  assert.equal(await cutShort, [])
})

test('asks nothing about the time of a server that does not tell it', async () => {
  const { does, times } = await world((ports) => ({
    requests: {
      ...ports.requests,
      submit: (identity, draft, signal) => async () => {
        const answer = await ports.requests.submit(identity, draft, signal)()
        return answer._tag === 'Right'
          ? { ...answer, right: { ...answer.right, serverTime: O.none } }
          : answer
      },
    },
  }))
  assert.is((await does(submitAs('bootstrap'))).length, 1)
  assert.equal(times, [])
})
