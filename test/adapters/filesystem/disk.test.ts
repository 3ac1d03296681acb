import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWith } from '../../../adapters/filesystem/directory.js'
import { nodeFileSystem } from '../../../adapters/filesystem/file-system.js'
import { openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { left, right } from '../outcome.js'
import { current, files, nameInFile, names, pair, request, requestName } from './material.js'

const test = suite('a disk of its own')

const run = (program: string, ...args: ReadonlyArray<string>): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0
const mount = (place: string): boolean => run('mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', place)

const withoutMount = ((): string | undefined => {
  const place = mkdtempSync(join(tmpdir(), 'kube-cert-rotation-mount-'))
  try {
    return mount(place) && run('umount', place) ? undefined : 'this process may not mount a file system'
  } finally {
    rmdirSync(place)
  }
})()

const disk = async ({ temporaryDirectory, defer }: TestContext): Promise<string> => {
  const place = join(await temporaryDirectory(), 'disk')
  mkdirSync(place)
  assert.ok(mount(place))
  defer(() => run('umount', '-l', place))
  return place
}

/** Fills the disk up, but for some room, and answers the way to make place again. */
const fill = (place: string, room: number): (() => void) => {
  const [ballast, spare] = [join(place, 'ballast'), join(place, 'spare')]
  writeFileSync(spare, Buffer.alloc(room))
  for (;;) {
    try {
      writeFileSync(ballast, Buffer.alloc(4096), { flag: 'a' })
    } catch {
      break
    }
  }
  rmSync(spare)
  return () => rmSync(ballast)
}

test('that is full lets no request be saved, and the pair in use stay', {
  skip: withoutMount,
}, async (context) => {
  const directory = join(await disk(context), 'pki')
  const store = await right(openCertificateDirectory({ directory }))
  context.defer(store.release)
  await right(store.install(pair('old')))
  const makePlace = fill(join(directory, '..'), 8192)
  const error = await left(store.saveRequest(request('new')))
  assert.is(error.message, `saving the request in ${directory}: no space left on device (ENOSPC)`)
  assert.match(error.remedy, 'free some space')
  assert.equal(files(directory), ['kubelet-client-2026-11-23T12-00-00Z.pem', 'kubelet-client-current.pem'])
  makePlace()
  await right(store.saveRequest(request('new')))
  await right(store.install(pair('new')))
  assert.is(nameInFile(current(directory)), 'new')
})

test('over its quota is named, although libuv has no name for that, and opened', async (context) => {
  const directory = join(await context.temporaryDirectory(), 'pki')
  const errno = -constants.errno.EDQUOT
  for (const code of [`Unknown system error ${errno}`, 'UNKNOWN']) {
    const quota = Object.assign(new Error(code), { code, errno })
    const makeDirectory = () => Promise.reject(quota)
    const store = await right(openWith({ ...nodeFileSystem, makeDirectory })({ directory }))
    context.defer(store.release)
    const error = await left(store.saveRequest(request('new')))
    assert.is(error.message, `taking the certificate directory ${directory}: disk quota exceeded (EDQUOT)`)
    assert.match(error.remedy, 'raise the quota')
  }
})

test('is opened by a process that has run out of files, and written when it has some again', async (context) => {
  const directory = await context.temporaryDirectory()
  let files = false
  const store = await right(
    openWith({
      ...nodeFileSystem,
      stat: (path) =>
        files
          ? nodeFileSystem.stat(path)
          : Promise.reject(Object.assign(new Error(), { code: 'EMFILE', errno: -constants.errno.EMFILE })),
    })({ directory }),
  )
  context.defer(store.release)
  assert.match((await left(store.saveRequest(request('new')))).message, 'too many open files (EMFILE)')
  files = true
  await right(store.install(pair('new')))
})

test('mounted read-only is read, and written once it can be', { skip: withoutMount }, async (context) => {
  const place = await disk(context)
  const directory = join(place, 'pki')
  const first = await right(openCertificateDirectory({ directory }))
  await right(first.install(pair('old')))
  await first.release()
  assert.ok(run('mount', '-o', 'remount,ro', place))
  const store = await right(openCertificateDirectory({ directory }))
  context.defer(store.release)
  const contents = await right(store.load)
  assert.equal(names(contents), ['old'])
  assert.equal(contents.warnings, [`${directory}: it can only be read: read-only file system (EROFS)`])
  const error = await left(store.saveRequest(request('new')))
  assert.is(error._tag, 'StoreUnwritable')
  assert.is(error.message, `taking the certificate directory ${directory}: read-only file system (EROFS)`)
  assert.is(error.retry, 'soon', 'the node may have no identity until somebody has looked')
  assert.ok(run('mount', '-o', 'remount,rw', place))
  await right(store.saveRequest(request('new')))
  const { warnings, ...rest } = await right(store.load)
  assert.equal([warnings, requestName({ ...rest, warnings })], [[], 'csr-new'])
  assert.is((await left(openCertificateDirectory({ directory })))._tag, 'StoreLocked')
})
