import { execFile } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type * as Crypto from '../../adapters/crypto/index.js'
import type * as Filesystem from '../../adapters/filesystem/index.js'
import type * as Kubernetes from '../../adapters/kubernetes/index.js'
import type * as Library from '../../adapters/node/index.js'
import type * as Core from '../../src/index.js'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const project = (folder: string): string => join(folder, 'project')

/** Where the package is installed: an environment variable, because it is done once for all test files. */
const VARIABLE = 'E2E_PACKAGE'

/** Packs what is built, and installs the tarball into an empty project in `folder`. */
export const installPackage = async (folder: string): Promise<void> => {
  await mkdir(project(folder), { recursive: true })
  await writeFile(join(project(folder), 'package.json'), '{ "name": "e2e", "private": true }\n')
  // Without scripts: prepack would empty the folder that the tests are running from.
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const { stdout } = await run('npm', pack, { cwd: root })
  const tarball = join(folder, stdout.trim())
  const install = ['install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--silent']
  await run('npm', [...install, tarball], { cwd: project(folder) })
  process.env[VARIABLE] = folder
}

const installed = (): string => {
  const folder = process.env[VARIABLE]
  if (folder === undefined)
    throw new Error('the package is not installed: run the suite with npm run test:e2e')
  return project(folder)
}

/** The program, as it lies in node_modules/.bin. */
export const program = (): string => join(installed(), 'node_modules/.bin/kube-cert-rotation')

const url = (name: string): string =>
  pathToFileURL(createRequire(join(installed(), 'index.js')).resolve(name)).href

/** The project, with packages beside it that the library can use and does not bring: those that it is tested with. */
export const projectWith = async (...packages: ReadonlyArray<string>): Promise<string> => {
  for (const name of packages) {
    const link = join(installed(), 'node_modules', name)
    await rm(link, { recursive: true, force: true })
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
  return installed()
}

/** What `import 'kube-cert-rotation'` gives in that project. */
export const library = (): Promise<typeof Library> => import(url('kube-cert-rotation'))

/** What `import 'kube-cert-rotation/core'` gives there. */
export const core = (): Promise<typeof Core> => import(url('kube-cert-rotation/core'))

/** What `import 'kube-cert-rotation/adapters/filesystem'` gives there. */
export const filesystem = (): Promise<typeof Filesystem> =>
  import(url('kube-cert-rotation/adapters/filesystem'))

/** What `import 'kube-cert-rotation/adapters/crypto'` gives there. */
export const ownCrypto = (): Promise<typeof Crypto> => import(url('kube-cert-rotation/adapters/crypto'))

/** What `import 'kube-cert-rotation/adapters/kubernetes'` gives there. */
export const kubernetes = (): Promise<typeof Kubernetes> =>
  import(url('kube-cert-rotation/adapters/kubernetes'))
