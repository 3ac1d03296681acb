import { getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startAgent, startWorld } from '../faults/world.js'
import { assert, eventually, sample, suite } from '../helper/index.js'
import { counts } from './counts.js'

const test = suite('a rotation with the real adapters that goes on')

const rotations = sample(12, 300)
const warmUp = sample(4, 40)

test(`keeps nothing open and nothing of what is past (${rotations} rotations)`, {
  deadline: 900_000,
}, async (context) => {
  const world = await startWorld(context, { clusterSigningDuration: 30 * 86_400_000 })
  const place = { server: world.controlPlane.url, ca: world.controlPlane.authority() }
  const directory = await context.temporaryDirectory()
  const stop = new AbortController()
  const { rotation, told } = await startAgent(context, world, place, directory, 'a', { signal: stop.signal })
  const keys = new Set<string>()
  const rotate = async (): Promise<void> => {
    const { keyId } = await rotation.issued()
    keys.add(keyId)
    rotation.rotateNow()
    await eventually(
      'it is renewed',
      () => rotation.current()?.keyId !== keyId && rotation.state()._tag === 'Issued',
      { deadline: 20_000, interval: 2 },
    )
  }
  for (let count = 0; count < warmUp; count += 1) await rotate()
  /** The control plane, in this process too, forgets what it was asked for. */
  const settled = () => {
    world.clock.set(2 * 3_600_000)
    world.controlPlane.clean()
    world.controlPlane.compact()
    return counts()
  }
  const before = settled()
  for (let count = warmUp; count < rotations; count += 1) await rotate()
  const after = settled()

  assert.is(keys.size, rotations)
  assert.equal(
    told.filter(({ level }) => level === 'warn'),
    [],
  )
  // A socket more or less is between two requests; that many rotations would show.
  assert.ok(after.files <= before.files + 3, `files: ${before.files}, ${after.files}`)
  for (const [kind, count] of after.active)
    assert.ok(count <= (before.active.get(kind) ?? 0) + 4, `${kind}: ${before.active.get(kind)}, ${count}`)
  assert.is(getEventListeners(stop.signal, 'abort').length, 1, 'listeners')
  // Everything that was told is kept here.
  const each = (after.heap - before.heap) / (rotations - warmUp)
  assert.ok(each < sample(200_000, 20_000), `the heap grew by ${each} bytes a rotation`)
  assert.is(readdirSync(join(directory, 'pki')).filter((name) => name.endsWith('Z.pem')).length, 2)
})

test('lets go of everything when it is stopped, as often as it is started', {
  deadline: 300_000,
}, async (context) => {
  const world = await startWorld(context)
  const place = { server: world.controlPlane.url, ca: world.controlPlane.authority() }
  const directory = await context.temporaryDirectory()
  const run = async (): Promise<void> => {
    const ends: Array<() => unknown> = []
    const agent = await startAgent({ defer: (end) => ends.unshift(end) }, world, place, directory, 'a')
    await agent.rotation.issued()
    for (const end of ends) await end()
  }
  for (let count = 0; count < 5; count += 1) await run()
  const before = counts()
  const starts = sample(20, 300)
  for (let count = 0; count < starts; count += 1) await run()
  const after = await eventually('what was open is closed', () => {
    const now = counts()
    return now.files <= before.files + 2 && now
  })
  for (const [kind, count] of after.active)
    assert.ok(count <= (before.active.get(kind) ?? 0) + 3, `${kind}: ${before.active.get(kind)}, ${count}`)
  const each = (after.heap - before.heap) / starts
  assert.ok(each < sample(60_000, 12_000), `the heap grew by ${each} bytes a start`)
})
