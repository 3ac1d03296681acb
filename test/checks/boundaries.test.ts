import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assert, suite, type TestContext } from '../helper/index.js'
import { boundaryFindings } from './boundaries.js'

const test = suite('boundaries')

/** The findings in a tree of the given files. */
const check = async ({ temporaryDirectory }: TestContext, files: Readonly<Record<string, string>>) => {
  const root = await temporaryDirectory()
  const tree = {
    'package.json': '{ "dependencies": { "fp-ts": "1", "io-ts": "1", "@scope/name": "1" } }',
    'src/empty.ts': '',
    'adapters/memory/empty.ts': '',
    ...Object.fromEntries(
      Object.keys({ 'src/empty.ts': '', ...files })
        .filter((file) => file.startsWith('src/'))
        .map((file) => [`dist/${file.replace('.ts', '.d.ts')}`, '']),
    ),
    ...files,
  }
  for (const [file, text] of Object.entries(tree)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  return boundaryFindings(root)
}

test('finds nothing to object to in this tree', () => {
  assert.equal(boundaryFindings(join(import.meta.dirname, '../../..')), [])
})

test('lets the core import fp-ts, io-ts and itself, in every form', async (context) => {
  const text = `
    import * as E from 'fp-ts/lib/Either.js'
    import * as t from 'io-ts'
    import { type A, B as C } from './b/c.js'
    export type { D } from './b/c.js'
    type F = import("./b/c.js").D
    // import fs from 'node:fs', Date.now(), Math.random()
    const text = \`from 'node:fs' \${{ a: "from 'node:fs'" }.a} Date.now()\`, pattern = /'Date.now()/, later = new Date(0)
    const wired = (ports: Ports) => ports.crypto.generateKey(), key = ({ crypto }: Ports) => crypto.generateKey`
  assert.equal(await check(context, { 'src/a.ts': text, 'src/b/c.ts': "import '../a.js'" }), [])
})

test('lets adapters import the core, themselves, Node and runtime dependencies', async (context) => {
  assert.equal(
    await check(context, {
      'adapters/kubernetes/a.ts': `import '../../src/a.js'; import './b.js'; import '../connections/c.js'; import 'node:fs'; import '@scope/name/x'`,
      'adapters/node/a.ts':
        "import '../memory/a.js'; import { now } from '../kubernetes/a.js'; Buffer.from('x'); Date.now()",
    }),
    [],
  )
})

/** File, text, and what the one finding must say after the file's name. */
const forbidden: readonly (readonly [string, string, string])[] = [
  ['src/a.ts', "import { readFile } from 'node:fs'", ':1 imports node:fs;'],
  ['src/a.ts', "\n\nimport fs from 'fs'", ':3 imports fs;'],
  ['src/a.ts', "import {\n  pipe,\n} from 'fp-ts'", ':3 imports fp-ts; import fp-ts by module'],
  ['src/a.ts', "import { pipe } from 'fp-ts/function'", 'import fp-ts by module'],
  ['src/a.ts', "import * as D from 'fp-ts/lib/Date.js'", 'effects'],
  ['src/a.ts', "import type { X } from '../adapters/memory/empty.js'", 'nothing outside src/'],
  ['src/a/b.ts', "export * from '../../adapters/memory/empty.js'", 'nothing outside src/'],
  ['src/a.ts', "export const load = () => import('yaml')", 'imports yaml;'],
  ['src/a.ts', "export type A = import('node:tls').TLSSocket", 'imports node:tls;'],
  ['src/a.ts', 'export const load = (name: string) => import(name)', 'computed'],
  ['src/a.ts', '/// <reference types="node" />', 'reference directive'],
  ['src/a.ts', 'export const a = `$' + '{Date.now()}`', 'reads the clock'],
  ['src/a.ts', 'export const a = () => new Date()', 'reads the clock'],
  ['src/a.ts', 'export const a = () => +new Date', 'reads the clock'],
  ['src/a.ts', 'export const a = () => Math.random()', 'is random'],
  ['src/a.ts', 'export const a = () => crypto.randomUUID()', 'is random'],
  ['src/a.ts', 'export const a = () => setTimeout(() => {}, 1)', 'is a timer'],
  ['src/a.ts', "export const a = () => process.env['A']", 'is the outside world'],
  ['src/a.ts', 'export const a = () => globalThis', 'is the outside world'],
  ['src/a.ts', 'export const a = (at: Date) => at.getHours()', 'zone or language'],
  ['src/a.ts', 'export const a: Promise<void> = new Promise(() => {})', 'when the module is loaded'],
  ['src/a.ts', 'export const a =\n  Promise.resolve()', 'when the module is loaded'],
  ['src/a.ts', 'await a()', 'when the module is loaded'],
  ['src/a.ts', 'let cache = 0', 'state of the module'],
  ['dist/src/empty.d.ts', 'export declare const a: Buffer', ':1 names a Node type'],
  ['dist/src/empty.d.ts', 'export declare const a: () => Promise<void>', ':1 gives a bare promise away'],
  ['dist/src/empty.d.ts', "export declare const a: import('node:tls').TLSSocket", 'names a Node type'],
  ['adapters/kubernetes/a.ts', "import '../filesystem/a.js'", 'may not know adapters/filesystem'],
  ['adapters/connections/a.ts', "import '../kubernetes/a.js'", 'may not know adapters/kubernetes'],
  ['adapters/memory/a.ts', `import '../../test/${'helper'}/index.js'`, 'nothing else of this tree'],
  ['adapters/memory/a.ts', "import fs from 'fs'", 'no runtime dependency'],
  ['adapters/memory/a.ts', "import 'fast-check'", 'no runtime dependency'],
  ['adapters/memory/a.ts', "import { pipe } from 'fp-ts'", 'import fp-ts by module'],
]

for (const [file, text, objection] of forbidden) {
  test(`objects to ${JSON.stringify(text)} in ${file}`, async (context) => {
    const findings = await check(context, { [file]: text })
    assert.is(findings.length, 1, findings.join('\n'))
    assert.ok(findings[0]?.startsWith(`${file}:`) && findings[0].includes(objection), findings[0] ?? '')
  })
}

test('objects to a core that was not built', async (context) => {
  const root = await context.temporaryDirectory()
  for (const folder of ['src', 'adapters']) await mkdir(join(root, folder))
  await writeFile(join(root, 'package.json'), '{ "dependencies": {} }')
  await writeFile(join(root, 'src/a.ts'), '')
  assert.match(boundaryFindings(root).join('\n'), 'dist/src/a.d.ts:1 is missing')
})
