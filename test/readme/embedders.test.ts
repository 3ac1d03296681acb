/** The tests in the page for embedders, run by the test runners that they are written for. */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, suite, type TestContext } from '../helper/index.js'

const test = suite('page for embedders')
const root = join(import.meta.dirname, '../../..')
const page = await readFile(join(root, 'adapters/memory/README.md'), 'utf8')
const examples = [...page.matchAll(/^```mjs\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)

const written = async ({ temporaryDirectory }: TestContext, code: string): Promise<string> => {
  const folder = await temporaryDirectory()
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/kube-cert-rotation'))
  const file = join(folder, 'agent.test.mjs')
  await writeFile(file, code)
  return file
}

test('its tests with node:test pass, and are short', { deadline: 60_000 }, async (context) => {
  const code = examples.find((example) => example.includes("'node:test'")) ?? ''
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--test', await written(context, code)], {
    encoding: 'utf8',
    env,
  })
  assert.is(status, 0, stdout)
  assert.match(stdout, /pass 2\b/)
})

test('a test of it can fail', { deadline: 60_000 }, async (context) => {
  const code = examples.find((example) => example.includes("'node:test'")) ?? ''
  const broken = code.replace("_tag, 'Issued'", "_tag, 'Pending'")
  const { status } = spawnSync(process.execPath, ['--test', await written(context, broken)])
  assert.is(status, 1)
})
