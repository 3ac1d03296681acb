import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { get } from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { follow, httpsAgent } from '../../../adapters/connections/index.js'
import { askHolderOfCertificateDirectory } from '../../../adapters/filesystem/index.js'
import type { Messages } from '../../../adapters/node/channels.js'
import { openFleet } from '../../../adapters/node/index.js'
import { type Known, readSnapshot } from '../../../src/describe/snapshot.js'
import type { Problem } from '../../../src/model/codec.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { areHidden, formsOfKey, formsOfToken, keysIn } from '../../secrets/secrets.js'
import { right } from '../outcome.js'
import { rotating, world } from './world.js'

const test = suite('what a rotation tells of itself')

test('its metrics count what happened, and say how things stand', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const { states, usable, tally, client, connections } = rotation.metrics()
  assert.equal([states.Issued, usable, client.rotations], [1, 1, 1])
  assert.equal([tally.submitted, tally.installed, tally.outcomes], [1, 1, { issued: 1 }])
  assert.is(connections, undefined, 'nothing follows')
})

test('connections are counted by the certificate that they carry', { deadline: 30_000 }, async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  const following = follow(rotation)
  const agent = httpsAgent(following)
  context.defer(() => agent.destroy())
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests?watch=true'
  const request = get(`${there.plane.url}${path}`, { agent })
  request.on('error', () => {})
  context.defer(() => request.destroy())
  await eventually('it is connected', () => rotation.metrics().connections?.current === 1)
  rotation.rotateNow()
  await eventually(
    'the watch goes on with the certificate before',
    () => rotation.metrics().connections?.earlier === 1,
    { deadline: 15_000 },
  )
  request.destroy()
  await eventually('it is over', () => rotation.metrics().connections?.earlier === 0)
  following.close()
  assert.is(rotation.metrics().connections, undefined)
})

test('each kind of notice has a channel, whose messages name the rotation', async (context) => {
  const there = await world(context)
  const heard: Array<unknown> = []
  const hear = (message: unknown) => heard.push(message)
  const name: keyof Messages = 'kube-cert-rotation:transition'
  subscribe(name, hear)
  context.defer(() => unsubscribe(name, hear))
  const rotation = await rotating(context, there)
  await rotation.issued()
  const told = rotation.seen.map((transition) => ({
    rotation: { certDir: there.certDir, certPrefix: 'kubelet-client' },
    transition,
  }))
  assert.equal(heard, told)
  assert.ok(told.length > 2)
  assert.is(channel('kube-cert-rotation:step').hasSubscribers, false)
})

test('the metrics of a fleet are those of all as one, and keep what was counted of who has left', async (context) => {
  const there = await world(context)
  const fleet = openFleet()
  context.defer(fleet.stop)
  assert.is(fleet.metrics().usable, 0)
  const rotations = await Promise.all(
    ['a', 'b'].map((nodeName) =>
      fleet.start({
        nodeName,
        bootstrapKubeconfig: there.bootstrapKubeconfig,
        certDir: `${there.certDir}-${nodeName}`,
      }),
    ),
  )
  for (const rotation of rotations) await rotation.issued()
  const both = fleet.metrics()
  assert.equal([both.states.Issued, both.usable, both.tally.installed], [2, 2, 2])
  await rotations[0]?.stop()
  await eventually('it has left', () => fleet.rotations().length === 1)
  const one = fleet.metrics()
  assert.equal([one.states.Issued, one.usable, one.tally.installed], [1, 1, 2])
})

test('what it answers to other processes has its facts and no secret', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  const { serialNumber } = await rotation.issued()
  const asked = askHolderOfCertificateDirectory({ directory: there.certDir }, { ask: 'snapshot' })
  const answer = O.toUndefined(await right(asked))
  const snapshot = await right(
    TE.fromEither(E.mapLeft(({ what: message }: Problem) => ({ message }))(readSnapshot(answer))),
  )
  assert.is(snapshot.state, 'Issued')
  assert.equal(O.map(({ facts }: Known) => facts)(snapshot.known), O.some(rotation.facts()))
  assert.equal(snapshot.recent.at(-1)?.reason, 'Installed')
  const text = JSON.stringify(answer)
  assert.match(text, serialNumber)
  areHidden(
    [...formsOfToken(there.plane.bootstrapToken.reveal()), ...keysIn(there.certDir).flatMap(formsOfKey)],
    { snapshot: text },
  )
})
