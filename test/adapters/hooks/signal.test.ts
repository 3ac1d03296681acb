/** Signals to real processes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type SignalOptions, sendSignal } from '../../../adapters/hooks/signal.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'

const test = suite('a signal after a renewal')

const notOnLinux = process.platform === 'linux' ? undefined : 'it takes /proc of Linux'
const noFlock =
  notOnLinux ?? (spawnSync('flock', ['--version']).error === undefined ? undefined : 'no flock(1) here')
const notRoot = notOnLinux ?? (process.getuid?.() === 0 ? undefined : 'it takes root')

interface Target {
  readonly pid: number
  /** Whether a line comes on standard output from now on: one for each SIGHUP. */
  readonly isTold: () => Promise<string>
  readonly end: () => Promise<void>
}

const listens = `process.on('SIGHUP', () => console.log('told')); console.log('ready'); setInterval(() => {}, 1e6)`

/** A program that says a line for each SIGHUP; it is there when this answers. */
const target = async (
  { defer }: TestContext,
  [command, ...args]: readonly [string, ...ReadonlyArray<string>] = [process.execPath],
  options: { readonly uid?: number } = {},
): Promise<Target> => {
  const child: ChildProcess = spawn(command, [...args, '-e', listens], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const end = async () => {
    child.kill('SIGKILL')
    await ended
  }
  defer(end)
  const line = async () => String((await once(child.stdout ?? child, 'data'))[0])
  assert.is(await line(), 'ready\n')
  return { pid: child.pid ?? 0, isTold: line, end }
}

/** What a hook says, and what it logged. */
const sent = async (pidFile: string, options: Partial<SignalOptions> = {}) => {
  const logged: Array<string> = []
  const log = (line: string) => logged.push(line)
  const outcome = await sendSignal({ signal: 'SIGHUP', pidFile, log, ...options })()
  return { outcome, logged }
}

const objection = async (pidFile: string, options: Partial<SignalOptions> = {}): Promise<string> => {
  const { outcome, logged } = await sent(pidFile, options)
  assert.equal(logged, [])
  if (E.isRight(outcome)) throw new Error('it was sent')
  return `${outcome.left.message}; ${outcome.left.remedy}`
}

test('reaches the process whose number the pid file has', { skip: notOnLinux }, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const { pid, isTold } = await target(context)
  await writeFile(file, ` ${pid}\nmore\n`)
  const told = isTold()
  const { outcome, logged } = await sent(file)
  assert.equal([outcome, await told], [E.right(undefined), 'told\n'])
  assert.match(logged.join(), /^hook SIGHUP to \/.*a\.pid: sent to process \d+ \(\S+\)$/)
})

test('says what is wrong with a pid file, and sends nothing', { skip: notOnLinux }, async (context) => {
  const directory = await context.temporaryDirectory()
  const file = join(directory, 'a.pid')
  assert.match(
    await objection(file),
    /^the hook SIGHUP to .*: the file cannot be read: .*\(ENOENT\); start the/,
  )
  assert.match(await objection(directory), /cannot be read: it is a directory/)
  for (const text of ['', '\n', 'x', '0', '-1', '12 13', '1.5', '4194305', '99999999999'])
    assert.match(await written(file, text), /: its first line is no process number; /, text)
  assert.match(await written(file, '1'), /process 1 is init/)
  assert.match(await written(file, `${process.pid}`), /is this agent/)
})

const written = async (file: string, text: string): Promise<string> => {
  await writeFile(file, text)
  return objection(file)
}

test('a pid file that was left behind means nobody', { skip: notOnLinux }, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const { pid, end } = await target(context)
  await writeFile(file, `${pid}\n`)
  await end()
  assert.match(await objection(file), /: process \d+ has ended, and left the file behind; start the program/)
})

test('nor does the number of a zombie, to which a signal can be sent', {
  skip: notOnLinux,
}, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.defer(() => parent.kill('SIGKILL'))
  const [number] = await once(parent.stdout, 'data')
  await writeFile(file, String(number))
  const state = () => readFile(`/proc/${Number(number)}/stat`, 'utf8')
  await eventually('it has ended, and nobody asks how', async () => (await state()).includes(') Z '))
  assert.match(await objection(file), /has ended, and left the file behind/)
})

test('a number that another process has since is not taken for the first', {
  skip: notOnLinux,
}, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const { pid, isTold } = await target(context)
  await writeFile(file, `${pid}\n`)
  const anHourAgo = Date.now() / 1_000 - 3_600
  await utimes(file, anHourAgo, anHourAgo)
  assert.match(
    await objection(file),
    /: process \d+ \(\S+\) started at \d{4}-.*Z, after the file was written: it is another .*; start .* touch the file$/,
  )
  const now = Date.now() / 1_000
  await utimes(file, now, now)
  const told = isTold()
  assert.equal([(await sent(file)).outcome, await told], [E.right(undefined), 'told\n'])
})

test('a file that others may write in names nobody', { skip: notRoot }, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const { pid } = await target(context)
  await writeFile(file, `${pid}\n`)
  await chmod(file, 0o666)
  assert.match(await objection(file), /: everybody may write in it; .*chmod o-w/)
  await chmod(file, 0o644)
  await chown(file, 65_534, 65_534)
  assert.match(await objection(file), /: it belongs to user 65534, and process \d+ \(\S+\) to user 0; /)
})

test('a process that this user may not send signals to is told as such', {
  skip: notRoot,
}, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.pid')
  const { pid } = await target(context)
  await writeFile(file, `${pid}\n`)
  await chmod(file, 0o644)
  await chmod(join(file, '..'), 0o755)
  const code = `import(${JSON.stringify(import.meta.resolve('../../../adapters/hooks/signal.js'))}).then(async ({ sendSignal }) => {
    process.setuid(65534)
    const { left } = await sendSignal({ signal: 'SIGHUP', pidFile: process.argv[1] })()
    console.log(left.message, left.remedy)
  })`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code, file], { encoding: 'utf8' })
  assert.match(
    stdout + stderr,
    /: process \d+ \(\S+\), of user 0, cannot be sent a signal: operation not permitted \(EPERM\) run the agent as .* CAP_KILL/,
  )
})

test('with a lock, reaches whoever has it, whatever number the file has', {
  skip: noFlock,
}, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.lock')
  await writeFile(file, '')
  assert.match(
    await objection(file, { by: 'lock' }),
    /^the hook SIGHUP to who has locked .*: nobody has the file locked; start/,
  )
  const { isTold } = await target(context, ['flock', '--no-fork', file, process.execPath])
  await writeFile(file, '1')
  const told = isTold()
  assert.equal([(await sent(file, { by: 'lock' })).outcome, await told], [E.right(undefined), 'told\n'])
})

test('where the process that took the lock has ended, its heir is the one that the file names', {
  skip: noFlock,
}, async (context) => {
  const file = join(await context.temporaryDirectory(), 'a.lock')
  await writeFile(file, '')
  const script = `exec 9<>"$0"; flock 9; echo $$ >&9; exec ${process.execPath} "$@"`
  const { isTold, end } = await target(context, ['sh', '-c', script, file])
  const longAgo = new Date(0)
  await utimes(file, longAgo, longAgo)
  const told = isTold()
  assert.equal([(await sent(file, { by: 'lock' })).outcome, await told], [E.right(undefined), 'told\n'])
  await end()
  assert.match(await objection(file, { by: 'lock' }), /nobody has the file locked/)
})
