import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type CertificateDirectoryOptions,
  openCertificateDirectory,
  readCertificateDirectory,
} from '../../../adapters/filesystem/index.js'
import { secret } from '../../../src/model/secret.js'
import { after, instant, second } from '../../../src/model/time.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { right } from '../outcome.js'
import {
  chainPem,
  current,
  files,
  keyPem,
  nameInFile,
  names,
  noon,
  pair,
  pairPem,
  request,
  requestName,
} from './material.js'

const test = suite('certificate directory left by others')

const local = 'kubelet-client-2026-11-23-13-00-00.pem'
const put = (path: string, text: string, mode = 0o600): string => {
  writeFileSync(path, text, { mode })
  return path
}
const open = async (options: CertificateDirectoryOptions, { defer }: TestContext) => {
  const store = await right(openCertificateDirectory(options))
  defer(store.release)
  return store
}

test("a kubelet's is taken over: its pair is used, then replaced, and never removed", async (context) => {
  const directory = await context.temporaryDirectory()
  const file = put(join(directory, local), pairPem('kubelet'))
  utimesSync(file, noon / 1000, noon / 1000)
  symlinkSync(file, current(directory))
  const store = await open({ directory }, context)
  const { pairs, warnings } = await right(store.load)
  assert.equal([pairs.map(({ receivedAt }) => receivedAt), warnings], [[noon], []])
  await right(store.saveRequest(request('a')))
  assert.is(readlinkSync(current(directory)), file, 'showing that the link can be replaced changes nothing')
  for (const [index, name] of ['a', 'b', 'c'].entries())
    await right(store.install(pair(name, after(noon, index * second))))
  assert.equal(names(await right(store.load)), ['c', 'b', 'kubelet'])
  assert.is(nameInFile(file), 'kubelet')
})

test('a link that a kubelet had not swapped in yet is swapped in', async (context) => {
  const directory = await context.temporaryDirectory()
  symlinkSync(put(join(directory, local), pairPem('kubelet')), join(directory, 'kubelet-client-updated.pem'))
  assert.equal(names(await right(readCertificateDirectory({ directory }))), ['kubelet'])
  assert.not.ok(existsSync(current(directory)), 'reading swaps nothing')
  const store = await open({ directory }, context)
  assert.equal(files(directory), [local, 'kubelet-client-current.pem'])
  const { warnings, ...contents } = await right(store.load)
  assert.equal(names({ ...contents, warnings }), ['kubelet'])
  assert.match(warnings.join(), /kubelet-client-updated.pem took its place/)
})

test('a link that a kubelet had not swapped in yet takes the place of a current one that leads nowhere', async (context) => {
  const directory = await context.temporaryDirectory()
  symlinkSync(join(directory, 'kubelet-client-2026-11-22-13-00-00.pem'), current(directory))
  symlinkSync(put(join(directory, local), pairPem('kubelet')), join(directory, 'kubelet-client-updated.pem'))
  const first = await right(readCertificateDirectory({ directory }))
  assert.equal([names(first), first.warnings], [['kubelet'], []])
  const store = await open({ directory }, context)
  assert.equal(files(directory), [local, 'kubelet-client-current.pem'])
  assert.is(nameInFile(current(directory)), 'kubelet')
  assert.match((await right(store.load)).warnings.join(), /it led nowhere; kubelet-client-updated.pem took/)
})

test('a link beside the current one is left alone', async (context) => {
  const directory = await context.temporaryDirectory()
  symlinkSync(put(join(directory, local), pairPem('kubelet')), current(directory))
  symlinkSync('nowhere', join(directory, 'kubelet-client-updated.pem'))
  const store = await open({ directory }, context)
  assert.equal(names(await right(store.load)), ['kubelet'])
  assert.is(readlinkSync(join(directory, 'kubelet-client-updated.pem')), 'nowhere')
})

test('a file in the place of the link is used, kept under another name, and replaced', async (context) => {
  const directory = await context.temporaryDirectory()
  put(current(directory), pairPem('copied'))
  utimesSync(current(directory), noon / 1000, noon / 1000)
  const store = await open({ directory }, context)
  const { pairs } = await right(store.load)
  assert.is(pairs[0]?.receivedAt, noon)
  await right(store.saveRequest(request('a')))
  assert.ok(lstatSync(current(directory)).isFile())
  await right(store.install(pair('a')))
  assert.is(nameInFile(join(directory, 'kubelet-client-kept-2026-11-23T12-00-00Z.pem')), 'copied')
  assert.ok(lstatSync(current(directory)).isSymbolicLink())
  assert.equal(names(await right(store.load)), ['a', 'copied'])
})

test('an absolute link of a directory that was moved means the file beside it', async (context) => {
  const directory = await context.temporaryDirectory()
  put(join(directory, local), pairPem('meant'))
  put(join(directory, 'kubelet-client-2027-01-01-00-00-00.pem'), pairPem('newer'))
  symlinkSync(`/var/lib/no-such-kubelet/pki/${local}`, current(directory))
  const store = await open({ directory }, context)
  const contents = await right(store.load)
  assert.equal(names(contents), ['meant', 'newer'])
  assert.match(contents.warnings.join('\n'), `it leads nowhere; ${local} beside it is taken`)
})

test('a link that leads nowhere is told, and replaced by the next install', async (context) => {
  const directory = await context.temporaryDirectory()
  symlinkSync('kubelet-client-2026-01-01T00-00-00Z.pem', current(directory))
  const store = await open({ directory }, context)
  const contents = await right(store.load)
  assert.equal(names(contents), [])
  assert.match(contents.warnings.join('\n'), 'it points to nothing that can be used')
  await right(store.saveRequest(request('a')))
  await right(store.install(pair('a')))
  assert.is(nameInFile(current(directory)), 'a')
})

test('a link to itself, a directory, a FIFO’s like and a device are told and wait for nobody', async (context) => {
  const directory = await context.temporaryDirectory()
  const expected: ReadonlyArray<readonly [string, RegExp]> = [
    ['kubelet-client-current.pem', /too many symbolic links/],
    ['.', /it is a directory/],
    ['/dev/zero', /it is no regular file/],
  ]
  for (const [target, warning] of expected) {
    const place = join(directory, String(expected.findIndex(([t]) => t === target)))
    mkdirSync(place, { mode: 0o700 })
    symlinkSync(target, current(place))
    const contents = await right(readCertificateDirectory({ directory: place }))
    assert.equal(names(contents), [])
    assert.match(contents.warnings.join('\n'), warning)
  }
})

test('what else could serve comes after the link, in the order of a kubelet', async (context) => {
  const directory = await context.temporaryDirectory()
  const elsewhere = await context.temporaryDirectory()
  put(join(directory, 'kubelet-client-2026-11-24-00-00-00.pem'), pairPem('dated'))
  put(join(directory, 'kubelet-client-2026-11-25T00-00-00Z.pem'), pairPem('ours'))
  put(join(directory, 'kubelet-client.crt'), chainPem('two files'))
  put(join(directory, 'kubelet-client.key'), keyPem('two files'))
  const fallbacks = [
    {
      _tag: 'Files',
      certificate: put(join(elsewhere, 'a.crt'), chainPem('flags')),
      key: put(join(elsewhere, 'a.key'), keyPem('flags')),
    },
    {
      _tag: 'Data',
      location: 'kubeconfig',
      pem: chainPem('embedded'),
      key: secret(keyPem('embedded')),
      receivedAt: instant(0),
    },
    { _tag: 'Files', certificate: join(elsewhere, 'none.crt'), key: join(elsewhere, 'none.key') },
  ] as const
  const expected = ['flags', 'embedded', 'two files', 'ours', 'dated']
  assert.equal(names(await right(readCertificateDirectory({ directory, fallbacks }))), expected)
  symlinkSync('kubelet-client-2026-11-24-00-00-00.pem', current(directory))
  const store = await open({ directory, fallbacks }, context)
  assert.equal(names(await right(store.load)), ['dated', 'flags', 'embedded', 'two files', 'ours'])
})

test('pairs that are damaged are told, and others serve', async (context) => {
  const directory = await context.temporaryDirectory()
  const damaged: ReadonlyArray<readonly [string, string]> = [
    ['1', ''],
    ['2', '\0'.repeat(4096)],
    ['3', chainPem('no key')],
    ['4', keyPem('no certificate')],
    ['5', pairPem('torn').slice(0, -30)],
    ['6', 'x'.repeat(1024 * 1024 + 1)],
  ]
  for (const [day, text] of damaged)
    put(join(directory, `kubelet-client-2026-11-0${day}T00-00-00Z.pem`), text)
  put(join(directory, 'kubelet-client-2026-10-01T00-00-00Z.pem'), pairPem('whole'))
  symlinkSync('kubelet-client-2026-11-01T00-00-00Z.pem', current(directory))
  const contents = await right(readCertificateDirectory({ directory }))
  assert.equal(names(contents), ['whole'])
  for (const [day] of damaged.slice(1))
    assert.ok(
      contents.warnings.some((warning) => warning.includes(`kubelet-client-2026-11-0${day}T`)),
      day,
    )
  assert.match(contents.warnings.join('\n'), /it is larger than 1048576 bytes/)
})

test('many old pairs of others are told once, and only some are read', async (context) => {
  const directory = await context.temporaryDirectory()
  for (let n = 10; n < 60; n += 1)
    put(join(directory, `kubelet-client-2026-11-23-13-00-${n}.pem`), pairPem(String(n)))
  const contents = await right(readCertificateDirectory({ directory }))
  assert.equal(names(contents).slice(0, 3), ['59', '58', '57'])
  assert.is(contents.pairs.length, 10)
  assert.equal(contents.warnings, [
    `${directory}: 50 pairs (kubelet-client-2026-11-23-13-00-59.pem, …) are not ours and are never removed; remove those that nobody uses`,
  ])
})

test('temporary files of a crash are removed, and nothing that only looks like one', async (context) => {
  const directory = await context.temporaryDirectory()
  put(join(directory, 'kubelet-client-0123456789abcdef.tmp'), 'half a pair')
  symlinkSync('x', join(directory, 'kubelet-client-fedcba9876543210.tmp'))
  const others = ['kubelet-client-backup.tmp', 'kubelet-server-0123456789abcdef.tmp', 'other.pem']
  for (const name of others) put(join(directory, name), '')
  await open({ directory }, context)
  assert.equal(files(directory), others)
})

test('the first pair becomes the current one when the process ended before it did', async (context) => {
  const directory = await context.temporaryDirectory()
  const older = 'kubelet-client-2026-11-23T11-00-00Z.pem'
  const newest = 'kubelet-client-2026-11-23T12-00-00Z.pem'
  put(join(directory, older), pairPem('older'))
  put(join(directory, newest), pairPem('newest'))
  const store = await open({ directory }, context)
  assert.is(readlinkSync(current(directory)), newest)
  const contents = await right(store.load)
  assert.equal(names(contents), ['newest', 'older'])
  assert.equal(contents.warnings, [`${current(directory)}: it was missing; it points to ${newest} now`])
})

test('keys of ours that others could read are closed to them, and it is told', async (context) => {
  const directory = await context.temporaryDirectory()
  const ours = put(join(directory, 'kubelet-client-2026-11-25T00-00-00Z.pem'), pairPem('ours'))
  const foreign = put(join(directory, local), pairPem('kubelet'))
  for (const file of [ours, foreign]) chmodSync(file, 0o644)
  assert.match(
    (await right(readCertificateDirectory({ directory }))).warnings.join('\n'),
    `${ours}: its mode 0644 lets others read the private key in it`,
  )
  assert.is(statSync(ours).mode & 0o777, 0o644)
  const store = await open({ directory }, context)
  const { warnings } = await right(store.load)
  assert.is(statSync(ours).mode & 0o777, 0o600)
  assert.is(statSync(foreign).mode & 0o777, 0o644)
  assert.equal(warnings.slice(1), [
    `${ours}: its mode was 0644, which let others read its private key; it is 0600 now`,
    `${foreign}: its mode 0644 lets others read the private key in it; make it 0600`,
  ])
})

test('a directory in which others may write is told', async (context) => {
  const directory = await context.temporaryDirectory()
  chmodSync(directory, 0o777)
  const { warnings } = await right(readCertificateDirectory({ directory }))
  assert.equal(warnings, [`${directory}: its mode 0777 lets others replace what is in it; make it 0700`])
})

const unprivileged = process.geteuid?.() === 0 ? undefined : 'only root can give files away'
test('a request that somebody else put there is not taken up', { skip: unprivileged }, async (context) => {
  const directory = await context.temporaryDirectory()
  const store = await open({ directory }, context)
  await right(store.saveRequest(request('planted')))
  await right(store.install(pair('planted')))
  await right(store.saveRequest(request('planted')))
  chownSync(join(directory, 'kubelet-client-request.json'), 12345, 12345)
  chownSync(join(directory, 'kubelet-client-2026-11-23T12-00-00Z.pem'), 12345, 12345)
  const contents = await right(store.load)
  assert.is(requestName(contents), undefined)
  assert.match(contents.warnings.join('\n'), 'the saved request is ignored: it belongs to user 12345')
  assert.match(contents.warnings.join('\n'), 'it belongs to user 12345, and this process is user 0')
  await right(store.saveRequest(request('mine')))
  assert.is(requestName(await right(store.load)), 'csr-mine')
})

test('a request that cannot be read is ignored without a word of its content, and kept', async (context) => {
  const directory = await context.temporaryDirectory()
  const file = join(directory, 'kubelet-client-request.json')
  const store = await open({ directory }, context)
  await right(store.saveRequest(request('a')))
  const good: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const changed = (change: object) => JSON.stringify({ ...Object(good), ...change })
  const cases: ReadonlyArray<readonly [string, RegExp]> = [
    [changed({ formatVersion: 2, key: 7 }), /its format version is 2, and this program knows only 1/],
    [changed({ key: ['hidden-words'] }), /key must be a string/],
    [changed({ template: { usages: 'hidden-words' } }), /template.\w+ must be/],
    ['{"key": "hidden-words', /it is no JSON/],
    ['null', /it must be a mapping of fields/],
    ['', /it is no JSON/],
  ]
  for (const [text, warning] of cases) {
    put(file, text)
    const contents = await right(store.load)
    assert.is(requestName(contents), undefined)
    assert.match(contents.warnings.join('\n'), warning)
    assert.not.match(contents.warnings.join('\n'), 'hidden-words')
    await right(store.saveRequest(request('b')))
    assert.is(readFileSync(join(directory, 'kubelet-client-request.unreadable.json'), 'utf8'), text)
    assert.is(requestName(await right(store.load)), 'csr-b')
  }
})

test('a link in the place of the request is not followed', async (context) => {
  const directory = await context.temporaryDirectory()
  const elsewhere = join(await context.temporaryDirectory(), 'target')
  const store = await open({ directory }, context)
  await right(store.saveRequest(request('a')))
  put(elsewhere, readFileSync(join(directory, 'kubelet-client-request.json'), 'utf8'))
  await right(store.discardRequest)
  symlinkSync(elsewhere, join(directory, 'kubelet-client-request.json'))
  const contents = await right(store.load)
  assert.is(requestName(contents), undefined)
  assert.match(contents.warnings.join('\n'), /the saved request is ignored: too many symbolic links/)
  await right(store.saveRequest(request('b')))
  assert.is(requestName(await right(store.load)), 'csr-b')
  assert.match(readFileSync(elsewhere, 'utf8'), 'csr-a')
})
