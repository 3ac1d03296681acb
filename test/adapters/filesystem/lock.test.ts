import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { holderOfCertificateDirectory, openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { acquire, isIntact, release } from '../../../adapters/filesystem/lock.js'
import { assert, eventually, sample, suite, type TestContext } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { pair } from './material.js'

const test = suite('lock')

interface Child {
  readonly process: ChildProcess
  readonly says: string
}

const child = async (
  directory: string,
  { defer }: Pick<TestContext, 'defer'>,
  [command, ...args]: readonly [string, ...ReadonlyArray<string>] = [process.execPath],
): Promise<Child> => {
  const program = join(import.meta.dirname, 'lock-child.js')
  const started = spawn(command, [...args, program, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  defer(async () => {
    if (started.exitCode === null && started.signalCode === null && started.kill('SIGKILL'))
      await once(started, 'exit')
  })
  const [line] = await once(started.stdout, 'data')
  return { process: started, says: String(line).trim() }
}

const kill = async ({ process }: Child): Promise<void> => {
  process.kill('SIGKILL')
  await once(process, 'exit')
}

const lockFiles = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory).filter((name) => name.includes('.lock'))

test('names the process that has the directory', async (context) => {
  const directory = await context.temporaryDirectory()
  const holder = await child(directory, context)
  assert.is(holder.says, 'open')
  const error = await left(openCertificateDirectory({ directory }))
  assert.is(error._tag, 'StoreLocked')
  const who = `lock-child.js, process ${holder.process.pid} on ${hostname()}, since 2`
  assert.match(error.message, `certificate directory ${directory} for kubelet-client: it is in use by ${who}`)
  holder.process.stdin?.end()
  assert.equal(await once(holder.process, 'exit'), [0, null])
  assert.equal(lockFiles(directory), [])
})

test('ends with its holder, also by kill -9', async (context) => {
  const directory = await context.temporaryDirectory()
  const holder = await child(directory, context)
  await kill(holder)
  assert.is(lockFiles(directory).length, 1, 'its socket is still there')
  const store = await right(openCertificateDirectory({ directory }))
  assert.is(lockFiles(directory).length, 1, 'and is now gone')
  await store.release()
  assert.equal(lockFiles(directory), [])
})

const ownNamespace = ['unshare', '--pid', '--fork', '--kill-child', process.execPath] as const
const withoutNamespaces =
  spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0
    ? undefined
    : 'this process may not make process namespaces'

test('holds between containers, in each of which every process is number 1', {
  skip: withoutNamespaces,
}, async (context) => {
  const directory = await context.temporaryDirectory()
  const first = await child(directory, context, ownNamespace)
  assert.is(first.says, 'open')
  const second = await child(directory, context, ownNamespace)
  assert.match(second.says, `StoreLocked: taking the certificate directory ${directory}`)
  assert.match(second.says, 'lock-child.js, process 1 on')
  await kill(first)
  const third = await eventually('the first one has ended', async () => {
    const contender = await child(directory, context, ownNamespace)
    return contender.says === 'open' && contender
  })
  await kill(third)
  await kill(second)
})

test('of several processes that start at once, one gets it', { deadline: 30_000 }, async (context) => {
  const directory = await context.temporaryDirectory()
  for (let round = 0; round < 2; round += 1) {
    const children = await Promise.all(Array.from({ length: 4 }, () => child(directory, context)))
    assert.equal(children.map(({ says }) => says.split(':')[0]).sort(), [
      'StoreLocked',
      'StoreLocked',
      'StoreLocked',
      'open',
    ])
    await Promise.all(children.map(kill))
  }
})

test('is had by one at a time, however many contend', { deadline: 60_000 }, async (context) => {
  const directory = await context.temporaryDirectory()
  let holders = 0
  let taken = 0
  const contender = async (): Promise<void> => {
    for (let n = 0; n < sample(8, 60); n += 1) {
      const outcome = await acquire(directory, 'x')()
      if (E.isLeft(outcome)) continue
      holders += 1
      taken += 1
      assert.is(holders, 1)
      await new Promise((resolve) => setImmediate(resolve))
      assert.is(holders, 1)
      holders -= 1
      await release(outcome.right)
    }
  }
  await Promise.all(Array.from({ length: 5 }, contender))
  assert.ok(taken >= 5, `taken ${taken} times`)
  assert.equal(lockFiles(directory), [])
})

test('is noticed when it is lost, and not taken back from who has it now', async (context) => {
  const directory = join(await context.temporaryDirectory(), 'pki')
  const store = await right(openCertificateDirectory({ directory }))
  context.defer(store.release)
  rmSync(directory, { recursive: true })
  const other = await child(directory, context)
  assert.is(other.says, 'open')
  const error = await left(store.install(pair('a')))
  assert.is(error._tag, 'StoreLocked')
  assert.match(error.message, `process ${other.process.pid}`)
})

test('works where the path is too long for a socket', async (context) => {
  const directory = join(await context.temporaryDirectory(), 'x'.repeat(120))
  mkdirSync(directory)
  const lock = await acquire(directory, 'kubelet-client')()
  assert.ok(E.isRight(lock))
  assert.ok(E.isLeft(await acquire(directory, 'kubelet-client')()))
  await (E.isRight(lock) ? release(lock.right) : undefined)
  assert.equal(lockFiles(directory), [])
})

test('is not taken from a holder that does not answer', async (context) => {
  const directory = await context.temporaryDirectory()
  const mute = createServer(() => {})
  context.defer(() => mute.close())
  mute.listen(join(directory, 'x.lock-0123456789abcdef'))
  await once(mute, 'listening')
  const outcome = await acquire(directory, 'x')()
  assert.equal(outcome, E.left({ holder: undefined }))
})

test('is not shared between users: its socket is for the owner alone', async (context) => {
  const directory = await context.temporaryDirectory()
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const outcome = await acquire(directory, 'x')()
  if (E.isLeft(outcome)) throw new Error('it is not locked')
  const lock = outcome.right
  const [name = ''] = lockFiles(directory)
  assert.is(statSync(join(directory, name)).mode & 0o777, 0o600)
  assert.is(await isIntact(lock), true)
  await release(lock)
  assert.is(await isIntact(lock), false)
})

test('is not lost to oneself when taking it fails', async (context) => {
  const directory = await context.temporaryDirectory()
  for (const call of ['readdir', 'lstat', 'rename', 'chmod'] as const) {
    const original = promises[call]
    const failing = () => Promise.reject(Object.assign(new Error(call), { code: 'EIO' }))
    Object.assign(promises, { [call]: failing })
    syncBuiltinESMExports()
    try {
      const outcome = await acquire(directory, 'x')().catch((error: unknown) => error)
      assert.ok(outcome instanceof Error && outcome.message === call, `${call} is called`)
    } finally {
      Object.assign(promises, { [call]: original })
      syncBuiltinESMExports()
    }
    assert.equal(lockFiles(directory), [], `nothing stays when ${call} has failed`)
    const outcome = await acquire(directory, 'x')()
    assert.ok(E.isRight(outcome))
    await (E.isRight(outcome) ? release(outcome.right) : undefined)
  }
})

test('keeps no process alive', async (context) => {
  const directory = await context.temporaryDirectory()
  const program = join(import.meta.dirname, '../../../adapters/filesystem/index.js')
  const script = `import { openCertificateDirectory } from ${JSON.stringify(program)}
    console.log((await openCertificateDirectory({ directory: ${JSON.stringify(directory)} })())._tag)`
  const started = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(started.stdout, 'data')
  assert.match(String(line), 'Right')
  assert.equal(await once(started, 'exit'), [0, null])
})

test('tells who has it, and nobody when its holder was killed, changing nothing', async (context) => {
  const directory = join(await context.temporaryDirectory(), 'pki')
  const asked = async () => O.toUndefined(await right(holderOfCertificateDirectory({ directory })))
  assert.is(await asked(), undefined, 'there is no directory')
  mkdirSync(directory)
  assert.is(await asked(), undefined)
  const holder = await child(directory, context)
  const found = (await asked())?.holder
  assert.equal(
    [found?.program, found?.pid, found?.hostname, found?.holds],
    ['lock-child.js', holder.process.pid, hostname(), true],
  )
  assert.equal(await right(holderOfCertificateDirectory({ directory, prefix: 'other' })), O.none)
  const before = readdirSync(directory)
  await kill(holder)
  assert.is(await asked(), undefined)
  assert.equal(readdirSync(directory), before, 'the dead socket is still there')
  rmSync(directory, { recursive: true })
  for (const make of [() => writeFileSync(directory, ''), () => spawnSync('mkfifo', [directory])]) {
    make()
    assert.is((await left(holderOfCertificateDirectory({ directory })))._tag, 'StoreUnreadable')
    assert.match((await left(openCertificateDirectory({ directory }))).message, 'not a directory')
    rmSync(directory)
  }
})

test('tells of a holder that does not answer, and not of one that only looks', async (context) => {
  const directory = await context.temporaryDirectory()
  const contender = createServer((socket) => {
    const self = { program: 'p', hostname: 'h', pid: 1, since: '2026-01-01T00:00:00Z', holds: false }
    socket.end(JSON.stringify(self))
  })
  context.defer(() => contender.close())
  contender.listen(join(directory, 'kubelet-client.lock-0123456789abcdef'))
  await once(contender, 'listening')
  assert.equal(await right(holderOfCertificateDirectory({ directory })), O.none)
  const mute = createServer(() => {})
  context.defer(() => mute.close())
  mute.listen(join(directory, 'kubelet-client.lock-fedcba9876543210'))
  await once(mute, 'listening')
  const taken = O.toUndefined(await right(holderOfCertificateDirectory({ directory })))
  assert.ok(taken !== undefined && taken.holder === undefined)
})

const openFiles = (): number => readdirSync('/proc/self/fd').length

test('takes no open file for each of many directories', {
  skip: process.platform === 'linux' ? undefined : 'counts open files in /proc',
}, async (context) => {
  const folder = await context.temporaryDirectory()
  const open = (index: number) => right(openCertificateDirectory({ directory: join(folder, String(index)) }))
  const none = openFiles()
  await (await open(0)).release()
  assert.is(openFiles(), none, 'the socket is closed with the last of them')
  const first = await open(0)
  const before = openFiles()
  const others = await Promise.all(Array.from({ length: 200 }, (_, index) => open(index + 1)))
  assert.is(openFiles(), before)
  const other = await child(join(folder, '100'), context)
  assert.match(other.says, /^StoreLocked: /, 'each of them is locked')
  await first.release()
  assert.match(
    (await child(join(folder, '100'), context)).says,
    /^StoreLocked: /,
    'also when the first is not',
  )
  assert.is((await child(join(folder, '0'), context)).says, 'open')
  await others[99]?.release()
  assert.is((await child(join(folder, '100'), context)).says, 'open')
  for (const [index, directory] of others.entries()) if (index !== 99) await directory.release()
  assert.equal(lockFiles(join(folder, '42')), [])
})
