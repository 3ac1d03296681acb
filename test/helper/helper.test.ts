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

/** Runs test files of the given texts one after another, as far as they can be in one process; each tells its pid. */
const runAll = async (
  { temporaryDirectory }: TestContext,
  texts: Readonly<Record<string, string>>,
  alone: ReadonlyArray<string> = [],
) => {
  const folder = await temporaryDirectory()
  const files = Object.entries(texts).map(async ([name, text]) => {
    const path = join(folder, `${name}.test.mjs`)
    const start = `import { suite } from '${helper}'; const test = suite('${name}'); console.log('pid', process.pid);\n`
    await writeFile(path, start + text)
    return { name, path, alone: alone.includes(name) }
  })
  const results = await runFiles(await Promise.all(files), { parallel: 1, fileLimit: 20_000 })
  return results.map((result) => ({ ...result, pid: /pid (\d+)/.exec(result.output)?.[1] }))
}

const passes = `test('passes', () => {})`

test('runs files in one process, and tells their tests and output apart', async (context) => {
  const [first, second, third] = await runAll(context, {
    first: `console.log('one'); ${passes}`,
    second: `console.log('two'); test('a', () => {}); test.skip('b', 'no moon')`,
    third: `${passes}; test('fails', () => { throw new Error('three') })`,
  })
  assert.equal([first?.passed, second?.passed, third?.passed], [1, 1, 1])
  assert.equal([first?.failed, second?.failed, third?.failed], [0, 0, 1])
  assert.equal(
    second?.skipped.map(({ test }) => test),
    ['second: b'],
  )
  assert.equal([second?.pid, third?.pid], [first?.pid, first?.pid])
  assert.ok(first?.output.includes('one') && !second?.output.includes('one'))
  assert.ok(second?.output.includes('two') && !third?.output.includes('two'))
})

test('runs a file in a process of its own, when it is to be or the one before it failed', {
  deadline: 60_000,
}, async (context) => {
  const endings = {
    fails: `test('fails', () => { throw new Error('x') })`,
    exits: `test('exits', () => process.exit(0))`,
    dies: `test('dies', () => process.kill(process.pid, 'SIGKILL'))`,
    throws: `throw new Error('bad file')`,
    'never loads': `test.skip('a', 'no moon'); await new Promise(() => {})`,
    'leaves a process': `import { spawn } from 'node:child_process'
      test('a', () => { spawn('sleep', ['1000'], { stdio: 'ignore' }).unref() })`,
  }
  const tried = Object.entries(endings).map(async ([name, text]) => {
    const [before, bad, after] = await runAll(context, { before: passes, [name]: text, after: passes })
    assert.is(bad?.pid, before?.pid, name)
    assert.is(bad?.failed, name === 'leaves a process' ? 0 : 1, name)
    assert.is.not(after?.pid, bad?.pid, name)
    assert.equal([before?.passed, before?.failed, after?.passed, after?.failed], [1, 0, 1, 0], name)
  })
  await Promise.all(tried)
  const alone = await runAll(context, { before: passes, own: passes, after: passes }, ['own'])
  assert.is(new Set(alone.map(({ pid }) => pid)).size, 3)
})

test('fails a file that leaves the process changed for the next, and names what', async (context) => {
  const changes = {
    'environment variable SOME': `process.env.SOME = 'x'`,
    'the working directory': `process.chdir('/')`,
    'the umask': `process.umask(0o277)`,
    'listeners of SIGUSR2': `process.on('SIGUSR2', () => {})`,
  }
  const results = await runAll(
    context,
    Object.fromEntries(Object.entries(changes).map(([name, text]) => [name, `test('a', () => { ${text} })`])),
  )
  const own = await runAll(context, { own: `test('a', () => { process.umask(0o277) })` }, ['own'])
  assert.is(own[0]?.failed, 0, 'nobody comes after it')
  for (const { file, failed, output } of results) {
    assert.is(failed, 1, file)
    assert.match(output, `left the process changed: ${file}`)
  }
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
