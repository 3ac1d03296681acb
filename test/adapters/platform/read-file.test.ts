import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { readBounded, readBoundedNow } from '../../../adapters/platform/read-file.js'
import type { Secret } from '../../../src/model/secret.js'
import { suite } from '../../helper/index.js'

const test = suite('reading a file')

const text = E.map((content: Secret) => content.reveal())

test('gives its text, in one chunk or several, at once or later', async ({ temporaryDirectory }) => {
  const path = join(await temporaryDirectory(), 'file')
  for (const content of ['', 'short', 'ä'.repeat(100_000)]) {
    writeFileSync(path, content)
    assert.equal(text(await readBounded(path)()), E.right(content))
    assert.equal(text(readBoundedNow(path)), E.right(content))
  }
})

test('reads up to the limit, and no more', async ({ temporaryDirectory }) => {
  const path = join(await temporaryDirectory(), 'file')
  writeFileSync(path, 'x'.repeat(100))
  assert.equal(text(await readBounded(path, 100)()), E.right('x'.repeat(100)))
  const tooLong = E.left('cannot be read: it is larger than 99 bytes')
  assert.equal(await readBounded(path, 99)(), tooLong)
  assert.equal(readBoundedNow(path, 99), tooLong)
})

test('waits for nobody, and says what is there instead of a file', async ({ temporaryDirectory }) => {
  const directory = await temporaryDirectory()
  mkdirSync(join(directory, 'directory'))
  execFileSync('mkfifo', [join(directory, 'fifo')])
  const cases = [
    [join(directory, 'none'), 'cannot be read: no such file or directory (ENOENT)'],
    [join(directory, 'directory'), 'cannot be read: it is a directory'],
    [join(directory, 'fifo'), 'cannot be read: it is a FIFO'],
    ['/dev/zero', 'cannot be read: it is no regular file'],
  ] as const
  for (const [path, reason] of cases) {
    assert.equal(await readBounded(path)(), E.left(reason))
    assert.equal(readBoundedNow(path), E.left(reason))
  }
})
