import * as O from 'fp-ts/lib/Option.js'
import { memoryApi, memoryCrypto, memoryStore, virtualClock } from '../../../adapters/memory/index.js'
import { defaultLimits, type Limits } from '../../../src/driver/limits.js'
import type { Ports } from '../../../src/driver/perform.js'
import { driver, type Notice } from '../../../src/driver/rotation.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { kubeletClientTemplate } from '../../../src/model/template.js'
import { day, hour, minute } from '../../../src/model/time.js'
import { interruption } from '../../../src/signal.js'
import { assert, suite } from '../../helper/index.js'
import { noon } from '../samples.js'

const test = suite('fleet')

const never = () => new Promise<never>(() => {})

/** Rotations on one driver and one clock, each with an API and a store of its own; `spoil` changes one of them. */
const fleet = (
  size: number,
  spoil: (index: number, ports: Ports) => Partial<Ports> = () => ({}),
  notify: (index: number, notice: Notice) => void = () => {},
  limits: Partial<Limits> = {},
) => {
  const clock = virtualClock(noon)
  const shared = driver(clock, limits)
  const { signal, interrupt } = interruption()
  const members = Array.from({ length: size }, (_, index) => {
    const whole: Ports = {
      clock,
      crypto: memoryCrypto(),
      store: memoryStore(),
      requests: memoryApi(clock, { signingDuration: day }),
    }
    const member = shared.rotation({
      policy: { ...defaultPolicy, probeInterval: 0 },
      template: O.some(kubeletClientTemplate(`node-${index}`)),
      ports: { ...whole, ...spoil(index, whole) },
      notify: (notice) => notify(index, notice),
    })
    return { ...member, ended: member.run(signal)() }
  })
  return { clock, members, stop: interrupt }
}

const serialsOf = (members: ReturnType<typeof fleet>['members']) =>
  members.map(({ credentials }) => O.toUndefined(credentials.current())?.certificate.keyId)

/** Resolves when a certificate is in use. */
const isIssued = ({ credentials }: ReturnType<typeof fleet>['members'][number]): Promise<void> =>
  new Promise((resolve) => {
    if (O.isSome(credentials.current())) resolve()
    credentials.subscribe(() => resolve())
  })

const bad: ReadonlyArray<readonly [string, (ports: Ports) => Partial<Ports>]> = [
  [
    'a disk that never answers a request to be saved',
    ({ store }) => ({ store: { ...store, saveRequest: () => never } }),
  ],
  [
    'a disk that never answers an installation',
    ({ store }) => ({ store: { ...store, install: () => never } }),
  ],
  ['a server that never answers', ({ requests }) => ({ requests: { ...requests, submit: () => never } })],
  ['a key that is never made', ({ crypto }) => ({ crypto: { ...crypto, generateKey: () => never } })],
  [
    'a port that throws',
    ({ requests }) => ({
      requests: {
        ...requests,
        submit: () => () => {
          throw new Error('not by the contract')
        },
      },
    }),
  ],
]
for (const [what, spoil] of bad)
  test(`delays no other rotation of fifty by ${what}`, async () => {
    const { clock, members, stop } = fleet(50, (index, ports) => (index === 7 ? spoil(ports) : {}))
    for (const { ended } of members) ended.catch(() => {})
    await clock.settle()
    const others = members.filter((_, index) => index !== 7)
    const first = serialsOf(others)
    assert.not(first.includes(undefined), 'all others are issued at once')
    await clock.advanceBy(22 * hour)
    const second = serialsOf(others)
    assert.is(second.filter((keyId, index) => keyId !== undefined && keyId !== first[index]).length, 49)
    stop()
  })

test('is delayed for half a minute by stores that hang, however many there are', async () => {
  const hangs = (index: number) => index < 2 * defaultLimits.installs
  const { clock, members, stop } = fleet(50, (index, { store }) =>
    hangs(index) ? { store: { ...store, saveRequest: () => never, install: () => never } } : {},
  )
  await clock.settle()
  assert.is(serialsOf(members).filter((keyId) => keyId !== undefined).length, 0)
  await clock.advanceBy(2 * minute)
  assert.equal(
    serialsOf(members).map((keyId) => keyId !== undefined),
    members.map((_, index) => !hangs(index)),
  )
  stop()
  await Promise.all(members.filter((_, index) => !hangs(index)).map(({ ended }) => ended))
})

test('takes in nothing while a certificate is stored: what would give it up comes too late', async () => {
  const heard: Array<string> = []
  let stored = () => {}
  const { clock, members, stop } = fleet(
    1,
    (_, { store }) => ({
      store: {
        ...store,
        install: (pair) => async () => {
          await new Promise<void>((resolve) => {
            stored = resolve
          })
          return await store.install(pair)()
        },
        discardRequest: () => {
          heard.push('discarded')
          return store.discardRequest()
        },
      },
    }),
    (_, notice) => {
      if (notice._tag === 'Step' && notice.event !== undefined) heard.push(notice.event._tag)
    },
  )
  await clock.settle()
  const other = O.some(kubeletClientTemplate('another-node'))
  members[0]?.tell({ _tag: 'TemplateChanged', template: other })()
  await clock.settle()
  assert.equal(heard.at(-1), 'Observed')
  stored()
  await clock.settle()
  assert.equal(heard.slice(-2), ['Installed', 'TemplateChanged'])
  assert.not(heard.includes('discarded'))
  stop()
})

test('delays no other rotation of fifty by a listener that throws', async () => {
  const { clock, members, stop } = fleet(50, undefined, (index) => {
    if (index === 7) throw new Error('not mine')
  })
  members[7]?.credentials.subscribe(() => {
    throw new Error('nor mine')
  })
  await clock.settle()
  assert.not(serialsOf(members).includes(undefined))
  stop()
  await Promise.all(members.map(({ ended }) => ended))
})

test('runs no more at one time than the limits allow, and everything in the end', async () => {
  const running = { keys: 0, installs: 0, handshakes: 0 }
  const most = { keys: 0, installs: 0, handshakes: 0 }
  const counted =
    <A>(kind: keyof Limits, task: () => Promise<A>) =>
    async (): Promise<A> => {
      running[kind] += 1
      most[kind] = Math.max(most[kind], running[kind])
      // What is costly takes longer than what is not.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const found = await task()
      running[kind] -= 1
      return found
    }
  const { members, stop } = fleet(
    50,
    (_, { crypto, store, requests }) => ({
      crypto: { ...crypto, generateKey: (algorithm) => counted('keys', crypto.generateKey(algorithm)) },
      store: { ...store, install: (pair) => counted('installs', store.install(pair)) },
      requests: {
        ...requests,
        submit: (...call) => counted('handshakes', requests.submit(...call)),
      },
    }),
    undefined,
    { keys: 3, installs: 2, handshakes: 1 },
  )
  await Promise.all(members.map((member) => isIssued(member)))
  assert.equal(most, { keys: 3, installs: 2, handshakes: 1 })
  assert.not(serialsOf(members).includes(undefined))
  stop()
  await Promise.all(members.map(({ ended }) => ended))
})
