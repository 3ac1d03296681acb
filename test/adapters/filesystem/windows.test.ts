import * as E from 'fp-ts/lib/Either.js'
import { openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('certificate directory on Windows')

test('says that it cannot be locked there, and what to do', async (context) => {
  const directory = await context.temporaryDirectory()
  const { platform } = process
  Object.defineProperty(process, 'platform', { value: 'win32' })
  context.defer(async () => {
    Object.defineProperty(process, 'platform', { value: platform })
  })
  const opened = await openCertificateDirectory({ directory })()
  const { message, remedy } = E.isLeft(opened) ? opened.left : { message: '', remedy: '' }
  assert.match(message, 'on Windows a certificate directory cannot be locked')
  assert.match(remedy, 'use WSL')
})
