import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { codeOf } from '../../../adapters/platform/system-error.js'
import { createFile, replaceFile, temporaryOf } from '../../../adapters/platform/write-file.js'
import { suite } from '../../helper/index.js'

const test = suite('writing a file')

test('creates it for its owner alone, whatever the umask, and never through a link or over a file', async (context) => {
  const directory = await context.temporaryDirectory()
  const before = process.umask(0)
  try {
    const file = await createFile(join(directory, 'new'))
    await file.close()
  } finally {
    process.umask(before)
  }
  assert.is(statSync(join(directory, 'new')).mode & 0o777, 0o600)
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'link'))
  for (const name of ['new', 'link'])
    assert.is(await createFile(join(directory, name)).catch(codeOf), 'EEXIST', name)
  assert.not(existsSync(join(directory, 'elsewhere')))
})

test('replaces one as a whole, also where a crash left a temporary file', async ({ temporaryDirectory }) => {
  const path = join(await temporaryDirectory(), 'file')
  writeFileSync(temporaryOf(path), 'half of')
  writeFileSync(`${path}.tmp`, "somebody else's")
  await replaceFile(path, 'first')
  await replaceFile(path, 'second')
  assert.is(readFileSync(path, 'utf8'), 'second')
  assert.not(existsSync(temporaryOf(path)))
  assert.is(readFileSync(`${path}.tmp`, 'utf8'), "somebody else's")
})

test('leaves nothing behind when it cannot', async ({ temporaryDirectory }) => {
  const path = join(await temporaryDirectory(), 'none', 'file')
  assert.is(await replaceFile(path, 'text').catch(codeOf), 'ENOENT')
})
