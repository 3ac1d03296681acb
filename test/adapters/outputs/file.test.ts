import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { fromFiles } from '../../../adapters/connections/index.js'
import { accessFromKubeconfig } from '../../../adapters/kubernetes/index.js'
import { outputBundle, outputKubeconfig } from '../../../adapters/outputs/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'
import { newPki } from '../connections/pki.js'
import { never, succeeds } from '../kubernetes/fixture.js'
import { authority } from '../kubernetes/pki.js'
import { left, right } from '../outcome.js'
import { certificateOf, content, keyOf } from './content.js'

const test = suite('outputs of one file')

test('a bundle is the key and the chain after it, as fromFiles reads it', async ({
  temporaryDirectory,
  defer,
}) => {
  const file = join(await temporaryDirectory(), 'new', 'bundle.pem')
  const pair = await (await newPki()).client()
  const { credential, cluster } = content('a')
  const output = outputBundle(file, { mode: 0o640 })
  await right(
    output.write({
      credential: { ...credential, pem: pair.pem, key: { _tag: 'Pem', pem: secret(pair.key) } },
      cluster,
    }),
  )
  const sources = fromFiles({ certificate: file })
  defer(sources.close)
  assert.is(O.toUndefined(sources.credentials.current())?.pem, pair.pem)
  assert.is(statSync(file).mode & 0o777, 0o640)
  await right(output.write(content('b')))
  assert.is(readFileSync(file, 'utf8'), keyOf('b') + certificateOf('b'))
  const { ino } = statSync(file)
  await right(output.write(content('b')))
  assert.is(statSync(file).ino, ino)
  assert.equal(readdirSync(join(file, '..')), ['bundle.pem'])
})

test('a kubeconfig needs no other file', async ({ temporaryDirectory }) => {
  const file = join(await temporaryDirectory(), 'kubeconfig')
  const { certificate } = authority('ca')
  const pair = await (await newPki()).client()
  const first = content('a', { ca: certificate, key: { _tag: 'Pem', pem: secret(pair.key) } })
  await right(outputKubeconfig(file).write({ ...first, credential: { ...first.credential, pem: pair.pem } }))
  const { cluster, credential } = await succeeds(accessFromKubeconfig(file)(never))
  assert.is(cluster.server, 'https://api:6443')
  assert.equal(cluster.certificateAuthority, O.some(certificate))
  assert.equal(cluster.tlsServerName, O.some('kubernetes'))
  const found = O.toUndefined(credential.clientCertificate)
  assert.is(found?.pem, pair.pem)
  assert.is(found?.key._tag === 'Pem' && found.key.pem.reveal(), pair.key)
  assert.is(statSync(file).mode & 0o777, 0o600)
  await right(outputKubeconfig(file).write(content('b', { ca: certificate })))
  assert.match(readFileSync(file, 'utf8'), Buffer.from(certificateOf('b')).toString('base64'))
})

test('a file of somebody else is not replaced', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'file')
  writeFileSync(file, 'theirs')
  for (const [output, kind] of [
    [outputBundle(file), 'a bundle of a key and its chain'],
    [outputKubeconfig(file), 'a kubeconfig that we wrote'],
  ] as const)
    assert.is(
      (await left(output.write(content('a')))).message,
      `writing the output ${file}: it is there already, and is not ${kind}`,
    )
  assert.is(readFileSync(file, 'utf8'), 'theirs')
  const link = join(directory, 'link')
  symlinkSync('file', link)
  assert.match((await left(outputBundle(link).write(content('a')))).message, 'it is a link')
  const folder = join(directory, 'folder')
  mkdirSync(folder)
  assert.match((await left(outputBundle(folder).write(content('a')))).message, 'it is a directory')
  const nowhere = { ...content('a'), cluster: O.none }
  const { message } = await left(outputKubeconfig(join(directory, 'new')).write(nowhere))
  assert.match(message, 'it is not known where the API is')
})
