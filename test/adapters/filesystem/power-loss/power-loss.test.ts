import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { openWith } from '../../../../adapters/filesystem/directory.js'
import { type FileSystem, nodeFileSystem } from '../../../../adapters/filesystem/file-system.js'
import { type Dice, diceOf } from '../../../faults/dice.js'
import { assert, note, sample, seed, suite } from '../../../helper/index.js'
import { right } from '../../outcome.js'
import { check } from './check.js'
import { fileSystemOn } from './file-system.js'
import { deadSocket, leaveLocks, writeOut } from './files.js'
import { type Played, take } from './play.js'
import { type Prepared, playKilled, playStart, playWhole, prepare } from './prepared.js'
import { type Scenario, scenarios } from './scenarios.js'
import { copyOf } from './states.js'

const test = suite('power loss')

/** So many of them, at random. */
const some = <A>(dice: Dice, all: Iterable<A>, count: number): ReadonlyArray<A> =>
  [...all]
    .map((one) => [dice.roll(), one] as const)
    .sort(([a], [b]) => a - b)
    .slice(0, count)
    .map(([, one]) => one)

const sum = (played: ReadonlyArray<Played>, count: (one: Played) => number): number =>
  played.reduce((total, one) => total + count(one), 0)

const totals = { calls: 0, points: 0, sampled: 0, states: 0, real: 0 }

for (const [name, scenario] of Object.entries<Scenario>(scenarios))
  test(`at any point of ${name} leaves what a start can go on with`, {
    deadline: sample(60_000, 120_000),
  }, async (context) => {
    const prepared = await prepare(context, scenario)
    const dice = diceOf(seed)
    const whole = await playWhole(prepared)
    const played: Array<Played> = [whole]
    for (const crash of some(dice, whole.crashes.values(), sample(1, 300)))
      played.push(await playStart(crash, prepared))
    for (const at of some(dice, whole.calls.keys(), sample(1, 100)))
      played.push(await playKilled(prepared, at))
    const crashes = new Map(played.flatMap((one) => [...one.crashes]))
    const real = some(dice, crashes.values(), sample(2, 100)).map((crash) => ({
      ...crash,
      disk: copyOf(crash.disk),
    }))

    for (const crash of crashes.values()) await check(fileSystemOn(crash.disk), crash, prepared.start)
    const socket = join(prepared.parent, '..', 'dead')
    await deadSocket(socket)
    for (const crash of real) {
      writeOut(crash.disk, prepared.parent)
      if (existsSync(prepared.start.directory)) leaveLocks(socket, prepared.start.directory)
      await check(nodeFileSystem, crash, { ...prepared.start, rotates: () => false })
    }

    const [points, sampled] = [sum(played, (one) => one.points), sum(played, (one) => one.sampled)]
    console.log(
      `${name}: ${whole.calls.length} calls, power lost at ${points} points, at ${whole.points} without another trouble before; ${crashes.size} states, ${real.length} of them also as real files`,
    )
    totals.calls += sum(played, ({ calls }) => calls.length)
    totals.points += points
    totals.sampled += sampled
    totals.states += crashes.size
    totals.real += real.length
  })

test('is simulated on a disk that does as a real one does', async (context) => {
  for (const scenario of Object.values<Scenario>(scenarios)) {
    const prepared = await prepare(context, scenario)
    const disk = prepared.disk()
    const { directory } = prepared.start
    await perform(fileSystemOn(disk), prepared)
    writeOut(prepared.disk(), prepared.parent)
    await perform(nodeFileSystem, prepared)
    assert.equal(await contents(nodeFileSystem, directory), await contents(fileSystemOn(disk), directory))
  }
})

const perform = async (fs: FileSystem, { scenario, start: { directory, who } }: Prepared): Promise<void> => {
  const store = await right(openWith(fs)({ directory }))
  for (const step of scenario.steps) assert.ok(E.isRight(await take(store, step, who)), step.join(' '))
  await store.release()
}

const contents = async (fs: FileSystem, directory: string) =>
  Promise.all(
    [...(await fs.list(directory))].sort().map(async (name) => {
      const path = join(directory, name)
      const { mode } = await fs.lstat(path)
      const target = await fs.readlink(path).catch(() => undefined)
      return [name, mode, target ?? (await fs.read(path, 100_000, 'refuse')).text]
    }),
  )

test('was lost at every point, with everything that it may leave', () => {
  const { calls, points, sampled, states, real } = totals
  const all =
    sampled === 0 ? 'all that it may leave' : `all that it may leave, but for a sample at ${sampled}`
  note(
    `${calls} calls, power lost at ${points} points with ${all}: ${states} states, ${real} also as real files`,
  )
  assert.ok(sampled <= points / 100)
})
