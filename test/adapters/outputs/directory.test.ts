import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { outputDirectory } from '../../../adapters/outputs/index.js'
import { assert, eventually, note, sample, suite } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { certificateOf, content, keyOf } from './content.js'

const test = suite('output directory')

const ours = (directory: string) =>
  readdirSync(directory).filter((name) => name.startsWith('..kube-cert-rotation-'))

const text = (directory: string, name: string) => readFileSync(join(directory, name), 'utf8')

test('has the names of a TLS secret, for its owner alone, in a directory that is made', async ({
  temporaryDirectory,
}) => {
  const directory = join(await temporaryDirectory(), 'new', 'tls')
  await right(outputDirectory(directory).write(content('a', { ca: 'the CAs' })))
  assert.is(text(directory, 'tls.crt'), certificateOf('a'))
  assert.is(text(directory, 'tls.key'), keyOf('a'))
  assert.is(text(directory, 'ca.crt'), 'the CAs')
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) {
    assert.is(readlinkSync(join(directory, name)), join('..data', name))
    assert.is(statSync(join(directory, name)).mode & 0o7777, 0o600)
  }
  assert.is(statSync(directory).mode & 0o777, 0o700)
})

test('is swapped as a whole; what was there before is removed, and nothing of others', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  writeFileSync(join(directory, 'nginx.conf'), 'theirs')
  mkdirSync(join(directory, '..2026_11_25_12_00_00.1'))
  const output = outputDirectory(directory)
  await right(output.write(content('a', { ca: 'the CAs' })))
  const before = realpathSync(join(directory, 'tls.crt'))
  await right(output.write(content('b')))
  assert.is(text(directory, 'tls.crt') + text(directory, 'tls.key'), certificateOf('b') + keyOf('b'))
  assert.not.ok(existsSync(before))
  assert.is(ours(directory).length, 1)
  assert.not.ok(lstatSync(join(directory, 'ca.crt'), { throwIfNoEntry: false }))
  assert.ok(existsSync(join(directory, '..2026_11_25_12_00_00.1')))
  assert.is(text(directory, 'nginx.conf'), 'theirs')
})

test('is left as it is when it is in line, and brought in line when somebody changed it', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const output = outputDirectory(directory)
  const write = () => right(output.write(content('a', { ca: 'the CAs' })))
  await write()
  const first = ours(directory)
  await write()
  assert.equal(ours(directory), first)
  for (const damage of [
    () => writeFileSync(join(directory, 'tls.key'), 'damaged'),
    () => chmodSync(join(directory, 'tls.key'), 0o644),
    () => rmSync(realpathSync(join(directory, 'tls.crt'))),
    () => rmSync(join(directory, 'tls.key')),
    () => rmSync(join(directory, '..data')),
    () => rmSync(realpathSync(join(directory, '..data')), { recursive: true }),
  ]) {
    damage()
    await write()
    assert.is(text(directory, 'tls.crt') + text(directory, 'tls.key'), certificateOf('a') + keyOf('a'))
    assert.is(statSync(join(directory, 'tls.key')).mode & 0o777, 0o600)
    assert.is(ours(directory).length, 1)
  }
})

test('has mode and owner as asked for, and can be reached by whom it is for', async ({
  temporaryDirectory,
}) => {
  const directory = join(await temporaryDirectory(), 'tls')
  const root = process.getuid?.() === 0
  const owner = root ? { uid: 12, gid: 34 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const before = process.umask(0o077)
  try {
    await right(outputDirectory(directory, { mode: 0o640, owner }).write(content('a')))
  } finally {
    process.umask(before)
  }
  const file = statSync(join(directory, 'tls.key'))
  assert.equal([file.mode & 0o777, file.uid, file.gid], [0o640, owner.uid, owner.gid])
  const generation = statSync(realpathSync(join(directory, '..data')))
  // Those who own the files may not swap the directories under who writes in them.
  for (const { mode, uid, gid } of [generation, statSync(directory)])
    assert.equal([mode & 0o777, uid, gid], [0o751, process.getuid?.() ?? 0, process.getgid?.() ?? 0])
  // Another owner or mode is another output.
  await right(outputDirectory(directory, { mode: 0o600 }).write(content('a')))
  assert.is(statSync(join(directory, 'tls.key')).mode & 0o777, 0o600)
})

test('touches nothing where one of its names is taken by somebody else', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const output = outputDirectory(directory)
  for (const [name, take] of [
    ['tls.key', (path: string) => writeFileSync(path, 'theirs')],
    ['tls.crt', (path: string) => symlinkSync('elsewhere', path)],
    ['..data', (path: string) => symlinkSync('..2026_11_25_12_00_00.1', path)],
    ['..data', (path: string) => mkdirSync(path)],
  ] as const) {
    const path = join(directory, name)
    take(path)
    const { message, remedy } = await left(output.write(content('a')))
    assert.is(message, `writing the output ${directory}: ${name} is there already, and is not ours`)
    assert.is(remedy, 'name another directory, or move it away')
    assert.equal(readdirSync(directory), [name])
    rmSync(path, { recursive: true })
  }
})

test('says what is wrong, and leaves what is there, when it cannot be written', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'file')
  writeFileSync(file, '')
  assert.match((await left(outputDirectory(file).write(content('a')))).message, 'already exists (EEXIST)')
  const key = { _tag: 'NotUsableHere', reason: 'it is in an HSM' } as const
  const output = outputDirectory(join(directory, 'tls'))
  await right(output.write(content('a')))
  const { message } = await left(output.write(content('b', { key })))
  assert.match(message, 'the private key cannot be exported')
  assert.is(text(join(directory, 'tls'), 'tls.crt'), certificateOf('a'))
})

const childPath = join(import.meta.dirname, 'writing-child.js')

/** The generation that a reader finds, who resolves `..data` once; undefined where it is swapped while being read. */
const generationIn = (directory: string): string | undefined => {
  try {
    const resolved = realpathSync(join(directory, '..data'))
    const [certificate, key, ca] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => text(resolved, name))
    const number = /generation-\d+/.exec(
      Buffer.from(certificate?.split('\n')[1] ?? '', 'base64').toString(),
    )?.[0]
    assert.is(certificate, certificateOf(number ?? ''))
    assert.is(key, keyOf(number ?? ''))
    assert.is(ca, number?.replace('generation', 'ca'))
    return number
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

const kills = sample(4, 60)
test(`is whole for readers at every instant, and after each of ${kills} kills`, {
  deadline: sample(60_000, 600_000),
}, async ({ temporaryDirectory, defer }) => {
  const directory = await temporaryDirectory()
  const seen = new Set<string>()
  let last = ''
  for (let kill = 0; kill < kills; kill += 1) {
    const child = spawn(process.execPath, [childPath, directory, String(kill * 100_000)], {
      stdio: 'inherit',
    })
    defer(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    await eventually(
      'it writes',
      () => {
        const found = generationIn(directory)
        return found !== undefined && found !== last && Number(found.split('-')[1]) >= kill * 100_000
      },
      { deadline: 20_000, interval: 1 },
    )
    const end = performance.now() + ((kill * 7) % 50)
    while (performance.now() < end) {
      const found = generationIn(directory)
      if (found !== undefined) seen.add(found)
      await sleep(0)
    }
    child.kill('SIGKILL')
    await ended
    last = generationIn(directory) ?? ''
    assert.match(last, 'generation-')
  }
  note(`${seen.size} generations seen`)
  // The next start brings it in line, and removes what the kill left.
  await right(outputDirectory(directory).write(content('a', { ca: 'the CAs' })))
  assert.is(text(directory, 'tls.key'), keyOf('a'))
  assert.is(ours(directory).length, 1)
})
