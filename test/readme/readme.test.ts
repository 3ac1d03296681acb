/**
 * The examples of README.md and of the pages that it points to, run: each `js` and `ts` block as a module of its own, against a control plane, with the paths
 * of the example replaced by temporary ones. `kube-cert-rotation` lines of `sh` blocks are read by the program's own readers.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { configFrom } from '../../adapters/command-line/config-file.js'
import { readControlPlane } from '../../adapters/command-line/control-plane.js'
import { explainFlags, readExplain } from '../../adapters/command-line/explain.js'
import { manifestFlags, readManifest } from '../../adapters/command-line/manifest/manifest.js'
import { readRunOrConfig } from '../../adapters/command-line/run-request.js'
import { readSimulate } from '../../adapters/command-line/simulate.js'
import { readStatus } from '../../adapters/command-line/status.js'
import { readReload } from '../../adapters/command-line/steer.js'
import { finishedHere, printedBy, programHere } from '../adapters/command-line/in-process.js'
import { rotating, world } from '../adapters/node/world.js'
import { assert, eventually, suite } from '../helper/index.js'

const test = suite('pages')
const root = join(import.meta.dirname, '../../..')
/** Every page, by its path. */
const pages = new Map<string, string>()
for (const page of [
  'adapters/command-line/RECOVERY.md',
  ...[
    '',
    'src',
    'src/simulator',
    'adapters',
    'adapters/command-line',
    'adapters/connections',
    'adapters/metrics',
    'adapters/memory',
    'test',
  ].map((folder) => join(folder, 'README.md')),
])
  pages.set(page, await readFile(join(root, page), 'utf8'))

/** The code in the blocks of a language, and the page and heading that each stands under. */
const blocks = (language: string): ReadonlyArray<{ readonly heading: string; readonly code: string }> => {
  const found: Array<{ heading: string; code: string }> = []
  for (const [page, text] of pages) {
    let heading = ''
    for (const [, title, fence, code] of text.matchAll(/^##? (.*)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
      if (title !== undefined) heading = `${page}, ${title}`
      if (fence === language && code !== undefined) found.push({ heading, code })
    }
  }
  return found
}

/** A project beside which the package is, as an embedder has it. */
const project = async (folder: string): Promise<string> => {
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  await symlink(root, join(modules, 'kube-cert-rotation'))
  for (const name of ['fp-ts', 'undici', '@kubernetes', '@types'])
    await symlink(join(root, 'node_modules', name), join(modules, name))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** What ends a short example, which leaves its rotation running. */
const ending = (code: string): string =>
  /\bsignal\b|chainFirstTaskK|fleet\.stop/.test(code) ? '' : '\nawait rotation.stop()\n'

for (const language of ['js', 'ts'])
  for (const [index, { heading, code }] of blocks(language).entries())
    test(`the ${language} example ${index + 1} under "${heading}" does what it says`, {
      deadline: 20_000,
    }, async (context) => {
      const there = await world(context)
      const folder = await project(await context.temporaryDirectory())
      const placed = code
        .replaceAll('/etc/kubernetes/bootstrap-kubelet.conf', there.bootstrapKubeconfig)
        .replaceAll('/var/lib/kubelet/pki', there.certDir)
        .replaceAll(/\/etc\/\w+\/(tls|agent\.pem|agent\.conf)/g, `${there.folder}/$1`)
      assert.not.match(placed, /'\/(etc|var)\//)
      // An fp-ts example is a value: nothing has happened yet.
      const [, task] = /^const (\w+) = pipe\(/m.exec(placed) ?? []
      const run = task === undefined ? '' : `console.log(await ${task}())\n`
      const file = join(folder, `example.${language}`)
      await writeFile(file, placed + ending(code) + run)
      const example = language === 'js' ? file : compiled(folder, file)
      const { stdout, stderr } = await printedBy(async () => {
        await import(pathToFileURL(example).href)
        return 0
      })
      // What is asked of the API is answered: a node may list requests, and there is its own.
      const expected = /\b(httpsAgent|dispatcher|kubeConfig)\(follow\(/.test(code)
        ? /^(200: )?worker-1 sees 1 request$/m
        : task === undefined
          ? /worker-1|Issued/
          : /right: 'system:node:worker-1'/
      assert.match(stdout, expected)
      assert.is(stderr, '')
      if (code.includes('outputs:'))
        for (const name of ['tls/tls.key', 'agent.pem', 'agent.conf'])
          assert.match(await readFile(join(there.folder, name), 'utf8'), /PRIVATE KEY|client-key-data/)
      const nodes = new Set(code.match(/worker-\d/g))
      assert.is(there.names().length, nodes.size)
    })

/** Compiles strictly; the JavaScript that comes of it. */
const compiled = (folder: string, file: string): string => {
  const flags = '--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --types node'
  const modules = '--target es2023 --module nodenext --outDir'
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, ...`${flags} ${modules}`.split(' '), join(folder, 'out'), file]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  assert.is(status, 0, stdout)
  return join(folder, 'out', 'example.js')
}

test('its example of status is what status prints', async (context) => {
  const there = await world(context)
  const rotation = await rotating(context, there)
  await rotation.issued()
  await rotation.stop()
  const { stdout } = await finishedHere('status', '--cert-dir', there.certDir)
  const example = blocks('text').find(({ code: text }) => text.startsWith('state '))
  // Numbers, times and the name of the CA are its own.
  const shape = (text: string) =>
    text
      .replace(/^(certificate|issuer) +.*/gm, '$1')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
      .replace(/due in .*?,/, 'due in DURATION,')
  assert.is(shape(stdout), shape(example?.code ?? ''))
})

const readers: Readonly<Record<string, (args: ReadonlyArray<string>) => E.Either<unknown, unknown>>> = {
  run: readRunOrConfig,
  manifest: readManifest,
  status: readStatus,
  explain: readExplain,
  'control-plane': readControlPlane,
  reload: readReload,
  simulate: readSimulate,
}

test('the example of --config is read, its schema is there, and it says what the text says of it', async () => {
  const [example = ''] = blocks('yaml')
    .map(({ code }) => code)
    .filter((code) => code.includes('RotationConfiguration'))
  const read = configFrom('/etc/config.yaml', example)
  if (E.isLeft(read)) throw new Error(read.left.join('\n'))
  const [, path = ''] =
    /^# yaml-language-server: \$schema=node_modules\/kube-cert-rotation\/(.*)$/m.exec(example) ?? []
  assert.ok(existsSync(join(root, path)), path)
  const certificates = read.right.certificates.map(({ name, prefix, asker }) => [name, prefix, asker])
  assert.equal(certificates, [
    ['client', 'kubelet-client', undefined],
    ['serving', 'kubelet-server', 'client'],
    ['mesh', 'kubelet-client', 'client'],
  ])
})

test('the example of --config runs', { deadline: 60_000 }, async (context) => {
  const node = hostname().toLowerCase()
  const there = await world(context, { nodes: [{ name: node, addresses: ['192.0.2.5'] }] })
  const [example = ''] = blocks('yaml')
    .map(({ code }) => code)
    .filter((code) => code.includes('RotationConfiguration'))
  const file = join(there.folder, 'config.yaml')
  const placed = example
    .replace('/etc/kubernetes/bootstrap-kubelet.conf', there.bootstrapKubeconfig)
    .replaceAll(/\/(etc|var)\/[\w/-]+(\.conf)?/g, (path) => join(there.folder, path.replaceAll('/', '_')))
    .replace(':9090', '127.0.0.1:0')
    .replace('[systemctl, reload, nginx]', '[touch, nginx]')
    .replace('30s', '10s')
  await writeFile(file, `${placed}`)
  const running = programHere(context, 'run', `--config=${file}`)
  await eventually(
    'client and serving are there, and mesh waits for its signer',
    () =>
      [
        'client: Issued: stored and in use',
        'serving: Issued: stored and in use',
        'mesh: Bootstrapping → Pending',
      ].every((line) => running.stdout().includes(line)) || undefined,
    { deadline: 30_000 },
  )
  running.kill('SIGTERM')
  assert.is((await running.ended).code, 0)
})

test('its command lines are ones that the program understands', () => {
  const lines = blocks('sh')
    .flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith('kube-cert-rotation '))
  assert.ok(lines.length >= 3)
  for (const line of lines) {
    // Words as a shell has them, of which the pages have quotes alone.
    const words = line.match(/(?:[^\s']|'[^']*')+/g) ?? []
    const [, command = '', ...args] = words.map((word) => word.replaceAll("'", ''))
    const outcome = readers[command]?.(args)
    assert.ok(outcome !== undefined && E.isRight(outcome), `${line}: ${JSON.stringify(outcome)}`)
  }
})

test('its flags are flags that the program has', async () => {
  const { runFlags } = await import('../../adapters/command-line/run-flags.js')
  const { statusFlags } = await import('../../adapters/command-line/status.js')
  const { controlPlaneFlags } = await import('../../adapters/command-line/control-plane.js')
  const { replayFlags } = await import('../../adapters/command-line/replay.js')
  const { simulateFlags } = await import('../../adapters/command-line/simulate.js')
  const { rotateFlags } = await import('../../adapters/command-line/steer.js')
  const known = [
    runFlags,
    statusFlags,
    explainFlags,
    replayFlags,
    controlPlaneFlags,
    simulateFlags,
    rotateFlags,
    manifestFlags,
  ].flatMap((flags) => Object.keys(flags))
  // Flags of other programs that it speaks of.
  const others = ['help', 'write', 'experimental-vm-modules', 'kube-api-qps', 'ttl', 'client-name']
  for (const [page, text] of pages)
    for (const [, flag = ''] of text.matchAll(/`[^`\n]*?--([a-z][a-z-]+)/g))
      assert.ok([...known, ...others].includes(flag), `${page}: --${flag}`)
})

test('its links lead to files and headings that are there', () => {
  const anchors = (text: string) =>
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    )
  for (const [page, text] of pages)
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(join(root, file)), `${page} points to ${target}`)
      if (anchor !== undefined)
        assert.ok(anchors(pages.get(file) ?? '').includes(anchor), `${page} points to ${target}`)
    }
})
