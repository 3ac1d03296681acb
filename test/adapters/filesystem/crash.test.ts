import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { type CertificateDirectory, openWith } from '../../../adapters/filesystem/directory.js'
import { openCertificateDirectory, readCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { after, second } from '../../../src/model/time.js'
import { assert, eventually, note, sample, seed, suite, type TestContext } from '../../helper/index.js'
import { right } from '../outcome.js'
import { current, files, nameInFile, names, noon, pair, pairPem, request, requestName } from './material.js'
import { type Recording, recording, systemError } from './recording.js'

const test = suite('crash')

/** What is in the directory before: from nothing to a pair of ours, with one before it. */
const beginnings: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  'an empty directory': async () => {},
  'two pairs of ours': async (directory) => {
    const store = await right(openCertificateDirectory({ directory }))
    for (const [index, name] of ['older', 'old'].entries())
      await right(store.install(pair(name, after(noon, index * second))))
    await store.release()
  },
  'the directory of a kubelet that ended in the middle of its swap': async (directory) => {
    const file = join(directory, 'kubelet-client-2026-11-23-13-00-00.pem')
    writeFileSync(file, pairPem('old'), { mode: 0o600 })
    symlinkSync(file, join(directory, 'kubelet-client-updated.pem'))
  },
  'a file in the place of the link': async (directory) => {
    writeFileSync(current(directory), pairPem('old'), { mode: 0o600 })
    utimesSync(current(directory), noon / 1000, noon / 1000)
  },
}

const late = after(noon, 60 * second)

/** Each point of a crash; in `npm test` a third of them, where power-loss/ has all of them on a disk in memory. */
const step = sample(3, 1)
const first = step === 1 ? 0 : seed % step

/** A rotation as the loop asks for it; whatever fails, the rest is not tried. */
const rotate = async (store: CertificateDirectory): Promise<'saved' | 'installed' | undefined> => {
  if (E.isLeft(await store.saveRequest(request('new'))())) return undefined
  return E.isLeft(await store.install(pair('new', late))()) ? 'saved' : 'installed'
}

/** Opens the directory and rotates, over system calls that fail as told; answers how far it came. */
const run = async (
  directory: string,
  { fs }: Recording,
): Promise<'opened' | 'saved' | 'installed' | undefined> => {
  const store = await openWith(fs)({ directory })()
  if (E.isLeft(store)) return undefined
  const reached = await rotate(store.right)
  await store.right.release()
  return reached ?? 'opened'
}

const crashAt = (at: number): Recording =>
  recording((index) => {
    if (index >= at) throw systemError('EIO', -5)
  })

const prepared = async (
  { temporaryDirectory }: TestContext,
  begin: (directory: string) => Promise<void>,
): Promise<string> => {
  const directory = await temporaryDirectory()
  await begin(directory)
  return directory
}

for (const [beginning, begin] of Object.entries(beginnings))
  test(`at any point, beginning with ${beginning}, leaves the old pair or the new one`, async (context) => {
    const whole = recording()
    assert.is(await run(await prepared(context, begin), whole), 'installed')
    const expected = files(await finished(context, begin))
    for (let at = first; at <= whole.calls.length; at += step) {
      const where = `crash before call ${at}, ${whole.calls[at]}`
      const directory = await prepared(context, begin)
      const old = names(await right(readCertificateDirectory({ directory })))[0]
      const reached = await run(directory, crashAt(at))

      const contents = await right(readCertificateDirectory({ directory }))
      const [found] = names(contents)
      assert.ok(found === old || found === 'new', `${where}: ${found}`)
      if (reached === 'installed') assert.is(found, 'new', where)
      if (reached === 'saved' && found === old) assert.is(requestName(contents), 'csr-new', where)

      const installed = existsSync(current(directory)) && nameInFile(current(directory)) === 'new'
      if (installed) assert.is(requestName(contents), undefined, where)

      const store = await right(openCertificateDirectory({ directory }))
      assert.not.match(files(directory).join(), '.tmp', where)
      assert.is(names(await right(store.load))[0], found, where)
      assert.is(await rotate(store), 'installed', where)
      await store.release()
      assert.is(nameInFile(current(directory)), 'new', where)
      assert.equal(files(directory), expected, where)
    }
    note(`${beginning}: ${whole.calls.length + 1} crash points${step > 1 ? `, every ${step}rd tried` : ''}`)
  })

const finished = async (
  context: TestContext,
  begin: (directory: string) => Promise<void>,
): Promise<string> => {
  const directory = await prepared(context, begin)
  assert.is(await run(directory, recording()), 'installed')
  return directory
}

test('by kill -9 at random moments leaves a matching pair and nothing else', {
  deadline: 300_000,
}, async (context) => {
  const directory = await context.temporaryDirectory()
  const program = join(import.meta.dirname, 'rotating-child.js')
  const times = sample(6, 30)
  for (let n = 0; n < times; n += 1) {
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    // There is something to lose, however slow the machine is.
    if (n === 0) await eventually('a pair is in use', () => existsSync(current(directory)))
    await sleep(Math.random() * 60)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const isLinked = existsSync(current(directory))
    if (isLinked) assert.not.match(nameInFile(current(directory)), ' ')
    const store = await right(openCertificateDirectory({ directory }))
    const { warnings } = await right(store.load)
    // Killed between storing the very first pair and linking it: that becomes the current one, and is told.
    const promoted = /kubelet-client-current\.pem: it was missing; it points to \S+\.pem now$/
    assert.equal(
      warnings.filter((warning) => isLinked || !promoted.test(warning)),
      [],
    )
    assert.not.match(files(directory).join(), '.tmp')
    await store.release()
    assert.not.match(readdirSync(directory).join(), '.lock')
  }
  note(`killed ${times} times`)
  // Pairs that were stored and never linked are left until the next whole install, which keeps two.
  const store = await right(openCertificateDirectory({ directory }))
  assert.is(await rotate(store), 'installed')
  assert.is((await right(store.load)).pairs.length, 2)
  await store.release()
})

test('has no pair to lose at any call that the disk refuses once', async (context) => {
  const begin = beginnings['two pairs of ours'] ?? (async () => {})
  const whole = recording()
  assert.is(await run(await prepared(context, begin), whole), 'installed')
  const expected = files(await finished(context, begin))
  for (let at = 1 + first; at < whole.calls.length; at += step) {
    const where = `full before call ${at}, ${whole.calls[at]}`
    const directory = await prepared(context, begin)
    const { fs } = recording((index) => {
      if (index === at) throw systemError('ENOSPC', -28)
    })
    const store = await right(openWith(fs)({ directory }))
    const first = await store.saveRequest(request('new'))()
    const second = E.isLeft(first) ? first : await store.install(pair('new', late))()
    if (E.isLeft(second)) {
      assert.is(second.left.retry, 'soon', where)
      assert.match(
        second.left.message,
        /^(saving|installing|removing|taking).*: no space left on device \(ENOSPC\)$/,
      )
      assert.match(second.left.remedy, 'free some space')
      assert.not.match(files(directory).join(), '.tmp', where)
    }
    assert.is(await rotate(store), 'installed', where)
    assert.equal(files(directory), expected, where)
    await store.release()
  }
})

test('is provided for by the order of calls: contents before names, names before links', async (context) => {
  const directory = await prepared(context, beginnings['two pairs of ours'] ?? (async () => {}))
  const { fs, calls } = recording()
  const store = await right(openWith(fs)({ directory }))
  const opening = calls.length
  await right(store.saveRequest(request('new')))
  const saving = calls.length
  await right(store.install(pair('new', late)))
  await store.release()
  assert.equal(calls.slice(opening, saving), [
    'symlink kubelet-client-2026-11-23T12-00-01Z.pem temporary-1',
    'rename temporary-1 kubelet-client-current.pem',
    'create temporary-2',
    'write temporary-2',
    'sync temporary-2',
    'close temporary-2',
    'rename temporary-2 kubelet-client-request.json',
    'syncDirectory',
  ])
  assert.equal(calls.slice(saving), [
    'create temporary-3',
    'write temporary-3',
    'sync temporary-3',
    'close temporary-3',
    'rename temporary-3 kubelet-client-2026-11-23T12-01-00Z.pem',
    'syncDirectory',
    'symlink kubelet-client-2026-11-23T12-01-00Z.pem temporary-4',
    'rename temporary-4 kubelet-client-current.pem',
    'syncDirectory',
    'unlink kubelet-client-request.json',
    'syncDirectory',
    'unlink kubelet-client-2026-11-23T12-00-00Z.pem',
  ])
})
