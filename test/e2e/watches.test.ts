/** Watches and informers of embedders' programs through rotations: no event is missed, and nobody notices. */
import * as O from 'fp-ts/lib/Option.js'
import { follow, variable } from '../../adapters/connections/index.js'
import { newer } from '../adapters/connections/newer.js'
import { credential, credentialSource, type Pair } from '../adapters/connections/pki.js'
import { assert, eventually, suite } from '../helper/index.js'
import { allowWatching, type Changes, changing, WATCHERS } from './changes.js'
import { bootCluster } from './cluster.js'
import { embed, impatient } from './embedded.js'
import { runInformer } from './informer.js'
import { prepareNode } from './node.js'
import { issue } from './pki.js'
import { keepWatching, overClientNode, overHttps, type Watching } from './watching.js'

const HOUR = 60 * 60 * 1000
const patience = { deadline: 180_000 }
const soon = { deadline: 20_000 }
const stacks = [
  ['node:https', overHttps],
  ['client-node', overClientNode],
] as const

const cluster = await bootCluster()
await allowWatching(cluster)
const trust = variable(O.some(cluster.ca))

const test = suite(`watches, Kubernetes ${cluster.version.text}`)
test.after(cluster.stop)

/** A client certificate of the cluster's, good for `life` ms; `serial` is a group of its own, for the audit log. */
const pairOf = (serial: string, life = HOUR): Pair => {
  const { certificate, key } = issue(cluster.clientAuthority(), {
    commonName: 'embedder',
    organizations: [WATCHERS, serial],
    notAfter: Date.now() + life,
  })
  return { pem: certificate, key, serial }
}

/** The certificates that its watches came with, in order, as the API server saw them. */
const watchedWith = async ({ path }: Changes): Promise<readonly string[]> => {
  const watches = (await cluster.auditLog()).filter(
    ({ verb, uri }) => verb === 'watch' && uri.startsWith(path),
  )
  return watches.map(({ groups }) => groups.find((group) => /^\d+$/.test(group)) ?? '')
}

/** Waits until it is told of another change. */
const more = async ({ seen, errors }: Watching, what: string): Promise<void> => {
  const count = seen.length
  await eventually(what, () => errors.length > 0 || seen.length > count, soon)
}

/** Nothing missed, nothing twice, no error: what was seen is what was written. */
const assertWhole = async ({ seen, errors }: Watching, { written, stop }: Changes): Promise<void> => {
  await stop()
  await eventually('the last change is seen', () => errors.length > 0 || seen.includes(written.at(-1) ?? ''))
  assert.equal(errors, [])
  assert.equal(seen, written)
}

for (const [name, watch] of stacks) {
  test(
    `a watch with ${name} goes on through three rotations, each time for the grace period with the old certificate`,
    patience,
    async (context) => {
      const grace = 500
      const credentials = credentialSource(pairOf('1'))
      const following = follow({ credentials, trust }, { grace })
      const changes = await changing(cluster, context, `grace-${name.replace(':', '-')}`)
      const watching = keepWatching(context, watch(cluster, following), changes)
      context.defer(following.close)
      await more(watching, 'the watch is open')
      for (const rotation of [1, 2, 3]) {
        const at = Date.now()
        credentials.set(O.some(credential(pairOf(String(rotation + 1)))))
        await eventually('the old watch has ended', () => watching.ends.length === rotation, soon)
        assert.ok((watching.ends.at(-1) ?? 0) - at >= grace - 50, 'the grace period was cut short')
        await more(watching, 'it goes on with the new certificate')
        assert.is(following.connectionCounts().length, 1, 'no connection has the old certificate')
      }
      await assertWhole(watching, changes)
      assert.equal(await watchedWith(changes), ['1', '2', '3', '4'])
    },
  )
}

test(
  'a watch is held open across three rotations, and ends before its certificate does',
  patience,
  async (context) => {
    const first = pairOf('1', 8_000)
    const end = credential(first).certificate.notAfter
    const held = await Promise.all(
      stacks.map(async ([name, watch]) => {
        const credentials = credentialSource(first)
        const following = follow({ credentials, trust })
        context.defer(following.close)
        const changes = await changing(cluster, context, `held-${name.replace(':', '-')}`)
        const watching = keepWatching(context, watch(cluster, following), changes)
        await more(watching, 'the watch is open')
        for (const rotation of [1, 2, 3]) {
          credentials.set(O.some(credential(pairOf(String(rotation + 1)))))
          await more(watching, 'the watch goes on')
        }
        return { following, watching, changes }
      }),
    )
    for (const { following, watching, changes } of held) {
      await eventually('the old watch has ended', () => watching.ends.length > 0, soon)
      await more(watching, 'it goes on with the new certificate')
      assert.is(following.connectionCounts().length, 1, 'no connection has the old certificate')
      assert.ok((watching.ends[0] ?? end) < end, 'the connection outlived its certificate')
      await assertWhole(watching, changes)
      assert.equal(await watchedWith(changes), ['1', '4'])
    }
  },
)

test('a watch with client-node follows the certificates of a rotation', patience, async (context) => {
  const node = await prepareNode(cluster)
  const rotation = await embed(context, node, impatient)
  await rotation.issued()
  const following = follow({ credentials: rotation.credentials, trust }, { grace: 100 })
  context.defer(following.close)
  const changes = await changing(cluster, context, 'rotation')
  const watching = keepWatching(context, overClientNode(cluster, following), changes)
  await more(watching, 'the watch is open')
  const serials = new Set([rotation.current()?.serialNumber])
  await rotation.next('Installed')
  for (const renewal of [1, 2, 3]) {
    rotation.rotateNow()
    await rotation.next('Installed')
    serials.add(rotation.current()?.serialNumber)
    await eventually('the old watch has ended', () => watching.ends.length === renewal, soon)
    await more(watching, 'it goes on with the new certificate')
    assert.is(following.connectionCounts().length, 1, 'no connection has the old certificate')
  }
  await assertWhole(watching, changes)
  assert.is(serials.size, 4)
})

const programs = [
  ['1.x', 1, process.execPath],
  ['2.x', 2, newer._tag === 'WithNode' ? newer.node : process.execPath],
] as const
for (const [name, version, node] of programs) {
  const skip = version === 2 && newer._tag === 'Missing' ? newer.why : undefined
  test(`an informer of client-node ${name} runs through ten rotations and misses no event`, {
    ...patience,
    skip,
  }, async (context) => {
    const namespace = `informer-${version}`
    const changes = await changing(cluster, context, namespace)
    const pairs = Array.from({ length: 11 }, (_, index) => pairOf(String(index)))
    const caData = Buffer.from(cluster.ca).toString('base64')
    const setup = { version, url: cluster.url, caData, namespace, pairs }
    const { seen, errors, connects } = await runInformer(context, node, setup, async () => {
      await changes.stop()
      return changes.written.at(-1) ?? ''
    })
    assert.equal(errors, [])
    assert.is(connects, 11)
    assert.equal(
      await watchedWith(changes),
      pairs.map(({ serial }) => serial),
    )
    // It began with a list, of which it was told the state at that time.
    const written = [changes.from, ...changes.written]
    assert.equal(seen, written.slice(written.indexOf(seen[0] ?? '')))
    assert.ok(seen.length > 30, `it saw ${seen.length} of ${written.length} changes`)
  })
}
