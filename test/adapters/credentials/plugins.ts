/** Credential plugins for tests: shell scripts that count how often they are run. */
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as O from 'fp-ts/lib/Option.js'
import { type Plugin, type PluginOptions, pluginCredentials } from '../../../adapters/credentials/plugin.js'

export const v1 = 'client.authentication.k8s.io/v1'

/** What a plugin prints that answers with this status. */
export const answering = (status: object, apiVersion = v1): string =>
  `cat <<'EOF'\n${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\nEOF`

export interface Script {
  readonly file: string
  /** Replaces what it does. */
  readonly does: (body: string) => Promise<void>
  readonly runs: () => Promise<number>
}

export const script = async (directory: string, body: string, name = 'plugin'): Promise<Script> => {
  const file = join(directory, name)
  const counter = join(directory, `${name}.runs`)
  await writeFile(counter, '')
  const does = async (next: string) => {
    await writeFile(`${file}.new`, `#!/bin/sh\necho run >> ${counter}\n${next}\n`)
    await chmod(`${file}.new`, 0o755)
    // A script that is being run is not written to.
    await rename(`${file}.new`, file)
  }
  await does(body)
  return { file, does, runs: async () => (await readFile(counter, 'utf8')).split('\n').length - 1 }
}

export const plugin = (command: string, more: Partial<Plugin> = {}): Plugin => ({
  file: '/etc/kubeconfig',
  command,
  args: [],
  env: [],
  apiVersion: v1,
  installHint: '',
  cluster: O.none,
  ...more,
})

export const credentialsOf = (command: string, more: Partial<Plugin> = {}, options: PluginOptions = {}) =>
  pluginCredentials(plugin(command, more), options)
