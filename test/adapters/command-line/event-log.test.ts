import { link, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { eventLog } from '../../../adapters/command-line/event-log.js'
import { logMark } from '../../../src/describe/log.js'
import { type Replay, replay } from '../../../src/describe/replay.js'
import type { Step } from '../../../src/describe/transition.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { policy, steps } from '../../src/describe/steps.js'

const test = suite('file of the event log')

/** Writes steps and waits until they are there; answers with what was warned of. */
const wrote = async (
  path: string,
  some: ReadonlyArray<Step>,
  options: { readonly limit?: number } = {},
): Promise<ReadonlyArray<string>> => {
  const warnings: Array<string> = []
  const log = eventLog({ path, policy, warn: (message) => warnings.push(message), ...options })
  for (const step of some) log.write(step)
  await log.close()
  return warnings
}

const read = async (...paths: ReadonlyArray<string>): Promise<Replay> => {
  const files = await Promise.all(paths.map(async (name) => ({ name, text: await readFile(name, 'utf8') })))
  const replayed = replay(files)
  if (E.isLeft(replayed)) throw new Error(`${replayed.left.place}: ${replayed.left.what}`)
  assert.equal(
    replayed.right.entries.flatMap(({ differences }) => differences),
    [],
  )
  return replayed.right
}
const eventsOf = ({ entries }: Replay) => entries.filter(({ because }) => because === undefined)
const headersOf = ({ entries }: Replay) => entries.flatMap(({ because }) => because ?? [])

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

const place = async ({ temporaryDirectory }: TestContext): Promise<string> =>
  join(await temporaryDirectory(), 'events')

test('is for its owner alone from its first byte on, whatever the umask', async (context) => {
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const path = await place(context)
  assert.equal(await wrote(path, steps, { limit: 4_000 }), [])
  assert.is(await modeOf(path), '600')
  assert.is(await modeOf(`${path}.1`), '600')
})

test('has every step, in order', async (context) => {
  const path = await place(context)
  assert.equal(await wrote(path, steps), [])
  const log = await read(path)
  assert.equal(headersOf(log), ['started'])
  assert.equal(
    eventsOf(log).map(({ facts }) => facts),
    steps.map(({ after }) => after),
  )
})

test('becomes FILE.1 when it is full, and the new one can be replayed from its head', async (context) => {
  const path = await place(context)
  const limit = 4_000
  const log = eventLog({ path, policy, warn: (message) => assert.unreachable(message), limit })
  for (const step of steps) log.write(step)
  await log.close()
  for (const name of [path, `${path}.1`]) assert.ok((await stat(name)).size <= limit)
  assert.equal(headersOf(await read(path)), ['continued'])
  assert.equal((await read(path)).entries.at(-1)?.facts, steps.at(-1)?.after)
  const both = await read(`${path}.1`, path)
  assert.equal(
    eventsOf(both).map(({ facts }) => facts),
    steps.map(({ after }) => after),
  )
  await writeFile(`${path}.1`, 'the one before')
  await wrote(path, steps, { limit })
  assert.is.not(await readFile(`${path}.1`, 'utf8'), 'the one before')
})

test('takes a file of its own of a wider mode, and makes it narrow', async (context) => {
  const path = await place(context)
  await writeFile(path, '', { mode: 0o644 })
  await wrote(path, steps.slice(0, 1))
  assert.is(await modeOf(path), '600')
  await rm(path)
  await wrote(path, steps.slice(0, 1))
  await writeFile(path, await readFile(path), { mode: 0o644 })
  assert.equal(await wrote(path, steps), [])
  assert.is(await modeOf(path), '600')
  assert.equal(headersOf(await read(path)), ['started', 'started'])
})

for (const [what, prepare, message] of [
  [
    'a link',
    async (path: string, victim: string) => symlink(victim, path),
    /cannot be written: it is a link; /,
  ],
  [
    'a file with another name',
    async (path: string, victim: string) => link(victim, path),
    /cannot be written: it has another name; /,
  ],
  [
    'something else',
    async (path: string) => writeFile(path, 'precious'),
    /cannot be written: it has something else in it; /,
  ],
  ['a directory', async (path: string) => mkdir(path), /cannot be written: .*directory \(EISDIR\); /],
] as const)
  test(`leaves ${what} in its place alone, and warns once`, async (context) => {
    const path = await place(context)
    const victim = `${path}-victim`
    await writeFile(victim, 'precious')
    await prepare(path, victim)
    const [warning = '', ...more] = await wrote(path, steps)
    assert.match(warning, message)
    assert.equal(more, [])
    assert.is(await readFile(victim, 'utf8'), 'precious')
    if (what === 'something else') assert.is(await readFile(path, 'utf8'), 'precious')
  })

test('is tried again with each step, and has lost none when it can be written', async (context) => {
  const folder = join(await context.temporaryDirectory(), 'later')
  const path = join(folder, 'events')
  const warnings: Array<string> = []
  const log = eventLog({ path, policy, warn: (message) => warnings.push(message) })
  const [first, second_, ...rest] = steps
  for (const step of [first, second_]) {
    if (step !== undefined) log.write(step)
    await log.close()
  }
  assert.is(warnings.length, 1)
  assert.match(
    warnings[0] ?? '',
    /event log .*: no such file or directory \(ENOENT\); .*create its directory/,
  )
  await mkdir(folder)
  for (const step of rest) log.write(step)
  await log.close()
  assert.equal(
    eventsOf(await read(path)).map(({ facts }) => facts),
    steps.map(({ after }) => after),
  )
  await rename(folder, `${folder}-away`)
  if (first !== undefined) log.write(first)
  await log.close()
  assert.is(warnings.length, 2, 'it is warned of again after it went well')
})

test('gives up the oldest of what waits for too long, and says that it may have', async (context) => {
  const folder = join(await context.temporaryDirectory(), 'later')
  const path = join(folder, 'events')
  const log = eventLog({ path, policy, warn: () => {} })
  for (let round = 0; round < 200; round++) for (const step of steps) log.write(step)
  await log.close()
  await mkdir(folder)
  for (const step of steps) log.write(step)
  // `close` waits for two seconds at most, which may not be enough on a busy machine.
  const lines = await eventually('all lines are written', async () => {
    const found = (await readFile(path, 'utf8').catch(() => '')).trimEnd().split('\n')
    return found.length >= 1_001 && found
  })
  await log.close()
  assert.match(lines[0] ?? '', '"because":"resumed"')
  // The one that is being written when others come is not given up.
  assert.ok(lines.length >= 1_001 && lines.length <= 1_003, `${lines.length} lines`)
})

test('goes on with a header when somebody has moved it away', async (context) => {
  const path = await place(context)
  const log = eventLog({ path, policy, warn: (message) => assert.unreachable(message) })
  for (const step of steps.slice(0, 3)) log.write(step)
  await log.close()
  await rename(path, `${path}.moved`)
  for (const step of steps.slice(3)) log.write(step)
  await log.close()
  const both = await read(`${path}.moved`, path)
  assert.equal(headersOf(both), ['started', 'continued'])
  assert.is(eventsOf(both).length, steps.length)
})

for (const [what, cut] of [
  ['a line', (text: string) => text.slice(0, -100)],
  ['its very first line', (text: string) => text.slice(0, 100)],
] as const)
  test(`goes on on a new line after a crash in ${what}`, async (context) => {
    const path = await place(context)
    await wrote(path, steps)
    const text = cut(await readFile(path, 'utf8'))
    await writeFile(path, text)
    assert.equal(await wrote(path, steps), [])
    assert.ok((await readFile(path, 'utf8')).startsWith(`${text}\n{`))
    const log = await read(path)
    assert.is(log.cut.length, 1)
    assert.equal(log.entries.at(-1)?.facts, steps.at(-1)?.after)
  })

test('begins anew after a crash before it could be told from another file', async (context) => {
  const path = await place(context)
  await writeFile(path, logMark.slice(0, 5))
  assert.equal(await wrote(path, steps), [])
  const log = await read(path)
  assert.equal([log.cut, headersOf(log), eventsOf(log).length], [[], ['started'], steps.length])
})
