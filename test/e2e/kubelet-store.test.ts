/** One certificate directory, two stores: ours and a kubelet's, by turns, interrupted, and in each other's leavings. */
import { cp, mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { assert, note, suite, type TestContext } from '../helper/index.js'
import { resolveAssets } from './assets.js'
import { createKubelet, missingKubelet } from './kubelet.js'
import { core, filesystem, ownCrypto } from './package.js'
import { createAuthority } from './pki.js'
import { currentSerial, currentTarget, kubeletsName, kubeletsPairs, mode, newPair, serial } from './stored.js'

const assets = await resolveAssets()
const test = suite(`the store of a kubelet, Kubernetes ${assets.version.text}`)
const options = { deadline: 180_000, skip: missingKubelet(assets) }

const authority = createAuthority({ commonName: 'kubernetes' })
const pairFor = (): string => newPair(authority, 'worker-1')

const succeed = async <E, A>(task: TaskEither<E, A>): Promise<A> => {
  const outcome = await task()
  if (outcome._tag === 'Left') throw new Error(JSON.stringify(outcome.left))
  return outcome.right
}

const { openCertificateDirectory, readCertificateDirectory } = await filesystem()

/** The pair that we would use, by its serial number. */
const ours = async (directory: string): Promise<string> => {
  const [pair] = (await succeed(readCertificateDirectory({ directory }))).pairs
  return pair === undefined ? none : serial(pair.pem)
}
const none = 'none'

/** Opens the directory as an agent does that starts, and stores a pair, if there is one. */
const store = async (directory: string, pem?: string): Promise<void> => {
  const { instant, secret } = await core()
  const { cryptoBackend } = await ownCrypto()
  const opened = await succeed(openCertificateDirectory({ directory }))
  if (pem !== undefined) {
    const chain = await succeed(cryptoBackend.parseChain(pem))
    const key = secret(pem.slice(pem.lastIndexOf('-----BEGIN')))
    await succeed(opened.install({ ...chain, key, receivedAt: instant(Date.now()) }))
  }
  await opened.release()
}

/** A directory with a pair of ours. */
const stored = async ({ temporaryDirectory }: TestContext) => {
  const directory = join(await temporaryDirectory(), 'pki')
  const pair = pairFor()
  await store(directory, pair)
  return { directory, pair, serialNumber: serial(pair) }
}

test('both write for their owner alone, and neither minds what the other made', options, async (context) => {
  const kubelet = createKubelet(context, assets)
  const place = await context.temporaryDirectory()
  const [we, it] = [join(place, 'we'), join(place, 'it')]
  const umask = process.umask(0)
  context.defer(() => process.umask(umask))
  await store(we, pairFor())
  await kubelet.update(it, pairFor())
  assert.equal(
    [await mode(we), await mode(await kubelet.current(we).then(({ path }) => path))],
    ['700', '600'],
  )
  assert.equal([await mode(it), await mode(await currentTarget(it))], ['755', '600'])
  const [next, last] = [pairFor(), pairFor()]
  await kubelet.update(we, next)
  await store(it, last)
  assert.equal([await ours(we), (await kubelet.current(it)).serialNumber], [serial(next), serial(last)])
  assert.equal([await mode(we), await mode(await currentTarget(we))], ['700', '600'])
  assert.equal([await mode(it), await mode(join(it, await currentTarget(it)))], ['755', '600'])
  for (const directory of [we, it])
    assert.equal((await succeed(readCertificateDirectory({ directory }))).warnings, [])
})

test(
  'wherever a kubelet is killed while it stores a pair, the old one or the new one is there, the same for both',
  options,
  async (context) => {
    const kubelet = createKubelet(context, assets)
    const place = await context.temporaryDirectory()
    const before = await stored(context)
    const pair = pairFor()
    let halfway = 0
    for (const old of [before.serialNumber, none]) {
      const killedBefore = async (point: number, name: string) => {
        const directory = join(place, `${old}-${point}-${name}`)
        if (old === none) await mkdir(directory)
        else await cp(before.directory, directory, { recursive: true, verbatimSymlinks: true })
        return { directory, ...(await kubelet.cut(point, directory, pair)) }
      }
      const { changes } = await killedBefore(0, 'never')
      // A PEM is some forty writes of a line: of those every tenth.
      const points = changes.flatMap((change, index) =>
        change === 'write' && index % 10 > 0 ? [] : [index + 1],
      )
      for (const point of points)
        for (const first of ['we', 'it']) {
          const what = `before change ${point} of ${changes.length}, a ${changes[point - 1]}; then ${first} came`
          const { directory, killed } = await killedBefore(point, first)
          assert.ok(killed, what)
          const names = await readdir(directory)
          if (names.includes('kubelet-client-updated.pem') && !names.includes('kubelet-client-current.pem'))
            halfway += 1
          const found = await ours(directory)
          assert.ok([old, serial(pair)].includes(found), what)
          if (first === 'we') await store(directory)
          const seen = await kubelet.current(directory).then(
            ({ serialNumber }) => serialNumber,
            () => none,
          )
          // Without any link a kubelet begins anew; we take the file that it had finished.
          assert.ok(seen === found || (old === none && seen === none), what)
          assert.is(await ours(directory), found, what)
          const next = pairFor()
          await kubelet.update(directory, next)
          assert.is(await ours(directory), serial(next), what)
        }
      note(`${points.length} of ${changes.length} points, with ${old === none ? 'no pair' : 'one'} before`)
    }
    assert.is(halfway, 4)
  },
)

test(
  'a link that a kubelet had not swapped in, beside one that leads nowhere, is the pair for both',
  options,
  async (context) => {
    const kubelet = createKubelet(context, assets)
    for (const first of ['we', 'it']) {
      const { directory } = await stored(context)
      const { path } = await kubelet.update(directory, pairFor())
      const [file, serialNumber] = [await currentTarget(directory), await currentSerial(directory)]
      await symlink(file, join(directory, 'kubelet-client-updated.pem'))
      await unlink(path)
      await symlink(join(directory, 'kubelet-client-2020-01-01-00-00-00.pem'), path)
      assert.is(await ours(directory), serialNumber)
      if (first === 'we') await store(directory)
      assert.is((await kubelet.current(directory)).serialNumber, serialNumber)
      assert.is(await currentTarget(directory), file)
      assert.not.ok((await readdir(directory)).includes('kubelet-client-updated.pem'))
    }
  },
)

test(
  'a copied directory, whose link has become a file that a kubelet can never replace, is repaired when we renew',
  options,
  async (context) => {
    const kubelet = createKubelet(context, assets)
    const { directory, serialNumber } = await stored(context)
    const { path } = await kubelet.current(directory)
    const text = await readFile(path)
    await unlink(path)
    await writeFile(path, text, { mode: 0o600 })
    let refusal = ''
    await kubelet.update(directory, pairFor()).catch(({ message }) => {
      refusal = message
    })
    assert.match(refusal, 'to be a symlink but it is a file')
    assert.equal([await ours(directory), await currentSerial(directory)], [serialNumber, serialNumber])

    const [next, last] = [pairFor(), pairFor()]
    await store(directory, next)
    assert.is((await kubelet.current(directory)).serialNumber, serial(next))
    await kubelet.update(directory, last)
    assert.is(await ours(directory), serial(last))
    assert.match(basename(await currentTarget(directory)), kubeletsName)
    // What it stored before it failed, and what it stored now.
    assert.ok(Object.values(await kubeletsPairs(directory)).includes(serial(last)))
  },
)
