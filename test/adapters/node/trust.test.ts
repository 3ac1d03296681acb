import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { type RotationOptions, startRotation } from '../../../adapters/node/index.js'
import { second } from '../../../src/index.js'
import { gateway } from '../../faults/gateway.js'
import { authority, serving } from '../../faults/serving.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import { started } from '../control-plane/client.js'
import { rotating, world } from './world.js'

const test = suite('front door: the CA of client certificates', { together: 3 })

const quick = {
  submitInterval: second,
  retrySoon: { initial: 50, maximum: 50 },
  retryLater: { initial: 50, maximum: 50 },
}

/** A world with a file for CAs that is not there yet, and a rotation that minds it. */
const minding = async (context: TestContext, first?: string, options: RotationOptions = {}) => {
  const there = await world(context)
  const clientCertificateAuthority = join(there.folder, 'ca.crt')
  const supply = (pem: string) => writeFile(clientCertificateAuthority, pem)
  if (first !== undefined) await supply(first === 'its own' ? there.plane.authority() : first)
  const rotation = await rotating(context, there, {
    clientCertificateAuthority,
    policy: quick,
    ...options,
  })
  return { there, rotation, supply, clientCertificateAuthority }
}

test('takes a certificate that chains to it', async (context) => {
  const { there, rotation } = await minding(context, 'its own')
  await rotation.issued()
  assert.equal(rotation.warned, [])
  assert.is(O.toUndefined(rotation.facts().held)?.verification._tag, 'Verified')
  assert.is(there.names().length, 1)
})

test('refuses one of another CA by the same name, keeps the one in use, and takes one when the file has been corrected', async (context) => {
  const other = await started(context)
  const { there, rotation, supply } = await minding(context, 'its own')
  const before = await rotation.issued()
  await supply(other.authority())
  rotation.rotateNow()
  const defective = await eventually('it is refused', () =>
    rotation.seen.find(({ reason }) => reason === 'Defective'),
  )
  assert.match(
    defective.message,
    /does not chain to a CA in .*ca\.crt: it is not signed by CN=.*by another of this name/,
  )
  assert.is(rotation.current()?.serialNumber, before.serialNumber)
  assert.ok(there.names().length >= 2)
  await supply(other.authority() + there.plane.authority())
  await eventually('another is in use', () => rotation.current()?.serialNumber !== before.serialNumber)
})

test('asks for nothing while the file cannot be read, says so at once, and goes on when it can be', async (context) => {
  const { there, rotation, supply, clientCertificateAuthority } = await minding(context)
  const unusable = (words: string) =>
    eventually(`it says: ${words}`, () =>
      rotation.seen.find(({ reason, message }) => reason === 'TrustUnusable' && message.includes(words)),
    )
  const { message, level } = await unusable('no such file or directory (ENOENT)')
  assert.is(level, 'warn')
  for (const words of [
    clientCertificateAuthority,
    '--client-ca-file',
    'put the CAs that sign client certificates there',
  ])
    assert.match(message, words)
  assert.match(rotation.warned.join(), clientCertificateAuthority)
  await supply('nothing of the kind')
  await unusable('there is no CERTIFICATE block')
  assert.equal(there.names(), [])
  await supply(there.plane.authority())
  await rotation.issued()
  assert.is(there.names().length, 1)
})

test('goes by what the file said before when it is lost, with one warning, until it is there again', async (context) => {
  const { there, rotation, supply, clientCertificateAuthority } = await minding(context, 'its own')
  const first = await rotation.issued()
  await rm(clientCertificateAuthority)
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== first.serialNumber)
  assert.is(rotation.warned.length, 1, rotation.warned.join('\n'))
  assert.match(rotation.warned.join(), `${clientCertificateAuthority} (--client-ca-file`)
  assert.match(rotation.warned.join(), 'no such file or directory (ENOENT); what it said before serves on')
  const second = rotation.current()?.serialNumber
  await supply((await started(context)).authority())
  rotation.rotateNow()
  await eventually('the file counts again', () => rotation.seen.some(({ reason }) => reason === 'Defective'))
  assert.is(rotation.current()?.serialNumber, second)
  assert.ok(there.names().length >= 3)
})

test('goes on when whoever is warned throws', async (context) => {
  let told = 0
  const { rotation, clientCertificateAuthority } = await minding(context, 'its own', {
    onWarning: () => {
      told += 1
      throw new Error('no')
    },
  })
  const first = await rotation.issued()
  await rm(clientCertificateAuthority)
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== first.serialNumber)
  assert.is(told, 1)
})

test('leaves nobody waiting, and the directory free, when a port of the embedder’s throws', async (context) => {
  const there = await world(context)
  const trust = { source: 'here', required: true, read: () => Promise.reject(new Error('broken')) }
  const { certDir, bootstrapKubeconfig } = there
  const rotation = await startRotation({
    certDir,
    bootstrapKubeconfig,
    nodeName: 'worker-1',
    ports: { trust },
  })
  const issued = rotation.issued().then(String, String)
  assert.is(await issued, 'Error: broken')
  await (await rotating(context, there)).issued()
})

test('warns when a certificate does not chain to the CA in the kubeconfig, and not again when it is renewed', async (context) => {
  const there = await world(context)
  const front = await authority('serving-ca')
  const target = { port: Number(new URL(there.plane.url).port), ca: there.plane.authority() }
  let keyOf = (): ReturnType<Parameters<typeof gateway>[0]['keyOf']> => undefined
  const proxy = await gateway({ tls: await serving(front), target, keyOf: () => keyOf() })
  context.defer(proxy.stop)
  await writeFile(
    there.bootstrapKubeconfig,
    there.plane
      .bootstrapKubeconfig()
      .replace(there.plane.url, `https://127.0.0.1:${proxy.port}`)
      .replace(
        /certificate-authority-data: .*/,
        `certificate-authority-data: ${Buffer.from(front.pem).toString('base64')}`,
      ),
  )
  const rotation = await rotating(context, there, { policy: quick })
  keyOf = () => rotation.current()?.tls()
  const first = await rotation.issued()
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== first.serialNumber)
  assert.is(rotation.warned.length, 1, rotation.warned.join('\n'))
  assert.match(
    rotation.warned.join(),
    `certificate ${first.serialNumber} is taken, and it does not chain to a CA in kubeconfig ${there.bootstrapKubeconfig}: no CA there is called CN=`,
  )
})
