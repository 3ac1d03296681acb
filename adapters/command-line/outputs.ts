/** Flags for where the certificate is kept besides the certificate directory. */
import * as E from 'fp-ts/lib/Either.js'
import type { Output } from '../../src/ports.js'
import type { Attributes } from '../node/index.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

export const outputFlags = {
  'output-dir': {
    value: 'DIR',
    path: 'directory written',
    help: 'keep tls.crt, tls.key and ca.crt in this directory too, swapped as a whole',
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

/** What the flags say. */
export interface Outputs {
  readonly directory: string | undefined
  readonly bundle: string | undefined
  readonly kubeconfig: string | undefined
  readonly attributes: Attributes
}

export const readOutputs = (given: Given<keyof typeof outputFlags>): E.Either<UsageError, Outputs> => {
  const {
    'output-dir': directory,
    'output-bundle': bundle,
    'output-kubeconfig': kubeconfig,
    'output-mode': mode,
    'output-owner': owner,
  } = given
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode))
    return E.left(
      usageError(`--output-mode=${mode} is no mode of a file`, 'write it in octal, for instance 0640'),
    )
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(owner ?? '') ?? []
  if (owner !== undefined && uid === undefined)
    return E.left(usageError(`--output-owner=${owner} is no UID:GID`, 'write the numbers, for instance 0:33'))
  const none = directory === undefined && bundle === undefined && kubeconfig === undefined
  if (none && (mode !== undefined || owner !== undefined))
    return E.left(
      usageError(
        `--output-${mode === undefined ? 'owner' : 'mode'} is for no output`,
        'name one with --output-dir, --output-bundle or --output-kubeconfig',
      ),
    )
  const attributes = {
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(uid === undefined || gid === undefined ? {} : { owner: { uid: Number(uid), gid: Number(gid) } }),
  }
  return E.right({ directory, bundle, kubeconfig, attributes })
}

/** The outputs themselves. */
export const outputsFrom = async ({
  directory,
  bundle,
  kubeconfig,
  attributes,
}: Outputs): Promise<ReadonlyArray<Output>> => {
  const { outputBundle, outputDirectory, outputKubeconfig } = await import('../node/index.js')
  return [
    ...(directory === undefined ? [] : [outputDirectory(directory, attributes)]),
    ...(bundle === undefined ? [] : [outputBundle(bundle, attributes)]),
    ...(kubeconfig === undefined ? [] : [outputKubeconfig(kubeconfig, attributes)]),
  ]
}
