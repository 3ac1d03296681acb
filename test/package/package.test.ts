/**
 * The package as its users get it: packed, looked over, installed into an empty project, and used there from
 * JavaScript, from strict TypeScript and as a program. Only by name: `npm run check:package`.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { assert, suite } from '../helper/index.js'
import { emptyProject, install, node, patience, root, run, temporaryFolder, tools } from './project.js'

const test = suite('package')

/** Those that the declarations name; what else is needed is bundled. */
const ALLOWED_DEPENDENCIES = ['fp-ts', 'io-ts']

const Manifest = t.type({
  name: t.string,
  version: t.string,
  dependencies: t.record(t.string, t.string),
  exports: t.record(t.string, t.type({ types: t.string, default: t.string })),
  bin: t.record(t.string, t.string),
  devDependencies: t.record(t.string, t.string),
})
const Packed = t.array(
  t.type({ filename: t.string, unpackedSize: t.number, files: t.array(t.type({ path: t.string })) }),
)

const decode = <A>(codec: t.Decoder<unknown, A>, json: string): A => {
  const result = codec.decode(JSON.parse(json))
  if (E.isLeft(result)) throw new Error(PathReporter.report(result).join('\n'))
  return result.right
}

const manifest = decode(Manifest, await readFile(join(root, 'package.json'), 'utf8'))
/** The optional peers that a subpath cannot do without. */
const PEERS: Readonly<Record<string, string>> = {
  './connections/grpc': '@grpc/grpc-js',
  './connections/undici': 'undici',
  './metrics/opentelemetry': '@opentelemetry/api',
  './metrics/prom-client': 'prom-client',
}
const named = (subpath: string) => `${manifest.name}${subpath.slice(1)}`
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => PEERS[subpath] === undefined)
  .map(named)
const directory = await temporaryFolder()
test.after(() => rm(directory, { recursive: true, force: true }))
/** The empty project into which the package is installed. */
const project = await emptyProject(directory, 'module')

let tarball = ''

test('depends on the few allowed packages and nothing else', () => {
  assert.equal(Object.keys(manifest.dependencies).sort(), ALLOWED_DEPENDENCIES)
})

test('packs what is bundled, its declarations, pages and the core, and nothing else', patience, () => {
  run(root, 'npm', 'run', 'prepack')
  const arguments_ = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory]
  const [packed] = decode(Packed, run(root, 'npm', ...arguments_))
  assert.ok(packed)
  tarball = join(directory, packed.filename)
  const allowed = [
    /^(?:(?:(?:src|test|adapters(?:\/[\w-]+)?)\/)?README\.md|adapters\/(?:command-line\/)?REFERENCE\.md|adapters\/command-line\/(?:RECOVERY\.md|config\.schema\.json)|CHANGELOG\.md|LICENSE|package\.json|src\/[\w/-]+\.ts)$/,
    /^(?:src\/simulator\/(?:README\.md|scenarios\/[\w-]+\.yaml)|test\/adapters\/[\w-]+\/examples\/[\w-]+\.ts)$/,
    /^dist\/(?:(?:src|adapters)\/[\w/-]+\.d\.ts|bundle\/(?:LICENSES|[\w/-]+\.js(?:\.map)?)|kube-cert-rotation\.mjs)$/,
  ]
  assert.equal(
    packed.files.map(({ path }) => path).filter((path) => !allowed.some((form) => form.test(path))),
    [],
  )
  for (const { types, default: code } of Object.values(manifest.exports)) {
    for (const file of [types, code])
      assert.ok(
        packed.files.some(({ path }) => `./${path}` === file),
        `no ${file}`,
      )
  }
  console.log(`${packed.files.length} files, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked`)
})

test('passes publint', patience, () => {
  node(root, join(tools, 'publint/src/cli.js'), 'run', tarball, '--strict')
})

test('has types that resolve for every entry (attw, ESM only)', patience, () => {
  const attw = join(tools, '@arethetypeswrong/cli/dist/index.js')
  node(root, attw, tarball, '--profile', 'esm-only', '--no-definitely-typed')
})

test('has pages whose links lead to what is packed', async () => {
  const packed = run(root, 'tar', 'tzf', tarball)
    .split('\n')
    .map((path) => path.replace('package/', ''))
  for (const page of packed.filter((path) => path.endsWith('.md')))
    for (const [, link = ''] of (await readFile(join(root, page), 'utf8')).matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(packed.includes(join(page, '..', link)), `${page} links to ${link}, which is not packed`)
})

test('installs into an empty project', patience, () => {
  install(project, '--omit=dev', tarball)
})

for (const subpath of subpaths) {
  test(`is imported as ${subpath} from JavaScript`, patience, () => {
    const script = `import * as all from '${subpath}'; if (Object.keys(all).length === 0) throw new Error('exports nothing')`
    node(project, '--input-type=module', '--eval', script)
  })
}

/** Compiles a program that imports `specifiers`, under the strictest settings, libraries included. */
const compile = async (
  name: string,
  specifiers: readonly string[],
  ...options: readonly string[]
): Promise<void> => {
  const imports = specifiers
    .map((specifier, index) => `import * as entry${index} from '${specifier}'\n`)
    .join('')
  const uses = specifiers.map((_, index) => `entry${index}`).join(', ')
  await writeFile(join(project, `${name}.ts`), `${imports}export const all: readonly object[] = [${uses}]\n`)
  const strict =
    '--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck false --noEmit'
  const modules = '--target es2023 --lib es2023 --module nodenext --verbatimModuleSyntax'
  const tsc = join(tools, 'typescript/bin/tsc')
  node(project, tsc, ...`${strict} ${modules}`.split(' '), ...options, `${name}.ts`)
}

test('compiles in strict TypeScript, with the types of every dependency checked', patience, async () => {
  await compile('everything', subpaths, '--typeRoots', join(tools, '@types'), '--types', 'node')
})

test("compiles the core without Node's types", patience, async () => {
  await compile('core', [`${manifest.name}/core`], '--typeRoots', 'none')
})

for (const [subpath, peer] of Object.entries(PEERS)) {
  test(`is imported as ${named(subpath)} once ${peer} is installed, and compiles`, patience, async () => {
    install(project, `${peer}@${manifest.devDependencies[peer]}`)
    node(project, '--input-type=module', '--eval', `import '${named(subpath)}'`)
    const options = ['--typeRoots', join(tools, '@types'), '--types', 'node']
    await compile(`with-${peer.replace(/\W/g, '-')}`, [named(subpath)], ...options)
  })
}

for (const program of Object.keys(manifest.bin)) {
  const path = join(project, 'node_modules/.bin', program)
  test(`${program} --help says how it is used`, () => {
    assert.match(run(project, path, '--help'), program)
  })
  test(`${program} --version says the version`, () => {
    assert.match(run(project, path, '--version'), manifest.version)
  })
}

test('is installed globally, and its program runs by its name', patience, async () => {
  const prefix = join(directory, 'global')
  run(
    directory,
    'npm',
    'install',
    '--global',
    '--prefix',
    prefix,
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    tarball,
  )
  assert.match(run(directory, join(prefix, 'bin/kube-cert-rotation'), '--version'), manifest.version)
  const flags = ['--kubeconfig=/etc/kubernetes/kubelet.conf', '--image=x']
  assert.match(
    run(directory, join(prefix, 'bin/kube-cert-rotation'), 'manifest', 'daemonset', ...flags),
    'kind: DaemonSet',
  )
})
