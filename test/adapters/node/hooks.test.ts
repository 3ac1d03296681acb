/** What is called after each renewal, in the library. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hook, outputBundle, type Renewed } from '../../../adapters/node/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { rotating, world } from './world.js'

const test = suite('hooks of a rotation', { together: 2 })

const quick = { submitInterval: 1_000 }

test('onRenewed is told of each certificate once, after the outputs, and not again after a restart', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const bundle = join(there.folder, 'bundle.pem')
  const told: Array<Renewed & { readonly isWritten: boolean }> = []
  const start = () =>
    rotating(context, there, {
      outputs: [outputBundle(bundle)],
      policy: quick,
      onRenewed: async (renewed) => {
        const isWritten = readFileSync(bundle, 'utf8').endsWith(renewed.credential.certificate)
        told.push({ ...renewed, isWritten })
      },
    })
  const rotation = await start()
  const first = await rotation.issued()
  await eventually('it is told', () => told.length === 1)
  rotation.rotateNow()
  await eventually('it is told of the next', () => told.length === 2)
  assert.equal(
    told.map(({ reason, isWritten }) => [reason, isWritten]),
    [
      ['there was no certificate', true],
      ['requested by the embedder', true],
    ],
  )
  assert.is(told[0]?.credential.keyId, first.keyId)
  assert.is(told[1]?.credential.keyId, rotation.current()?.keyId)
  assert.equal(rotation.metrics().hooks, { runs: { succeeded: 2, failed: 0, timed_out: 0 }, failing: 0 })
  await rotation.stop()

  const again = await start()
  await again.issued()
  again.rotateNow()
  await eventually('it is told of the third', () => told.length === 3)
  assert.is(told[2]?.reason, 'requested by the embedder')
})

test('the reason of a renewal in a window is who suggested it, and why', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const first = await rotating(context, there)
  await first.issued()
  await first.stop()
  const file = join(there.folder, 'windows.yaml')
  const start = new Date(Date.now() + 1_000).toISOString()
  const end = new Date(Date.now() + 1_001).toISOString()
  writeFileSync(file, JSON.stringify({ start, end, reason: 'the CA is replaced' }))
  const told: Array<string> = []
  await rotating(context, there, {
    policy: quick,
    renewalWindows: { file },
    onRenewed: ({ reason }) => {
      told.push(reason)
    },
  })
  await eventually('it is told of the next', () => told.length === 2, { deadline: 20_000 })
  assert.match(told[1] ?? '', /^renewal window from .* suggested by .*windows\.yaml: the CA is replaced$/)
})

test('one that fails or hangs delays nothing, is counted, and is called again', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  let calls = 0
  const hanging: Hook = { name: 'hanging', run: () => () => new Promise(() => {}) }
  const rotation = await rotating(context, there, {
    policy: quick,
    hooks: [hanging],
    onRenewed: () => {
      calls += 1
      if (calls === 1) throw new Error('not today')
    },
  })
  const first = await rotation.issued()
  await eventually('it failed', () => rotation.metrics().hooks?.runs.failed === 1)
  await eventually('it is called again', () => calls === 2)
  await eventually('all is well', () => rotation.metrics().hooks?.failing === 0)
  assert.ok(
    rotation.warned.some((message) => /onRenewed threw not today; .* tried again in 1s/.test(message)),
  )
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.keyId !== first.keyId)
})
