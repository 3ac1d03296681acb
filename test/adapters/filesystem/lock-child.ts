/** A process that opens the directory of its first argument, says how that went, and lives until its input ends. */
import * as E from 'fp-ts/lib/Either.js'
import { openCertificateDirectory } from 'kube-cert-rotation/adapters/filesystem'

const opened = await openCertificateDirectory({ directory: process.argv[2] ?? '' })()
console.log(E.isRight(opened) ? 'open' : `${opened.left._tag}: ${opened.left.message}`)
process.stdin.on('end', async () => {
  if (E.isRight(opened)) await opened.right.release()
})
process.stdin.resume()
