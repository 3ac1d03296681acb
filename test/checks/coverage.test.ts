import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assert, suite, type TestContext } from '../helper/index.js'
import { readSources } from './source.js'

const test = suite('coverage')
const root = join(import.meta.dirname, '../../..')

test('sees every module of the core, also one that no other test imports', async () => {
  for (const { file } of readSources(root, 'src')) {
    await import(pathToFileURL(join(root, 'dist', file.replace(/\.ts$/, '.js'))).href)
  }
})

/** What `npm run coverage` says of a core with two functions, of which a test runs `calls`. */
const measure = async ({ temporaryDirectory }: TestContext, calls: string) => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'src'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  await writeFile(
    join(directory, 'src/a.ts'),
    'export const one = (): number => 1\nexport const choose = (yes: boolean): string => {\n  if (yes) return "yes"\n  return "no"\n}\n',
  )
  await writeFile(join(directory, 'calls.js'), `import { choose, one } from './dist/src/a.js'\n${calls}`)
  const options = ['--rootDir', '.', '--outDir', 'dist', '--sourceMap', '--module', 'nodenext', '--types', '']
  const run = (tool: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
      cwd: directory,
      encoding: 'utf8',
    })
  const build = run('typescript/bin/tsc', ...options, 'src/a.ts')
  assert.is(build.status, 0, build.stdout)
  return run('c8/bin/c8.js', '--config', join(root, '.c8rc.json'), process.execPath, 'calls.js')
}

test('is complete when every function, branch and line ran', async (context) => {
  const { status, stdout } = await measure(context, 'one(); choose(true); choose(false)')
  assert.is(status, 0, stdout)
  assert.match(stdout, /a\.ts +\| +100 \| +100 \| +100 \| +100/)
})

test('counts a function that is never called as missing', async (context) => {
  const { status, stdout, stderr } = await measure(context, 'choose(true); choose(false)')
  assert.is(status, 1, stdout)
  assert.match(stderr, 'Coverage for functions (50%)')
})

test('counts a branch that is never taken as missing', async (context) => {
  const { status, stdout, stderr } = await measure(context, 'one(); choose(false)')
  assert.is(status, 1, stdout)
  assert.match(stderr, 'Coverage for branches')
})
