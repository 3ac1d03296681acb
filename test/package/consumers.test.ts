/**
 * The package in other people's projects: CommonJS, TypeScript that compiles to it, bundlers, jest. What they are told to
 * do is in adapters/README.md.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { assert, suite } from '../helper/index.js'
import { emptyProject, install, node, patience, root, run, temporaryFolder, tools } from './project.js'

const test = suite('package, in a project')
const folder = await temporaryFolder()
test.after(() => rm(folder, { recursive: true, force: true }))
const project = await emptyProject(folder, 'commonjs')
const file = (name: string): string => join(project, name)

/** A program that gets a certificate by the machine's own adapters in memory, and says so. */
const program = `
  const rotation = await startRotation({ nodeName: 'worker-1', certDir: 'pki', ports: { requests: { submit: fails, observe: fails, probe: fails } } })
  console.log(rotation.state()._tag, rotation.policy.rotate === defaultPolicy.rotate)
  await rotation.stop()`
const fails = `const fails = () => async () => ({ _tag: 'Left', left: { _tag: 'Unreachable', retry: 'soon', message: '-', remedy: '-' } })`
const imports = `import { startRotation, defaultPolicy } from 'kube-cert-rotation'`
const expected = 'Bootstrapping true\n'

test('is installed from the tarball', patience, () => {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  install(project, join(folder, run(root, 'npm', ...pack).trim()))
})

test('is what require gives, each subpath with the same modules', async () => {
  const requires = `const { startRotation, defaultPolicy } = require('kube-cert-rotation')
    if (require('kube-cert-rotation/core').defaultPolicy !== defaultPolicy) throw new Error('another module')`
  await writeFile(file('required.js'), `${requires}\n${fails}\n;(async () => {${program}\n})()`)
  assert.is(node(project, 'required.js'), expected)
})

const tsc = (module: string): string => {
  const flags = '--strict --skipLibCheck false --target es2023 --lib es2023 --types node --typeRoots'
  const args = [...flags.split(' '), join(tools, '@types'), '--module', module, 'typed.ts']
  return node(project, join(tools, 'typescript/bin/tsc'), ...args)
}

test('is imported by TypeScript that compiles to CommonJS, with "module": "nodenext"', patience, async () => {
  const typed = `${imports}\nconst rotate: boolean = defaultPolicy.rotate\nconsole.log(typeof startRotation, rotate)`
  await writeFile(file('typed.ts'), typed)
  tsc('nodenext')
  assert.match(await readFile(file('typed.js'), 'utf8'), /require\("kube-cert-rotation"\)/)
  assert.is(node(project, 'typed.js'), 'function true\n')
})

test('is refused by TypeScript with "module": "node16", which has import() instead', patience, async () => {
  assert.throws(() => tsc('node16'), /TS1479/)
  const typed = `const start = async () => (await import('kube-cert-rotation')).startRotation\nstart().then((it) => console.log(typeof it))`
  await writeFile(file('typed.ts'), typed)
  tsc('node16')
  assert.is(node(project, 'typed.js'), 'function\n')
})

const bundle = async (name: string, code: string, options: BuildOptions): Promise<string> => {
  const stdin = { contents: code, resolveDir: project }
  await build({ stdin, bundle: true, platform: 'node', outfile: file(name), logLevel: 'silent', ...options })
  return readFile(file(name), 'utf8')
}

test('is bundled by esbuild, to ES modules and to CommonJS', patience, async () => {
  await bundle('bundled.mjs', `${imports}\n${fails}\n${program}`, { format: 'esm' })
  assert.is(node(project, 'bundled.mjs'), expected)
  await bundle('bundled.cjs', `${imports}\n${fails}\n;(async () => {${program}\n})()`, { format: 'cjs' })
  assert.is(node(project, 'bundled.cjs'), expected)
})

test('leaves out of a bundle what is not used', patience, async () => {
  const options: BuildOptions = { format: 'esm', minify: true }
  const all = await bundle('all.mjs', `export * from 'kube-cert-rotation'`, options)
  const one = await bundle('one.mjs', `export { rfc3339 } from 'kube-cert-rotation/core'`, options)
  assert.ok(one.length < all.length / 10, `${one.length} of ${all.length} characters are left`)
  const decide = await bundle('core.mjs', `export { decide } from 'kube-cert-rotation/core'`, options)
  assert.not.match(decide, /node:|yaml|asn1/i)
  assert.ok(decide.length < all.length / 4, `${decide.length} of ${all.length} characters are left`)
})

test('is bundled by rollup', patience, async () => {
  install(project, 'rollup@4', '@rollup/plugin-node-resolve@16')
  await writeFile(file('entry.mjs'), `${imports}\n${fails}\n${program}`)
  const resolve = ['--plugin', 'node-resolve={exportConditions:["node"]}']
  const out = ['--format', 'es', '--file', 'rolled.mjs', '--inlineDynamicImports', '--silent']
  node(project, 'node_modules/rollup/dist/bin/rollup', 'entry.mjs', ...resolve, ...out)
  assert.is(node(project, 'rolled.mjs'), expected)
})

test(
  'is imported in vitest, where the test of the page for embedders passes, and can fail',
  patience,
  async () => {
    install(project, 'vitest@4')
    const page = await readFile(join(import.meta.dirname, '../../../adapters/memory/README.md'), 'utf8')
    const code = [...page.matchAll(/^```mjs\n([\s\S]*?)^```$/gm)]
      .map(([, example = '']) => example)
      .find((example) => example.includes("from 'vitest'"))
    if (code === undefined) throw new Error('the page has no test for vitest')
    await writeFile(file('page.spec.mjs'), code)
    assert.match(node(project, 'node_modules/vitest/vitest.mjs', 'run', 'page.spec.mjs'), /1 passed/)
    const broken = code.replace("toBe('Pending')", "toBe('Issued')")
    assert.is.not(broken, code)
    await writeFile(file('broken.spec.mjs'), broken)
    assert.throws(() => node(project, 'node_modules/vitest/vitest.mjs', 'run', 'broken.spec.mjs'), /1 failed/)
  },
)

test(
  'is imported in jest with --experimental-vm-modules, also by import() in CommonJS',
  patience,
  async () => {
    install(project, 'jest@30')
    const jest = (name: string) =>
      node(project, '--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--testMatch', `**/${name}`)
    const body = `expect(typeof startRotation).toBe('function')`
    await writeFile(file('it.jest.mjs'), `${imports}\ntest('imports', () => ${body})`)
    jest('it.jest.mjs')
    const imported = `const { startRotation } = await import('kube-cert-rotation')`
    await writeFile(file('it.jest.js'), `test('imports', async () => { ${imported}; ${body} })`)
    jest('it.jest.js')
  },
)
