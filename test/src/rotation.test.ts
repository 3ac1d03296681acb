import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  type ApiSettings,
  apiErrors,
  cryptoErrors,
  type MemoryPorts,
  memoryCrypto,
  memoryPorts,
  storeErrors,
} from '../../adapters/memory/index.js'
import { evolve } from '../../src/machine.js'
import { defaultPolicy, type RotationPolicy } from '../../src/policy.js'
import type { TlsCredential } from '../../src/ports.js'
import { type Notice, type RotationSetup, rotation } from '../../src/rotation.js'
import { interruption } from '../../src/signal.js'
import { initial } from '../../src/state.js'
import { kubeletClientTemplate } from '../../src/template.js'
import { after, day, hour, instant, minute, second } from '../../src/time.js'
import { assert, suite } from '../helper/index.js'

const test = suite('rotation')

const now = instant(Date.parse('2026-01-01T00:00:00Z'))
const template = O.some(kubeletClientTemplate('a'))

interface Options {
  readonly api?: Partial<ApiSettings>
  readonly policy?: RotationPolicy
  readonly ports?: (memory: MemoryPorts) => Partial<RotationSetup['ports']>
  readonly notify?: RotationSetup['notify']
  /** Before it starts. */
  readonly prepare?: (memory: MemoryPorts) => void
}

/** A rotation that has run until nothing is left to do. */
const started = async (options: Options = {}) => {
  const memory = memoryPorts({ now, api: { signingDuration: day, ...options.api } })
  options.prepare?.(memory)
  const notices: Array<Notice> = []
  const notify = (notice: Notice) => {
    notices.push(notice)
    options.notify?.(notice)
  }
  const { policy = defaultPolicy } = options
  const ports = { ...memory, ...options.ports?.(memory) }
  const agent = rotation({ policy, template, ports, notify })
  const used: Array<string> = []
  const unsubscribe = agent.credentials.subscribe((credential) => used.push(serialOf(credential)))
  const stop = interruption()
  let over = false
  const ended = agent
    .run(stop.signal)()
    .then((result) => {
      over = true
      return result
    })
  await memory.clock.settle()
  const warnings = () => notices.flatMap((notice) => (notice._tag === 'Warning' ? [notice.message] : []))
  return { ...memory, agent, stop, ended, isOver: () => over, notices, warnings, used, unsubscribe }
}

const serialOf = (credential: O.Option<TlsCredential>) =>
  O.match(
    () => 'nothing',
    ({ certificate }: TlsCredential) => certificate.serialNumber,
  )(credential)

const pendingApi = { autoApprove: false }
const silentOn = (wanted: string) => (memory: MemoryPorts) => {
  memory.requests.inject({ when: ({ verb }) => verb === wanted, answer: 'silence' })
}

const whileBusy: ReadonlyArray<readonly [string, Options, string]> = [
  ['it waits', {}, 'Issued'],
  ['it watches its request', { api: pendingApi }, 'Pending'],
  ['it submits and hears nothing', { prepare: silentOn('submit') }, 'Bootstrapping'],
  [
    'it pauses after a failure',
    {
      prepare: ({ requests }) => {
        requests.inject({ answer: apiErrors.unreachable })
      },
    },
    'Bootstrapping',
  ],
]
for (const [when, options, state] of whileBusy)
  test(`ends at once when it is stopped while ${when}`, async () => {
    const { agent, stop, ended } = await started(options)
    assert.is(agent.state()._tag, state)
    stop.interrupt()
    assert.ok(E.isRight(await ended))
  })

test('ends at once when it is stopped while a probe hears nothing', async () => {
  const { requests, clock, stop, ended, isOver } = await started({ prepare: silentOn('probe') })
  await clock.advanceBy(10 * minute)
  assert.is(requests.records.at(-1)?.answer, 'silence')
  assert.not(isOver())
  stop.interrupt()
  assert.ok(E.isRight(await ended))
})

test('does nothing when it was stopped before it ran', async () => {
  const memory = memoryPorts({ now })
  const stop = interruption()
  stop.interrupt()
  await rotation({ policy: defaultPolicy, template, ports: memory, notify: () => {} }).run(stop.signal)()
  assert.equal(memory.requests.records, [])
})

test('finishes an installation before it ends', async () => {
  let finish = () => {}
  const { store, clock, stop, isOver, ended } = await started({
    ports: ({ store }) => ({
      store: {
        ...store,
        install: (pair) => async () => {
          await new Promise<void>((resolve) => {
            finish = resolve
          })
          return store.install(pair)()
        },
      },
    }),
  })
  stop.interrupt()
  await clock.advanceBy(hour)
  assert.not(isOver())
  finish()
  await ended
  assert.is(store.contents().pairs.length, 1)
})

test('goes on when those who listen throw', async () => {
  const { agent, used } = await started({
    notify: () => {
      throw new Error('a log that is full')
    },
  })
  assert.is(agent.state()._tag, 'Issued')
  assert.equal(used, ['01'])
})

test('tells of each certificate once, and of having none, also when another follower throws', async () => {
  const { agent, clock, requests, used, unsubscribe } = await started({ api: { signingDuration: hour } })
  agent.credentials.subscribe(() => {
    throw new Error('a connection that is broken')
  })
  const late: Array<string> = []
  agent.credentials.subscribe((credential) => late.push(serialOf(credential)))
  await clock.advanceBy(55 * minute)
  assert.equal([used, late], [['01', '02'], ['02']])
  requests.set({ autoApprove: false })
  await clock.advanceBy(2 * hour)
  assert.equal(used, ['01', '02', 'nothing'])
  assert.is(serialOf(agent.credentials.current()), 'nothing')
  unsubscribe()
  requests.approve()
  await clock.settle()
  assert.is(used.length, 3)
  assert.is(late.at(-1), '03')
})

test('takes in news that comes while a request is being sent, after its answer', async () => {
  let answer = () => {}
  const { agent, clock, notices, requests } = await started({
    api: pendingApi,
    ports: (memory) => ({
      requests: {
        ...memory.requests,
        submit:
          (...args) =>
          async () => {
            await new Promise<void>((resolve) => {
              answer = resolve
            })
            return memory.requests.submit(...args)()
          },
      },
    }),
  })
  const changed = { ...kubeletClientTemplate('a'), dnsNames: ['a.example'] }
  agent.tell({ _tag: 'TemplateChanged', template: O.some(changed) })()
  await clock.settle()
  assert.equal(requests.records, [])
  answer()
  await clock.settle()
  assert.equal(
    notices.map((notice) => (notice._tag === 'Step' ? notice.event._tag : '')),
    ['Loaded', 'Submitted', 'TemplateChanged'],
  )
  await clock.advanceBy(10 * second)
  answer()
  await clock.settle()
  assert.equal(requests.requests()[1]?.template, changed)
})

test('takes in news told before it runs, and news told by a listener', async () => {
  const memory = memoryPorts({ now })
  const seen: Array<string> = []
  const agent = rotation({
    policy: defaultPolicy,
    template: O.none,
    ports: memory,
    notify: (notice) => {
      if (notice._tag !== 'Step') return
      seen.push(notice.event._tag)
      if (notice.event._tag === 'Installed') agent.tell({ _tag: 'RotationAsked', why: 'the trust changed' })()
    },
  })
  agent.tell({ _tag: 'TemplateChanged', template })()
  void agent.run(interruption().signal)()
  await memory.clock.settle()
  assert.equal(seen, ['Loaded', 'TemplateChanged', 'Submitted', 'Observed', 'Installed', 'RotationAsked'])
})

test('gives TLS the key of the certificate, and says where TLS cannot have it', async () => {
  const keyOf = async (options: Options) => {
    const { agent } = await started(options)
    const credential = O.toUndefined(agent.credentials.current())
    if (credential === undefined) throw new Error('no credential')
    return credential.key
  }
  const pem = await keyOf({})
  assert.match(pem._tag === 'Pem' ? pem.pem.reveal() : '', /BEGIN PRIVATE KEY/)
  assert.equal(
    await keyOf({
      ports: () => ({
        crypto: memoryCrypto({ tlsKey: () => ({ _tag: 'NotUsableHere', reason: 'in hardware' }) }),
      }),
    }),
    { _tag: 'NotUsableHere', reason: 'in hardware' },
  )
  assert.equal(
    await keyOf({
      prepare: ({ crypto }) => {
        crypto.inject({ when: (call) => call === 'forTls', answer: cryptoErrors.keyUnavailable })
      },
    }),
    { _tag: 'NotUsableHere', reason: cryptoErrors.keyUnavailable.message },
  )
})

test('answers with the error of a store that cannot be read', async () => {
  const { ended, used } = await started({
    prepare: ({ store }) => {
      store.inject({ answer: storeErrors.unreadable })
    },
  })
  assert.equal(await ended, E.left(storeErrors.unreadable))
  assert.equal(used, [])
})

test('warns of what the store found odd', async () => {
  const { warnings } = await started({ prepare: ({ store }) => store.put({ warnings: ['a stray file'] }) })
  assert.equal(warnings(), ['a stray file'])
})

test('warns when a request cannot be forgotten, and goes on', async () => {
  const { agent, clock, requests, warnings } = await started({
    api: pendingApi,
    prepare: ({ store }) => {
      store.inject({ when: ({ operation }) => operation === 'discardRequest', answer: storeErrors.full })
    },
  })
  requests.deny('Policy', 'no')
  await clock.settle()
  assert.equal(warnings(), [`${storeErrors.full.message}; ${storeErrors.full.remedy}`])
  await clock.advanceBy(minute)
  assert.is(agent.state()._tag, 'Pending')
})

test('warns of another clock once, and again when it is another one still', async () => {
  const { agent, clock, requests, warnings } = await started({ api: { skew: 2 * minute } })
  const rotateAgain = async () => {
    agent.tell({ _tag: 'RotationAsked', why: 'requested by the embedder' })()
    await clock.advanceBy(10 * second)
  }
  const clocks = () => warnings().flatMap((warning) => /clock is .* ours/.exec(warning)?.[0] ?? [])
  await rotateAgain()
  assert.equal(clocks(), ['clock is 2m ahead of ours'])
  requests.set({ skew: 4 * minute })
  await rotateAgain()
  assert.equal(clocks().at(-1), 'clock is 4m ahead of ours')
  requests.set({ skew: 0 })
  await rotateAgain()
  assert.is(clocks().length, 2)
})

test('tells enough for all of it to be played again', async () => {
  const { notices, clock, requests, agent } = await started({ api: { signingDuration: hour } })
  await clock.advanceBy(2 * hour)
  const mend = requests.inject({ answer: apiErrors.unauthorized })
  await clock.advanceBy(hour)
  mend()
  requests.set({ autoApprove: false })
  await clock.advanceBy(2 * hour)
  requests.deny('Policy', 'no')
  await clock.advanceBy(hour)
  const steps = notices.flatMap((notice) => (notice._tag === 'Step' ? [notice] : []))
  assert.ok(steps.length > 50)
  let state = initial(template)
  for (const { event, from, to } of steps) {
    assert.equal(from, state)
    state = evolve(defaultPolicy)(state, event)
    assert.equal(state, to)
  }
  assert.equal(agent.state(), state)
})

test('says nothing of private keys', async () => {
  const { notices, clock, crypto } = await started({ api: { signingDuration: hour } })
  await clock.advanceBy(3 * hour)
  const generated = await crypto.generateKey()
  assert.ok(E.isRight(generated), 'keys are called key 1, key 2, …')
  assert.not.match(JSON.stringify(notices), /PRIVATE KEY|key \d/)
})

test('needs no certificate to begin with, and one request at a time', async () => {
  const { requests, clock } = await started({ api: pendingApi })
  await clock.advanceBy(2 * day)
  assert.is(requests.requests().length, 1)
  assert.is(requests.records.filter(({ verb }) => verb === 'submit').length, 1)
  assert.is(clock.now(), after(now, 2 * day))
})
