import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assert, suite } from '../helper/index.js'
import { filesOfTree, packageHosts, treeFindings } from './tree.js'

const test = suite('tree')
const root = join(import.meta.dirname, '../../..')
const files = filesOfTree(root)

test('has nothing lying about', {
  skip: files ? undefined : 'this copy has no git to list its files',
}, () => {
  assert.equal(treeFindings(root, files ?? [], packageHosts()), [])
})

/** File, text, and what the one finding must say. */
const forbidden: readonly (readonly [string, string, string])[] = [
  ['test/a.ts', 'const a: any = 1', ':1 has the type any'],
  ['test/a.ts', 'const a = new Map<string, any>()', 'the type any'],
  ['test/a.ts', '\n// @ts-ignore', ':2 silences the compiler'],
  ['src/a.ts', '/* c8 ignore next */', 'hides code from coverage'],
  ['src/a.ts', '/* istanbul ignore if */', 'hides code from coverage'],
  ['test/a.ts', "test.only('a', () => {})", 'runs only some tests'],
  ['adapters/a/b.ts', '// TODO: later', 'has a TODO'],
  ['src/a.ts', 'const a = b as string', 'asserts a type'],
  ['adapters/a/b.ts', 'const a = b as unknown as { c: 1 }', 'asserts a type'],
  ['README.md', 'fetch it from https://packages.example.test/x', 'README.md:1 names the host'],
  [
    'package-lock.json',
    `{ "resolved": "https://elsewhere.example.test/a.tgz" }`,
    'says where a package was fetched',
  ],
]

for (const [file, text, objection] of forbidden) {
  test(`objects to ${JSON.stringify(text)} in ${file}`, async ({ temporaryDirectory }) => {
    const directory = await temporaryDirectory()
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await writeFile(join(directory, file), text)
    const findings = treeFindings(directory, [file], ['packages.example.test'])
    assert.ok(findings.length > 0)
    for (const finding of findings) assert.match(finding, objection)
  })
}

test('lets pass what only looks like it', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'src'))
  const text = `
    import * as A from './a.js'
    import { a as b, type C as D } from './a.js'
    export { b as e }
    export type { D as F } from './a.js'
    // any key will do, as usual
    export const list = ['a as b', 'any'] as const, some = E.any(list)`
  await writeFile(join(directory, 'src/a.ts'), text)
  assert.equal(treeFindings(directory, ['src/a.ts'], []), [])
})

test('finds out from where this machine takes its packages', () => {
  for (const host of packageHosts()) assert.match(host, /^[\w.:-]+$/)
})
