/** A project with the packed package installed, and programs run in it. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../../..')
export const tools = join(root, 'node_modules')
/** For a test that installs packages. */
export const patience = { deadline: 180_000 }

/** Runs a program; what it printed to standard output, or a failure with the start of what it printed. */
export const run = (cwd: string, command: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error ?? `exit ${status}`}\n${stdout}${stderr}`)
  return stdout
}
export const node = (cwd: string, ...args: readonly string[]): string => run(cwd, process.execPath, ...args)

export const install = (project: string, ...packages: readonly string[]): string =>
  run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packages)

/** A temporary folder, to be removed by who asked for it. */
export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'kube-cert-rotation-package-'))

/** An empty project of a module system, in the folder. */
export const emptyProject = async (folder: string, type: 'module' | 'commonjs'): Promise<string> => {
  const project = join(folder, 'project')
  await mkdir(project)
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', version: '1.0.0', private: true, type }),
  )
  return project
}
