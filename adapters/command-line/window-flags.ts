import * as E from 'fp-ts/lib/Either.js'
import type { RenewalWindowsOptions } from '../node/options.js'
import { configMapName } from '../windows/config-map-name.js'
import { asFlag, type Naming } from './certificate-flags.js'
import { type Flags, type Given, type UsageError, usageError } from './flags.js'

/** Who suggests when to renew. */
export const windowFlags = {
  'renewal-window-file': {
    value: 'FILE',
    path: 'file read',
    help: 'renew in the window that this file suggests, if that is earlier; read again every minute',
  },
  'renewal-window-configmap': {
    value: 'NS/NAME',
    help: 'the same from a ConfigMap, read and watched with the certificate held',
  },
  'node-labels': {
    value: 'KEY=VALUE,…',
    help: 'what this machine is, for renewal windows that are meant for some machines',
  },
} satisfies Flags<string>

/** What the flags say about renewal windows; undefined: nothing. */
export const readWindows = ({
  'renewal-window-file': file,
  'renewal-window-configmap': configMap,
  'node-labels': labels,
}: Given<keyof typeof windowFlags>): E.Either<UsageError, RenewalWindowsOptions | undefined> => {
  if (configMap !== undefined && configMapName(configMap) === undefined)
    return E.left(
      usageError(
        `--renewal-window-configmap=${configMap} names no ConfigMap`,
        'write --renewal-window-configmap=kube-system/renewal-windows',
      ),
    )
  const pairs = labels?.split(',').map((pair) => pair.split('=')) ?? []
  if (pairs.some(([key, value, ...rest]) => key === '' || value === undefined || rest.length > 0))
    return E.left(usageError(`--node-labels=${labels} cannot be`, 'write --node-labels=pool=gpu,zone=a'))
  const settings = {
    renewalWindowFile: file,
    renewalWindowConfigmap: configMap,
    nodeLabels:
      labels === undefined
        ? undefined
        : Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])),
  }
  const [problem] = windowProblems(settings, asFlag)
  return problem === undefined ? E.right(windowsFrom(settings)) : E.left(problem)
}

export interface WindowSettings {
  readonly renewalWindowFile: string | undefined
  readonly renewalWindowConfigmap: string | undefined
  readonly nodeLabels: Readonly<Record<string, string>> | undefined
}

export const windowProblems = (
  { renewalWindowFile: file, renewalWindowConfigmap: configMap, nodeLabels }: WindowSettings,
  as: Naming,
): ReadonlyArray<UsageError> =>
  nodeLabels !== undefined && file === undefined && configMap === undefined
    ? [
        usageError(
          `${as('nodeLabels')} is without a renewal window`,
          `give ${as('renewalWindowFile')} or ${as('renewalWindowConfigmap')} too`,
        ),
      ]
    : []

/** Undefined: nobody suggests anything. */
export const windowsFrom = ({
  renewalWindowFile: file,
  renewalWindowConfigmap: configMap,
  nodeLabels: labels = {},
}: WindowSettings): RenewalWindowsOptions | undefined =>
  file === undefined && configMap === undefined
    ? undefined
    : {
        ...(file === undefined ? {} : { file }),
        ...(configMap === undefined ? {} : { configMap }),
        labels,
      }
