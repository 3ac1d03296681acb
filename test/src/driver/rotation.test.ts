import * as O from 'fp-ts/lib/Option.js'
import {
  apiErrors,
  type MemoryPorts,
  type MemoryPortsOptions,
  memoryPorts,
  storeErrors,
} from '../../../adapters/memory/index.js'
import { type Rotation, rotation } from '../../../src/driver/rotation.js'
import { failure } from '../../../src/model/failure.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { at, noon, template } from '../samples.js'

const test = suite('rotation')

interface World {
  readonly memory: MemoryPorts
  readonly agent: Rotation
}

interface Start {
  readonly ports?: Partial<MemoryPortsOptions>
  readonly policy?: Partial<RotationPolicy>
  /** What happens before it runs. */
  readonly first?: (world: World) => void
}

/** A rotation in memory that runs until the test ends, and what it told. */
const start = async ({ defer }: TestContext, { ports, policy, first }: Start = {}) => {
  const memory = memoryPorts({ now: noon, api: { signingDuration: day }, ...ports })
  const warnings: Array<string> = []
  const agent = rotation({
    policy: { ...defaultPolicy, probeInterval: 0, ...policy },
    template: O.some(template),
    ports: memory,
    notify: (notice) => {
      if (notice._tag === 'Warning') warnings.push(notice.message)
    },
  })
  const told: Array<string | undefined> = []
  const unsubscribe = agent.credentials.subscribe((credential) => {
    told.push(O.toUndefined(credential)?.certificate.serialNumber)
  })
  first?.({ memory, agent })
  const stop = new AbortController()
  const ended = agent.run(stop.signal)()
  defer(async () => {
    stop.abort()
    await ended
  })
  await memory.clock.settle()
  return { memory, agent, told, unsubscribe, warnings }
}

test('tells subscribers of each change, until they unsubscribe', async (context) => {
  const { memory, told, unsubscribe } = await start(context)
  assert.is(told.length, 1)
  await memory.clock.advanceBy(22 * hour)
  assert.is(told.length, 2)
  unsubscribe()
  await memory.clock.advanceBy(22 * hour)
  assert.is(told.length, 2)
})

test('goes on when a subscriber throws, and tells the others', async (context) => {
  let calls = 0
  const { agent } = await start(context, {
    first: ({ agent: { credentials } }) => {
      credentials.subscribe(() => {
        throw new Error('not mine')
      })
      credentials.subscribe(() => {
        calls += 1
      })
    },
  })
  assert.equal([calls, agent.state()._tag], [1, 'Issued'])
})

test('forgets what was saved for a request whose name somebody else has already', async (context) => {
  const { memory, agent } = await start(context, {
    first: ({ memory: { requests } }) => {
      requests.inject({
        when: ({ verb }) => verb === 'submit',
        answer: failure('NameTaken', 'soon', 'the name is taken', 'a new key follows'),
      })
    },
  })
  assert.is(agent.state()._tag, 'Bootstrapping')
  assert.ok(O.isNone(memory.store.contents().request))
})

/** How many watches more there are after connections have reported many rejections. */
const watchesAfterRejections = async (
  context: TestContext,
  policy: Partial<RotationPolicy>,
): Promise<number> => {
  const { memory, agent } = await start(context, { policy })
  memory.requests.set({ autoApprove: false })
  await memory.clock.advanceBy(22 * hour)
  assert.is(agent.state()._tag, 'Pending')
  const watches = () => memory.requests.records.filter(({ verb }) => verb === 'observe').length
  const before = watches()
  const held = agent.facts().held
  const keyId = O.isSome(held) ? held.value.certificate.keyId : ''
  for (let call = 0; call < 100; call++) {
    agent.tell({ _tag: 'CredentialRejected', keyId })()
    agent.tell({ _tag: 'CredentialRejected', keyId: 'another key' })()
    await memory.clock.settle()
  }
  return watches() - before
}

test('begins a watch anew at the first rejection that connections report, not at each', async (context) => {
  assert.is(await watchesAfterRejections(context, {}), 1)
})

test('lets no rejection cut a watch short that goes out with another credential', async (context) => {
  assert.is(await watchesAfterRejections(context, { authenticateWith: 'external' }), 0)
})

test('warns of a server whose clock is off, once, and when it changes', async (context) => {
  const { memory, warnings } = await start(context, {
    ports: { api: { signingDuration: hour, skew: hour } },
  })
  await memory.clock.advanceTo(at(3 * hour))
  assert.equal(warnings.filter((message) => message.includes('clock')).length, 1, warnings.join('\n'))
})

test('says when a request that is over cannot be discarded, and goes on', async (context) => {
  const { memory, agent, warnings } = await start(context, { ports: { api: { autoApprove: false } } })
  memory.store.inject({ when: ({ operation }) => operation === 'discardRequest', answer: storeErrors.full })
  memory.requests.deny('No', 'not you')
  await memory.clock.settle()
  assert.equal(warnings, ['the store cannot be written: no space left (memory); make room'])
  memory.requests.set({ autoApprove: true })
  await memory.clock.advanceBy(hour)
  assert.is(agent.state()._tag, 'Issued')
})

test('takes in what a listener says in the moment in which it hears that the certificate expired', async (context) => {
  const { memory, agent } = await start(context, { policy: { rotate: false } })
  memory.requests.set({ bootstrap: false })
  agent.credentials.subscribe((credential) => {
    if (O.isNone(credential)) agent.tell({ _tag: 'TemplateChanged', template: O.none })()
  })
  await memory.clock.advanceBy(2 * day)
  assert.equal(agent.facts().wanted, O.none)
})

test('bootstraps where the server cannot be verified, also where there is no kubeconfig to be corrected', async (context) => {
  const { memory, agent, warnings } = await start(context, { policy: { probeInterval: hour } })
  memory.requests.inject({ when: ({ as }) => as === 'held', answer: apiErrors.untrusted })
  await memory.clock.advanceBy(hour + minute)
  assert.is(agent.state()._tag, 'Issued')
  assert.is(memory.requests.requests().length, 2)
  await memory.clock.advanceBy(3 * hour)
  assert.is(memory.requests.requests().length, 2, 'one was enough')
  assert.equal(warnings, [])
})
