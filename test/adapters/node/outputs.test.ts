import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { accessFromKubeconfig } from '../../../adapters/kubernetes/index.js'
import { outputBundle, outputDirectory, outputKubeconfig } from '../../../adapters/node/index.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { finished } from '../command-line/program.js'
import { never, succeeds } from '../kubernetes/fixture.js'
import { rotating, world } from './world.js'

const test = suite('outputs of a rotation')

/** The status that the API answers who shows what is in the directory. */
const statusWith = (directory: string, url: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const [cert, key, ca] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) =>
      readFileSync(join(directory, name)),
    )
    const path = `${url}/apis/certificates.k8s.io/v1/certificatesigningrequests`
    request(path, { cert, key, ca, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })

test('follow each renewal, and are brought in line at the next start', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const directory = join(there.folder, 'tls')
  const bundle = join(there.folder, 'bundle.pem')
  const kubeconfig = join(there.folder, 'output.kubeconfig')
  const outputs = [outputDirectory(directory), outputBundle(bundle), outputKubeconfig(kubeconfig)]
  const start = () => rotating(context, there, { outputs, policy: { submitInterval: 1_000 } })
  const rotation = await start()
  const holds = (pem: string) =>
    eventually('all outputs hold it', async () => {
      try {
        const { credential } = await succeeds(accessFromKubeconfig(kubeconfig)(never))
        const found = credential.clientCertificate
        return (
          readFileSync(join(directory, 'tls.crt'), 'utf8') === pem &&
          readFileSync(bundle, 'utf8').endsWith(pem) &&
          found._tag === 'Some' &&
          found.value.pem === pem
        )
      } catch {
        return false
      }
    })
  const first = await rotation.issued()
  await holds(first.certificate)
  assert.is(await statusWith(directory, there.plane.url), 200)
  rotation.rotateNow()
  await eventually('it is renewed', () => rotation.current()?.serialNumber !== first.serialNumber)
  await holds(rotation.current()?.certificate ?? '')
  assert.is(await statusWith(directory, there.plane.url), 200)
  await rotation.stop()

  rmSync(directory, { recursive: true })
  rmSync(bundle)
  const again = await start()
  await holds((await again.issued()).certificate)
  assert.equal(again.warned, [])
})

test('that fail delay nothing, are told, and are written once they can be', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const directory = join(there.folder, 'tls')
  mkdirSync(directory)
  writeFileSync(join(directory, 'tls.key'), 'theirs')
  const rotation = await rotating(context, there, {
    outputs: [outputDirectory(directory), { name: 'a Secret', write: () => () => new Promise(() => {}) }],
  })
  const { certificate } = await rotation.issued()
  await eventually('it is told', () =>
    rotation.warned.some((message) => /tls.key is there already/.test(message)),
  )
  rmSync(join(directory, 'tls.key'))
  await eventually('it is written', () => {
    try {
      return readFileSync(join(directory, 'tls.crt'), 'utf8') === certificate
    } catch {
      return false
    }
  })
})

test('are written by the program before it ends, with mode and owner', {
  deadline: 60_000,
}, async (context) => {
  const there = await world(context)
  const directory = join(there.folder, 'tls')
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const { code, stderr } = await finished(
    context,
    'run',
    `--bootstrap-kubeconfig=${there.bootstrapKubeconfig}`,
    `--cert-dir=${there.certDir}`,
    '--hostname-override=worker-1',
    '--once',
    `--output-dir=${directory}`,
    `--output-bundle=${join(there.folder, 'bundle.pem')}`,
    `--output-kubeconfig=${join(there.folder, 'output.kubeconfig')}`,
    '--output-mode=0640',
    `--output-owner=${uid}:${gid}`,
  )
  assert.is(code, 0, stderr)
  for (const path of [
    join(directory, 'tls.key'),
    join(there.folder, 'bundle.pem'),
    join(there.folder, 'output.kubeconfig'),
  ])
    assert.is(statSync(path).mode & 0o777, 0o640)
  assert.is(await statusWith(directory, there.plane.url), 200)
})
