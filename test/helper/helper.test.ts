import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assert, eventually, suite, type TestContext } from './index.js'
import { type FileResult, runFiles } from './runner.js'

const test = suite('test helper', { together: 4 })
const helper = pathToFileURL(join(import.meta.dirname, 'index.js')).href

/** Runs a test file of the given text in the way `npm test` does. */
const run = async (
  { temporaryDirectory }: TestContext,
  text: string,
  fileLimit = 10_000,
): Promise<FileResult> => {
  const path = join(await temporaryDirectory(), 'planted.test.mjs')
  const start = `import { assert, eventually, suite } from '${helper}'; const test = suite('planted');\n`
  await writeFile(path, start + text)
  const [result] = await runFiles([{ name: 'planted', path }], {
    parallel: 1,
    fileLimit,
  })
  assert.ok(result)
  return result
}

test('counts what passed, failed and was skipped', async (context) => {
  const result = await run(
    context,
    `test('a', () => {}); test('b', () => assert.is(1, 2)); test.skip('c', 'no moon'); test('d', { skip: 'no sun' }, () => {})`,
  )
  assert.is(result.passed, 1)
  assert.is(result.failed, 1)
  assert.equal(
    result.skipped.map(({ test, reason }) => [test, reason]),
    [
      ['planted: c', 'no moon'],
      ['planted: d', 'no sun'],
    ],
  )
  assert.is(result.defect, undefined)
})

test('passes on what a test notes', async (context) => {
  const result = await run(
    context,
    `const { note } = await import('${helper}'); test('a', () => note('7 of 7')); test('b', () => { throw new Error(note('none')) })`,
  )
  assert.equal(result.notes, ['7 of 7', 'none'])
})

test('registers tests also after an await at the top of the file', async (context) => {
  const result = await run(
    context,
    `await new Promise((done) => setTimeout(done, 50)); test('a', () => {}); test('b', { skip: undefined }, () => {})`,
  )
  assert.is(result.passed, 2)
  assert.is(result.failed, 0)
})

test('fails a file that runs no test', async (context) => {
  const result = await run(context, '')
  assert.is(result.failed, 1)
  assert.match(result.output, 'ran no test')
})

test('runs files together that take a moment, and fails them when one has no test', async (context) => {
  const folder = await context.temporaryDirectory()
  const planted = async (name: string, text: string): Promise<string> => {
    const path = join(folder, `${name}.test.mjs`)
    await writeFile(path, `import { suite } from '${helper}'; const test = suite('${name}');\n${text}`)
    return path
  }
  const [first, second, empty] = [
    await planted('first', `test('a', () => {})`),
    await planted('second', `test('b', () => {}); test('c', () => { throw new Error('c') })`),
    await planted('empty', ''),
  ]
  const run = async (...others: ReadonlyArray<string>) =>
    (await runFiles([{ name: 'planted', path: first, others }], { parallel: 1, fileLimit: 20_000 }))[0]
  const both = await run(second)
  assert.equal([both?.passed, both?.failed, both?.defect], [2, 1, undefined])
  const withEmpty = await run(second, empty)
  assert.match(withEmpty?.output ?? '', 'empty.test.mjs ran no test')
  assert.ok((withEmpty?.failed ?? 0) > 0)
})

test('fails a file that ends before its tests have', async (context) => {
  const result = await run(context, `test('a', () => {}); test('leaves', () => process.exit(0))`)
  assert.is(result.failed, 1)
  assert.match(result.defect ?? '', 'during "planted: leaves"')
})

test('fails a file that throws while it is loaded', async (context) => {
  const result = await run(context, `test('a', () => {}); throw new Error('bad file')`)
  assert.is(result.passed, 0)
  assert.is(result.failed, 1)
})

test('runs as many tests side by side as the suite says, and no more', async (context) => {
  const side = (name: string) => `pair('${name}', async () => {
    most = Math.max(most, ++running)
    await eventually('two run', () => most === 2)
    running -= 1
  })`
  const result = await run(
    context,
    `const pair = suite('pair', { together: 2 }); let running = 0, most = 0
    test('comes first', () => assert.is(most, 0))
    ${['a', 'b', 'c', 'd'].map(side).join('\n')}
    pair('is the last', () => assert.is(most, 2))`,
  )
  assert.is(result.passed, 6, result.output)
  assert.is(result.failed, 0)
})

test('refuses a skip without a reason', async (context) => {
  assert.match((await run(context, `test.skip('a', ' ')`)).output, 'skipped without a reason')
})

test('fails and names a test that waits for ever, and runs those after it', async (context) => {
  const result = await run(
    context,
    `test('waits', { deadline: 20 }, () => new Promise(() => {})); test('next', () => {})`,
  )
  assert.is(result.passed, 1)
  assert.is(result.failed, 1)
  assert.match(result.output, '"waits"')
  assert.match(result.output, 'did not end within 20 ms')
})

test('kills a file that blocks, and names the test', { deadline: 40_000 }, async (context) => {
  const result = await run(context, `test('spins', () => { for (;;); })`, 4_000)
  assert.is(result.failed, 1)
  assert.match(result.defect ?? '', 'was killed')
  assert.match(result.defect ?? '', 'planted: spins')
})

test('lets a file that takes too long tidy up, and kills it when it does not', {
  deadline: 40_000,
}, async (context) => {
  const tidy = await run(
    context,
    `process.once('SIGTERM', () => { console.log('tidied up'); process.exit(0) }); test('waits', () => new Promise(() => setInterval(() => {}, 1000)))`,
    4_000,
  )
  assert.match(tidy.output, 'tidied up')
  assert.match(tidy.defect ?? '', 'was killed')
  const stubborn = await run(
    context,
    `process.on('SIGTERM', () => {}); test('waits', () => new Promise(() => setInterval(() => {}, 1000)))`,
    1_000,
  )
  assert.match(stubborn.defect ?? '', 'was killed')
})

test('begins no file, and ends those that run, when it is interrupted', async (context) => {
  const path = join(await context.temporaryDirectory(), 'endless.test.mjs')
  await writeFile(
    path,
    `import { suite } from '${helper}'; suite('endless')('waits', () => new Promise(() => setInterval(() => {}, 1000)))`,
  )
  const interrupt = new AbortController()
  setTimeout(() => interrupt.abort(), 500)
  const results = await runFiles(
    ['first', 'second'].map((name) => ({ name, path })),
    { parallel: 1, fileLimit: 60_000, signal: interrupt.signal },
  )
  assert.equal(
    results.map(({ file }) => file),
    ['first'],
  )
  assert.match(results[0]?.defect ?? '', 'was interrupted')
})

test('fails a file that leaves something open', {
  deadline: 20_000,
}, async (context) => {
  const result = await run(context, `test('a', () => { setInterval(() => {}, 1000) })`)
  assert.is(result.passed, 1)
  assert.is(result.failed, 1)
  assert.match(result.output, 'still open')
})

test('shows what was thrown also when it is no Error', async (context) => {
  assert.match((await run(context, `test('a', () => { throw undefined })`)).output, 'no Error: undefined')
})

test('cleans up in reverse order, after a failure too', async (context) => {
  const result = await run(
    context,
    `test('a', ({ defer }) => { defer(() => console.log('first')); defer(() => console.log('second')); throw new Error('x') })`,
  )
  assert.ok(result.output.indexOf('second') < result.output.indexOf('first'))
  assert.ok(result.output.includes('second'))
})

test('fails a test whose clean-up fails', async (context) => {
  const result = await run(
    context,
    `test('a', ({ defer }) => { defer(() => Promise.reject(new Error('stuck'))) })`,
  )
  assert.is(result.failed, 1)
})

test('ends what a test left running', async (context) => {
  const result = await run(
    context,
    `import { spawn } from 'node:child_process'
    test('a', () => { const child = spawn('sleep', ['1000'], { stdio: 'ignore' }); child.unref(); console.log('pid', child.pid) })`,
  )
  const pid = Number(/pid (\d+)/.exec(result.output)?.[1])
  assert.ok(pid > 0)
  await eventually('the process is gone', () => !isRunning(pid))
})

test('tells what was waited for in vain', async () => {
  let message = ''
  await eventually('pigs fly', () => false, { deadline: 20 }).catch((error: Error) => {
    message = error.message
  })
  assert.is(message, 'waited 20 ms in vain until pigs fly')
})

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
