/** What an earlier version left on disk is read by this one. `0.1.0/` is what that version wrote, byte for byte. */
import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { openCertificateDirectory, readCertificateDirectory } from '../../adapters/filesystem/index.js'
import { finished } from '../adapters/command-line/program.js'
import { assert, suite } from '../helper/index.js'

const test = suite('formats of earlier versions')
const written = join(import.meta.dirname, '../../../test/formats/0.1.0')
const request = 'kubelet-client-request.json'

test('a saved request is taken up, with its key', async (context) => {
  const directory = await context.temporaryDirectory()
  await copyFile(join(written, 'saved-request.txt'), join(directory, request))
  await chmod(join(directory, request), 0o600)
  const contents = await readCertificateDirectory({ directory })()
  if (E.isLeft(contents) || O.isNone(contents.right.request)) throw new Error(JSON.stringify(contents))
  const { draft, key } = contents.right.request.value
  assert.match(draft.name, /^csr-[0-9a-f]{32}$/)
  assert.is(draft.template.commonName, 'system:node:worker-1')
  assert.match(draft.pem, /^-----BEGIN CERTIFICATE REQUEST-----/)
  assert.match(key.reveal(), /PRIVATE KEY/)
  assert.equal(contents.right.warnings, [])
})

test('an event log is replayed, and decided as it was', async (context) => {
  const { code, stdout, stderr } = await finished(context, 'replay', join(written, 'events.txt'))
  assert.is(code, 0, stderr)
  assert.match(stdout, '5 lines: what was decided is what this version decides')
})

test('the lock of a process that died is no obstacle, and goes', async (context) => {
  const directory = await context.temporaryDirectory()
  const lock = 'kubelet-client.lock-0123456789abcdef'
  await writeFile(join(directory, lock), '')
  const opened = await openCertificateDirectory({ directory })()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  context.defer(opened.right.release)
  assert.not((await readdir(directory)).includes(lock))
})
