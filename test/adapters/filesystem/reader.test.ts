import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { after, second } from '../../../src/model/time.js'
import { assert, sample, suite } from '../../helper/index.js'
import { right } from '../outcome.js'
import { current, names, noon, pair, request } from './material.js'

const test = suite('readers of the current pair')

test('find a matching pair at every instant of many updates', {
  deadline: sample(60_000, 300_000),
}, async (context) => {
  const directory = await context.temporaryDirectory()
  const store = await right(openCertificateDirectory({ directory }))
  context.defer(store.release)
  await right(store.install(pair('0')))
  const [stop, reads] = [new Int32Array(new SharedArrayBuffer(4)), new Int32Array(new SharedArrayBuffer(4))]
  const worker = new Worker(join(import.meta.dirname, 'reader-thread.js'), {
    workerData: { path: current(directory), stop, reads },
  })
  context.defer(() => worker.terminate())
  await once(worker, 'online')
  const updates = sample(50, 1_000)
  // Two pairs are kept: a reader that is held up while it opens the file may miss one update, and not two.
  const untilRead = async () => {
    const before = Atomics.load(reads, 0)
    while (Atomics.load(reads, 0) === before) await setImmediate()
  }
  for (let n = 1; n <= updates; n += 1) {
    if (n % 3 === 0) await right(store.saveRequest(request(String(n))))
    await untilRead()
    await right(store.install(pair(String(n), after(noon, Math.floor(n / 2) * second))))
  }
  const answer = once(worker, 'message')
  Atomics.store(stop, 0, 1)
  const [{ reads: count, different, wrong }] = await answer
  assert.equal(wrong, [])
  assert.ok(
    count > updates && different > updates / 10,
    `${count} reads saw ${different} of ${updates} pairs`,
  )
  assert.equal(names(await right(store.load)), [String(updates), String(updates - 1)])
})
