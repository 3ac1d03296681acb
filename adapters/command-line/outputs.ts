/** Flags for where the certificate is kept besides the certificate directory. */
import * as E from 'fp-ts/lib/Either.js'
import type { Output } from '../../src/ports.js'
import type { Attributes } from '../node/index.js'
import type { PathUse } from '../outputs/paths.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

export const outputFlags = {
  'output-dir': {
    value: 'DIR',
    path: 'directory written',
    help: 'keep tls.crt, tls.key and ca.crt in this directory too, swapped as a whole (more: --config)',
  },
  'output-bundle': {
    value: 'FILE',
    path: 'file written',
    help: 'keep the key and its chain in this file too',
  },
  'output-kubeconfig': {
    value: 'FILE',
    path: 'file written',
    help: 'keep a kubeconfig that needs no other file in this one too',
  },
  'output-mode': { value: 'MODE', help: 'permissions of the outputs, octal (default 0600)' },
  'output-owner': { value: 'UID:GID', help: 'owner of the outputs, by numbers (default: as who runs this)' },
} satisfies Flags<string>

/** An output that is asked for. */
export interface OutputRequest {
  readonly kind: 'dir' | 'bundle' | 'kubeconfig'
  readonly path: string
  readonly attributes: Attributes
}

export const outputUse = (where: string, kind: OutputRequest['kind'], path: string): PathUse => ({
  where,
  path,
  use: kind === 'dir' ? 'output directory' : 'output file',
})

/** Permissions, in octal; none for others, since the key is in every output. */
export const modePattern = /^0?[4-7][0-7]0$/
/** UID:GID */
export const ownerPattern = /^(\d{1,9}):(\d{1,9})$/

export const attributesFrom = (mode: string | undefined, owner: string | undefined): Attributes => {
  const [, uid, gid] = ownerPattern.exec(owner ?? '') ?? []
  return {
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(uid === undefined || gid === undefined ? {} : { owner: { uid: Number(uid), gid: Number(gid) } }),
  }
}

export const readOutputs = (
  given: Given<keyof typeof outputFlags>,
): E.Either<UsageError, ReadonlyArray<OutputRequest>> => {
  const {
    'output-dir': dir,
    'output-bundle': bundle,
    'output-kubeconfig': kubeconfig,
    'output-mode': mode,
    'output-owner': owner,
  } = given
  if (mode !== undefined && !modePattern.test(mode))
    return E.left(
      usageError(
        `--output-mode=${mode} is no mode of a file with a private key in it`,
        'write it in octal, with nothing for others, for instance 0640',
      ),
    )
  if (owner !== undefined && !ownerPattern.test(owner))
    return E.left(usageError(`--output-owner=${owner} is no UID:GID`, 'write the numbers, for instance 0:33'))
  const attributes = attributesFrom(mode, owner)
  const outputs = [
    ['dir', dir],
    ['bundle', bundle],
    ['kubeconfig', kubeconfig],
  ] as const
  const wanted = outputs.flatMap(([kind, path]) => (path === undefined ? [] : [{ kind, path, attributes }]))
  if (wanted.length === 0 && (mode !== undefined || owner !== undefined))
    return E.left(
      usageError(
        `--output-${mode === undefined ? 'owner' : 'mode'} is for no output`,
        'name one with --output-dir, --output-bundle or --output-kubeconfig',
      ),
    )
  return E.right(wanted)
}

/** The outputs themselves. */
export const outputsFrom = async (wanted: ReadonlyArray<OutputRequest>): Promise<ReadonlyArray<Output>> => {
  const { outputBundle, outputDirectory, outputKubeconfig } = await import('../node/index.js')
  const make = { dir: outputDirectory, bundle: outputBundle, kubeconfig: outputKubeconfig }
  return wanted.map(({ kind, path, attributes }) => make[kind](path, attributes))
}
