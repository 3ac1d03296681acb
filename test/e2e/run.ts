/**
 * `npm run test:e2e [-- PART OF A PATH]...`: finds or builds Kubernetes, packs and installs the package, both once,
 * and runs the suite: all of it, or the files whose path contains one of the parts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveAssets } from './assets.js'
import { installPackage } from './package.js'

const folder = mkdtempSync(join(tmpdir(), 'kube-cert-rotation-package-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const stop = (): void => process.exit(130)
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const
for (const signal of signals) process.once(signal, stop)

const assets = await resolveAssets()
process.env['KUBEBUILDER_ASSETS'] = assets.folder
await installPackage(folder)
console.log(`Kubernetes ${assets.version.text} in ${assets.folder}`)

for (const signal of signals) process.off(signal, stop)
const parts = process.argv.slice(2).map((part) => `test/e2e/${part.replace(/^(\.\/)?test\/e2e\//, '')}`)
// Three at a time although two cores are expected: most of the time the cases wait for a certificate's life.
process.argv.splice(2, Infinity, '--parallel=3', '--minutes=8', ...(parts.length > 0 ? parts : ['test/e2e/']))
await import('../helper/run.js')
