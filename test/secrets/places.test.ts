/** Where secrets go: to the server of their kubeconfig, into files of their own, nowhere else. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openCertificateDirectory } from '../../adapters/filesystem/index.js'
import { writeKubeconfig } from '../../adapters/kubernetes/index.js'
import * as material from '../adapters/filesystem/material.js'
import { right } from '../adapters/outcome.js'
import * as answers from '../faults/answers.js'
import { openShop, startFront } from '../faults/front.js'
import { startAgent } from '../faults/world.js'
import { assert, eventually, suite } from '../helper/index.js'

const test = suite('secrets')

test('follow no redirect', { deadline: 60_000 }, async (context) => {
  const shop = await openShop()
  const { world, door, place } = await startFront(context, shop)
  // Its certificate is good for the same CA: nothing but the redirect itself speaks against it.
  const elsewhere = await startFront(context, shop)
  const location = `${elsewhere.place.server}/apis/certificates.k8s.io/v1/certificatesigningrequests`
  const agent = await startAgent(context, world, place, await context.temporaryDirectory(), 'a')
  await agent.rotation.issued()
  for (const code of [301, 302, 303, 307, 308]) {
    const from = agent.told.length
    const requests = door.seen.length
    door.set(answers.status(code, '', { headers: { location } }))
    agent.rotation.rotateNow()
    const { message } = await agent.tells('Unintelligible', from)
    assert.match(message, 'redirects are not followed')
    await eventually('it has asked', () => door.seen.length > requests)
    door.set(undefined)
    await eventually('it is renewed', () => agent.rotation.state()._tag === 'Issued')
  }
  assert.is(elsewhere.door.seen.length, 0)
})

test('are in files of mode 0600 from their first byte on, whatever the umask', {
  deadline: 60_000,
}, async (context) => {
  const before = process.umask(0)
  context.defer(() => process.umask(before))
  const { world, place } = await startFront(context, await openShop())
  const directory = await context.temporaryDirectory()
  const pki = join(directory, 'pki')
  mkdirSync(pki, { mode: 0o700 })
  const wide = new Set<string>()
  const look = () => {
    for (const name of readdirSync(pki)) {
      const stats = lstatSync(join(pki, name), { throwIfNoEntry: false })
      if (stats?.isFile() === true && (stats.mode & 0o077) !== 0)
        wide.add(`${name}: ${stats.mode.toString(8)}`)
    }
  }
  const watcher = watch(pki, look)
  context.defer(() => watcher.close())
  const agent = await startAgent(context, world, place, directory, 'a')
  await agent.rotation.issued()
  const from = agent.told.length
  agent.rotation.rotateNow()
  await agent.tells('Installed', from)
  look()
  assert.equal([...wide], [])
})

test('are not written through links that somebody put in their way', {
  deadline: 60_000,
}, async (context) => {
  const directory = await context.temporaryDirectory()
  const pki = join(directory, 'pki')
  const victim = join(directory, 'victim')
  writeFileSync(victim, 'precious')
  mkdirSync(pki, { mode: 0o700 })
  const store = await right(openCertificateDirectory({ directory: pki }))
  context.defer(store.release)
  for (const name of [
    'kubelet-client-current.pem',
    'kubelet-client-request.json',
    'kubelet-client-2026-11-23T12-00-00Z.pem',
  ])
    symlinkSync(victim, join(pki, name))
  await right(store.saveRequest(material.request('one')))
  await right(store.install(material.pair('one')))
  symlinkSync(victim, join(directory, 'kubeconfig.kube-cert-rotation.tmp'))
  symlinkSync(victim, join(directory, 'kubeconfig'))
  await right(writeKubeconfig(join(directory, 'kubeconfig'), 'kind: Config\n'))
  assert.is(readFileSync(victim, 'utf8'), 'precious')
  assert.is(statSync(victim).mode & 0o777, 0o666 & ~process.umask())
  assert.ok(existsSync(join(pki, 'kubelet-client-current.pem')))
  assert.ok(
    lstatSync(join(directory, 'kubeconfig')).isFile(),
    'a link in the place of the kubeconfig gives way to a file',
  )
})
