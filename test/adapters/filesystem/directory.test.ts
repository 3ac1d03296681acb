import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { inspect } from 'node:util'
import {
  createAuthority,
  createCertificate,
  cryptoBackend,
  parseRequest,
} from '../../../adapters/crypto/index.js'
import { openWith } from '../../../adapters/filesystem/directory.js'
import { type FileSystem, nodeFileSystem } from '../../../adapters/filesystem/file-system.js'
import {
  type CertificateDirectory,
  openCertificateDirectory,
  readCertificateDirectory,
} from '../../../adapters/filesystem/index.js'
import { secret } from '../../../src/model/secret.js'
import { after, second } from '../../../src/model/time.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import {
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

const test = suite('certificate directory')

const opened = async ({
  temporaryDirectory,
  defer,
}: TestContext): Promise<{ directory: string; store: CertificateDirectory }> => {
  const directory = join(await temporaryDirectory(), 'kubelet', 'pki')
  const store = await right(openCertificateDirectory({ directory }))
  defer(store.release)
  return { directory, store }
}

test('is made for its owner alone, parents too, and is empty', async (context) => {
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const { directory, store } = await opened(context)
  assert.is(statSync(directory).mode & 0o777, 0o700)
  assert.is(statSync(join(directory, '..')).mode & 0o777, 0o700)
  const contents = await right(store.load)
  assert.equal([contents.pairs, contents.warnings], [[], []])
  assert.is(requestName(contents), undefined)
})

test('keeps a pair as a kubelet would, under a name that tells when it was received', async (context) => {
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const { directory, store } = await opened(context)
  await right(store.install(pair('a', after(noon, 2 * second + 345))))
  assert.equal(files(directory), ['kubelet-client-2026-11-23T12-00-02Z.pem', 'kubelet-client-current.pem'])
  assert.is(readlinkSync(current(directory)), 'kubelet-client-2026-11-23T12-00-02Z.pem')
  assert.is(lstatSync(join(directory, 'kubelet-client-2026-11-23T12-00-02Z.pem')).mode & 0o777, 0o600)
  assert.is(nameInFile(current(directory)), 'a')
  const { pairs, warnings } = await right(store.load)
  assert.equal(names({ ...(await right(store.load)), pairs }), ['a'])
  assert.is(pairs[0]?.receivedAt, after(noon, 2 * second))
  assert.is(pairs[0]?.location, current(directory))
  assert.equal(warnings, [])
})

test('holds in one file what TLS takes as certificate and as key', async (context) => {
  const { directory, store } = await opened(context)
  const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
  const validity = { notBefore: noon, notAfter: after(noon, 3600 * second) }
  const authority = await right(createAuthority({ ...validity, serialNumber: '1', commonName: 'ca' }))
  const { publicKey, ...requested } = await right(
    parseRequest(await right(key.createRequest(pair('worker-1').certificate))),
  )
  const parameters = { ...requested, ...validity, serialNumber: '2', usages: ['client auth'], publicKey }
  const pem = await right(createCertificate(authority, parameters))
  const chain = await right(cryptoBackend.parseChain(`issued today\n${pem}${authority.pem}`))
  await right(store.install({ ...chain, key: await right(key.forStorage), receivedAt: noon }))
  const file = readFileSync(current(directory))
  createSecureContext({ cert: file, key: file })
  const [stored] = (await right(store.load)).pairs
  assert.is(stored?.pem, pem + authority.pem)
  assert.is(stored && (await right(cryptoBackend.restoreKey(stored.key))).id, key.id)
})

test('keeps the pair in use and the one before, and removes older ones of ours', async (context) => {
  const { directory, store } = await opened(context)
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
    await right(store.install(pair(name, after(noon, index * second))))
  assert.equal(names(await right(store.load)), ['d', 'c'])
  assert.equal(files(directory), [
    'kubelet-client-2026-11-23T12-00-02Z.pem',
    'kubelet-client-2026-11-23T12-00-03Z.pem',
    'kubelet-client-current.pem',
  ])
})

test('keeps the pair that was in use before also when the clock was wrong then', async (context) => {
  const { store } = await opened(context)
  await right(store.install(pair('from the future', after(noon, 1_000_000 * second))))
  await right(store.install(pair('b', noon)))
  await right(store.install(pair('c', after(noon, second))))
  assert.equal(names(await right(store.load)), ['c', 'b'])
})

test('keeps two pairs that were received in one second apart', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.install(pair('a')))
  await right(store.install(pair('b')))
  assert.ok(files(directory).includes('kubelet-client-2026-11-23T12-00-00Z-2.pem'))
  assert.equal(names(await right(store.load)), ['b', 'a'])
})

test('installs the same pair again without a third file', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.install(pair('a')))
  await right(store.install(pair('b')))
  const before = files(directory)
  await right(store.install(pair('b')))
  assert.equal(files(directory), before)
})

test('is read again when a pair or the request could not be read for a moment', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.install(pair('a')))
  await right(store.saveRequest(request('b')))
  await store.release()
  for (const operation of ['list', 'read'] as const) {
    let failures = 0
    const failing = (): void => {
      if (failures >= 3) return
      failures += 1
      throw Object.assign(new Error('i/o'), { code: 'EMFILE' })
    }
    let loading = false
    const again = await right(
      openWith({
        ...nodeFileSystem,
        [operation]: async (...args: Parameters<FileSystem[typeof operation]>) => {
          if (loading) failing()
          return Reflect.apply(nodeFileSystem[operation], undefined, args)
        },
      })({ directory }),
    )
    loading = true
    const contents = await right(again.load)
    await again.release()
    assert.is(failures, 3)
    assert.equal(names(contents), ['a'])
    assert.is(requestName(contents), 'csr-b')
  }
})

test('keeps no key of a request that cannot be read at the moment when it is over', async (context) => {
  const directory = await context.temporaryDirectory()
  let readable = true
  const unreadable = () => Promise.reject(Object.assign(new Error('i/o'), { code: 'EIO' }))
  const store = await right(
    openWith({
      ...nodeFileSystem,
      read: (path, limit, links) =>
        !readable && path.endsWith('request.json') ? unreadable() : nodeFileSystem.read(path, limit, links),
    })({ directory }),
  )
  context.defer(store.release)
  await right(store.saveRequest(request('a')))
  readable = false
  await right(store.install(pair('a')))
  assert.equal(files(directory), ['kubelet-client-2026-11-23T12-00-00Z.pem', 'kubelet-client-current.pem'])
})

test('keeps one request with its key until a pair is installed', async (context) => {
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const { directory, store } = await opened(context)
  await right(store.saveRequest(request('first')))
  await right(store.saveRequest(request('second')))
  const contents = await right(store.load)
  assert.is(requestName(contents), 'csr-second')
  assert.equal(
    contents.request._tag === 'Some' ? contents.request.value.draft : undefined,
    request('second').draft,
  )
  assert.equal(files(directory), ['kubelet-client-request.json'])
  assert.is(statSync(join(directory, 'kubelet-client-request.json')).mode & 0o777, 0o600)
  await right(store.install(pair('second')))
  assert.is(requestName(await right(store.load)), undefined)
})

test('forgets a request, and forgetting none is as well', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.saveRequest(request('first')))
  await right(store.discardRequest)
  await right(store.discardRequest)
  assert.equal(files(directory), [])
})

test('shows no key when its contents are printed', async (context) => {
  const { store } = await opened(context)
  await right(store.saveRequest(request('secret-one')))
  await right(store.install(pair('secret-two')))
  await right(store.saveRequest(request('secret-three')))
  const shown = inspect(await right(store.load), { depth: 9 })
  assert.not.match(shown, 'PRIVATE KEY')
})

test('takes no notice of being moved, and works where it is now', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.install(pair('a')))
  await store.release()
  renameSync(directory, `${directory}-moved`)
  const contents = await right(readCertificateDirectory({ directory: `${directory}-moved` }))
  assert.equal([names(contents), contents.warnings], [['a'], []])
})

test('is made again when somebody removed it', async (context) => {
  const { directory, store } = await opened(context)
  rmSync(directory, { recursive: true })
  assert.equal((await right(store.load)).warnings, [`${directory}: there is no such directory`])
  await right(store.saveRequest(request('a')))
  await right(store.install(pair('a')))
  assert.equal(names(await right(store.load)), ['a'])
  assert.is((await left(openCertificateDirectory({ directory })))._tag, 'StoreLocked')
})

test('does nothing more once it is released, and leaves no lock', async (context) => {
  const { directory, store } = await opened(context)
  await store.release()
  assert.equal(readdirSync(directory), [])
  assert.match((await left(store.install(pair('a')))).message, /released/)
  assert.match((await left(store.saveRequest(request('a')))).message, /released/)
  await right(store.load)
})

test('serves two prefixes side by side, each for itself', async (context) => {
  const { directory, store } = await opened(context)
  const serving = await right(openCertificateDirectory({ directory, prefix: 'kubelet-server' }))
  context.defer(serving.release)
  await right(store.install(pair('client')))
  await right(serving.saveRequest(request('server')))
  await right(serving.install(pair('server')))
  assert.equal(names(await right(store.load)), ['client'])
  assert.equal(names(await right(serving.load)), ['server'])
  const kubelet = await right(openCertificateDirectory({ directory, prefix: 'kubelet' }))
  context.defer(kubelet.release)
  await right(kubelet.install(pair('third')))
  assert.equal(names(await right(kubelet.load)), ['third'])
  assert.equal(names(await right(store.load)), ['client'])
})

test('refuses a prefix that would lead elsewhere', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  for (const prefix of ['', '../x', 'a/b', '.hidden', 'x'.repeat(64), 'a\nb'])
    assert.match(
      (await left(openCertificateDirectory({ directory, prefix }))).message,
      /cannot begin file names/,
    )
})

test('names path, operation and reason when it cannot be made', async ({ temporaryDirectory }) => {
  const file = join(await temporaryDirectory(), 'file')
  writeFileSync(file, '')
  const error = await left(openCertificateDirectory({ directory: join(file, 'pki') }))
  assert.is(error._tag, 'StoreUnwritable')
  assert.is(error.message, `taking the certificate directory ${file}/pki: not a directory (ENOTDIR)`)
  assert.match(error.remedy, /part of the path is a file/)
})

test('is read without a lock, and without changing anything', async (context) => {
  const { directory, store } = await opened(context)
  await right(store.install(pair('a')))
  await right(store.saveRequest(request('b')))
  const before = readdirSync(directory)
  const contents = await right(readCertificateDirectory({ directory }))
  assert.equal([names(contents), requestName(contents)], [['a'], 'csr-b'])
  assert.equal(readdirSync(directory), before)
})

test('that is not there reads as empty, with what else could serve', async ({ temporaryDirectory }) => {
  const parent = await temporaryDirectory()
  const file = join(parent, 'tls.pem')
  writeFileSync(file, pairPem('operator'), { mode: 0o600 })
  const fallbacks = [{ _tag: 'Files', certificate: file, key: file }] as const
  const contents = await right(readCertificateDirectory({ directory: join(parent, 'none'), fallbacks }))
  assert.equal(names(contents), ['operator'])
  assert.equal(contents.warnings, [`${parent}/none: there is no such directory`])
})

test('with a directory where the link should be saves and installs nothing', async (context) => {
  const { directory, store } = await opened(context)
  mkdirSync(current(directory))
  for (const change of [store.saveRequest(request('a')), store.install(pair('a'))]) {
    const error = await left(change)
    assert.is(error._tag, 'StoreUnwritable')
    assert.match(error.message, /in the place of the link to the pair in use is a directory/)
    assert.is(error.remedy, 'move it away')
  }
  assert.match(
    (await right(store.load)).warnings.join(),
    /kubelet-client-current.pem: not used: it is a directory/,
  )
  rmSync(current(directory), { recursive: true })
  await right(store.install(pair('a')))
  assert.equal(files(directory), ['kubelet-client-2026-11-23T12-00-00Z.pem', 'kubelet-client-current.pem'])
})

test('finds a key again whatever its label, and refuses at once what it would not find', async (context) => {
  const { directory, store } = await opened(context)
  const reference = secret(keyPem('a').replaceAll('EC PRIVATE KEY', 'KEY REFERENCE'))
  await right(store.saveRequest({ ...request('a'), key: reference }))
  await right(store.install({ ...pair('a'), key: reference }))
  const found = await right(readCertificateDirectory({ directory }))
  assert.equal([names(found), found.pairs[0]?.key.reveal(), found.warnings], [['a'], reference.reveal(), []])
  const unfindable = secret('slot=1')
  for (const refused of [
    await left(store.saveRequest({ ...request('b'), key: unfindable })),
    await left(store.install({ ...pair('b'), key: unfindable })),
  ])
    assert.match(refused.message, /forStorage.* would not be found again: it is no block of PEM/)
  assert.is(requestName(await right(store.load)), undefined)
})
