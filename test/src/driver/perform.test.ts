import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  apiErrors,
  cryptoErrors,
  type MemoryPorts,
  memoryPorts,
  storeErrors,
  trustErrors,
} from '../../../adapters/memory/index.js'
import { agenda } from '../../../src/driver/agenda.js'
import { type Keyring, keep, keyring, makeReady } from '../../../src/driver/keyring.js'
import { defaultLimits, limit } from '../../../src/driver/limits.js'
import { type Means, perform } from '../../../src/driver/perform.js'
import type { Action } from '../../../src/machine/action.js'
import { endOfTime } from '../../../src/model/time.js'
import { interruption } from '../../../src/signal.js'
import { assert, suite } from '../../helper/index.js'
import { delivered, draft, held, keyId, noon, request, template } from '../samples.js'

const test = suite('perform')

type Performed = Exclude<Action, { readonly _tag: 'Wait' }>

const means = (ports: MemoryPorts, keys: Keyring = keyring()): Means => ({
  ports,
  keys,
  held: O.some(held()),
  limits: {
    handshakes: limit(defaultLimits.handshakes, agenda(ports.clock), ports.clock),
    keys: limit(defaultLimits.keys, agenda(ports.clock), ports.clock),
    installs: limit(defaultLimits.installs, agenda(ports.clock), ports.clock),
  },
  signal: interruption().signal,
})
const submit: Performed = { _tag: 'Submit', template, draft: O.none, credential: 'bootstrap' }

/** What came of an action, the tags of failures with it. */
const outcome = async (
  ports: MemoryPorts,
  action: Performed,
  keys?: Keyring,
): Promise<ReadonlyArray<string>> =>
  (await perform(means(ports, keys), action)()).map((fact) =>
    fact._tag === 'Observed'
      ? `Observed ${fact.observation._tag}`
      : 'failure' in fact
        ? `${fact._tag}: ${fact.failure._tag}`
        : fact._tag,
  )

test('saves the request before it is sent', async () => {
  const ports = memoryPorts({ now: noon, api: { autoApprove: false } })
  ports.requests.inject({ answer: apiErrors.unreachable })
  assert.equal(await outcome(ports, submit), ['SubmitFailed: Unreachable'])
  assert.ok(O.isSome(ports.store.contents().request))
})

test('sends nothing that could not be saved', async () => {
  const ports = memoryPorts({ now: noon })
  ports.store.inject({ answer: storeErrors.full })
  assert.equal(await outcome(ports, submit), ['SubmitFailed: StoreUnwritable'])
  assert.equal(ports.requests.records, [])
})

for (const operation of ['generateKey', 'createRequest', 'forStorage'] as const)
  test(`says why a request cannot be made when ${operation} fails`, async () => {
    const ports = memoryPorts({ now: noon })
    ports.crypto.inject({ when: (called) => called === operation, answer: cryptoErrors.keyUnavailable })
    assert.equal(await outcome(ports, submit), ['SubmitFailed: KeyUnavailable'])
    assert.equal(ports.requests.records, [])
  })

test('makes a new key for a request whose key is not in memory', async () => {
  const ports = memoryPorts({ now: noon })
  const [fact] = await perform(means(ports), { ...submit, draft: O.some(draft(keyId(7))) })()
  assert.ok(fact?._tag === 'Submitted' && fact.request.keyId !== keyId(7))
})

test('says that there is no certificate to authenticate with', async () => {
  const ports = memoryPorts({ now: noon })
  const own = request(keyId(2))
  const credential = 'held'
  assert.equal(await outcome(ports, { ...submit, credential }), ['SubmitFailed: NoCredential'])
  assert.equal(
    await outcome(ports, { _tag: 'Observe', request: own, known: 'Pending', credential, until: endOfTime }),
    ['ObserveFailed: NoCredential'],
  )
  assert.equal(await outcome(ports, { _tag: 'Probe', keyId: keyId(1) }), ['ProbeFailed: NoCredential'])
})

test('says when the key of a certificate to be stored is not in memory, or cannot be stored', async () => {
  const ports = memoryPorts({ now: noon })
  const made = await ports.crypto.generateKey('ECDSA-P256')()
  if (E.isLeft(made)) throw new Error(made.left.message)
  const install: Performed = { _tag: 'Install', delivered: delivered(noon, { keyId: made.right.id }) }
  assert.equal(await outcome(ports, install), ['InstallFailed: KeyUnavailable'])
  const keys = keyring()
  keep(keys, made.right)
  ports.crypto.inject({
    when: (called) => called === 'forStorage',
    answer: cryptoErrors.keyUnavailable,
    times: 1,
  })
  assert.equal(await outcome(ports, install, keys), ['InstallFailed: KeyUnavailable'])
  assert.equal(await outcome(ports, install, keys), ['Installed'])
})

test('learns nothing from a call that was cut short by the end of the rotation', async () => {
  const ports = memoryPorts({ now: noon })
  ports.requests.inject({ answer: 'silence' })
  const key = await ports.crypto.generateKey('ECDSA-P256')()
  if (E.isLeft(key)) throw new Error(key.left.message)
  const keys = keyring()
  keep(keys, key.right)
  const own = held({ keyId: key.right.id })
  await makeReady(keys, own)()
  for (const action of [submit, { _tag: 'Probe', keyId: key.right.id } as const]) {
    const { signal, interrupt } = interruption()
    const facts = perform({ ...means(ports, keys), held: O.some(own), signal }, action)()
    await ports.clock.settle()
    interrupt()
    assert.equal(await facts, [])
  }
  assert.is(ports.requests.records.length, 2)
})

test('has no certificate to authenticate with when none is held', async () => {
  const facts = await perform(
    { ...means(memoryPorts({ now: noon })), held: O.none },
    { ...submit, credential: 'held' },
  )()
  assert.ok(facts[0]?._tag === 'SubmitFailed' && facts[0].failure._tag === 'NoCredential')
})

test('makes, saves and sends nothing while the CAs that are required cannot be read', async () => {
  const ports = memoryPorts({ now: noon, trust: { required: true } })
  ports.trust.inject({ answer: trustErrors.unreadable })
  assert.equal(await outcome(ports, submit), ['SubmitFailed: TrustUnusable'])
  assert.equal([ports.store.records, ports.requests.records], [[], []])
})

test('leaves a certificate at the API that cannot be judged, also one that was there at once', async () => {
  const ports = memoryPorts({ now: noon, trust: { required: true, authorities: O.some(['memory']) } })
  const keys = keyring()
  const [submitted] = await perform(means(ports, keys), submit)()
  if (submitted?._tag !== 'Submitted') throw new Error('it was not submitted')
  const { request: sent } = submitted
  let readings = 0
  // The first is before the request is sent again.
  ports.trust.inject({ when: () => ++readings > 1, answer: trustErrors.unreadable })
  const again: Performed = { ...submit, draft: O.some(sent) }
  assert.equal(await outcome(ports, again, keys), ['Submitted', 'Observed Unverifiable'])
  const credential = 'bootstrap'
  const observe = { _tag: 'Observe', request: sent, credential, until: endOfTime } as const
  for (const known of ['Pending', 'Approved'] as const)
    assert.equal(await outcome(ports, { ...observe, known }), ['Observed Unverifiable'])
})
