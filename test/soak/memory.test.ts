import * as O from 'fp-ts/lib/Option.js'
import { memoryApi, memoryCrypto, memoryStore, virtualClock } from '../../adapters/memory/index.js'
import { day, defaultPolicy, hour, instant, kubeletClientTemplate, rotation } from '../../src/index.js'
import { assert, sample, suite } from '../helper/index.js'
import { counts } from './counts.js'

const test = suite('a rotation that goes on for years')

const rotations = sample(500, 10_000)
const warmUp = 200

test(`keeps nothing of what is past (${rotations} rotations)`, { deadline: 600_000 }, async () => {
  const clock = virtualClock(instant(Date.parse('2026-01-01T00:00:00Z')))
  // The memory adapters write everything down: they are new ones from time to time, which the rotation does not see.
  let api = memoryApi(clock, { signingDuration: day })
  let store = memoryStore()
  let installed = 0
  const keys = new Set<string>()
  const stop = new AbortController()
  const agent = rotation({
    policy: { ...defaultPolicy, probeInterval: 6 * hour },
    template: O.some(kubeletClientTemplate('a')),
    ports: {
      clock,
      crypto: memoryCrypto(),
      store: {
        load: () => store.load(),
        saveRequest: (saved) => store.saveRequest(saved),
        discardRequest: () => store.discardRequest(),
        install: (pair) => store.install(pair),
      },
      requests: {
        submit: (...call) => api.submit(...call),
        observe: (...call) => api.observe(...call),
        probe: (...call) => api.probe(...call),
      },
    },
    notify: (notice) => {
      if (notice._tag !== 'Step' || notice.event?._tag !== 'Installed') return
      installed += 1
      keys.add(notice.event.keyId.slice(0, 12))
    },
  })
  let changes = 0
  agent.credentials.subscribe(() => {
    changes += 1
  })
  const ended = agent.run(stop.signal)()
  const until = async (count: number): Promise<void> => {
    while (installed < count) {
      const before = installed
      await clock.advanceBy(22 * hour)
      assert.ok(installed > before, `it renews every day (${installed})`)
      if (installed % 50 !== 0) continue
      api = memoryApi(clock, { signingDuration: day })
      store = memoryStore(store.contents())
    }
  }
  await until(warmUp)
  const before = counts()
  await until(rotations)
  const after = counts()
  stop.abort()
  await ended
  assert.is(keys.size, installed, 'each has a key of its own')
  assert.is(changes, installed)
  // The set of keys is ours; the rotation itself keeps nothing.
  const allowed = 4 * 1024 * 1024 + (rotations - warmUp) * 120
  assert.ok(after.heap - before.heap < allowed, `the heap grew by ${after.heap - before.heap} bytes`)
  assert.is(after.files, before.files)
  assert.equal(after.active.get('Timeout') ?? 0, before.active.get('Timeout') ?? 0)
})
