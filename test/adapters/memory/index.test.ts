import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import * as memory from '../../../adapters/memory/index.js'
import * as core from '../../../src/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('memory ports')
const { memoryPorts } = memory

const start = core.instant(Date.parse('2026-01-01T00:00:00Z'))
const never = core.interruption().signal

/** The code of the first example in a file's documentation. */
const exampleIn = (file: string): string => {
  const text = readFileSync(join(import.meta.dirname, '../../../..', file), 'utf8')
  const code = text.split('```ts\n')[1]?.split('```')[0] ?? assert.unreachable(`${file} has no example`)
  return String(code).replaceAll(/^ \* ?/gm, '')
}

const run = (names: Record<string, unknown>, code: string): Promise<void> => {
  const AsyncFunction = (async () => {}).constructor
  return Reflect.construct(AsyncFunction, [...Object.keys(names), code])(...Object.values(names))
}

test('run the example of their documentation', async () => {
  const code = exampleIn('adapters/memory/index.ts')
  assert.ok(code.split('assert.').length > 4, 'the example shows something')
  await run({ ...core, ...memory, O, assert }, code)
})

test('let a crashed rotation neither wake nor act, and the next one go on with what is stored', async () => {
  const ports = memoryPorts({ now: start, api: { autoApprove: false } })
  const setup = {
    policy: core.defaultPolicy,
    template: O.some(core.kubeletClientTemplate('a')),
    ports,
    notify: () => {},
  }
  const crashed = core.rotation(setup)
  void crashed.run(never)()
  await ports.clock.settle()
  assert.is(crashed.state()._tag, 'Pending')
  ports.crash()
  ports.requests.approve()
  await ports.clock.advanceBy(core.day)
  assert.is(crashed.state()._tag, 'Pending')

  const next = core.rotation(setup)
  void next.run(never)()
  await ports.clock.settle()
  assert.is(next.state()._tag, 'Issued')
  assert.is(ports.requests.requests().length, 1)
})
