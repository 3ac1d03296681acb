import { spawnSync } from 'node:child_process'

/** Why cross-checks with openssl cannot run here, or undefined when they can. */
export const withoutOpenssl: string | undefined =
  spawnSync('openssl', ['version']).status === 0 ? undefined : 'no openssl on this machine'

/** What `openssl` prints on both channels; throws when it fails. */
export const openssl = (args: ReadonlyArray<string>, input = ''): string => {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]} exited ${status}: ${stderr}`)
  return stdout + stderr
}
