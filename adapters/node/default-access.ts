/** Where the API is when nobody names a kubeconfig: client-go's default loading rules. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { tokenFile } from '../kubeconfig/in-cluster.js'
import {
  type AccessSource,
  accessFromKubeconfig,
  clusterFromKubeconfig,
  inCluster,
} from '../kubernetes/index.js'
import type { Accesses } from './kubeconfigs.js'

export interface DefaultAccess extends Pick<Accesses, 'cluster'> {
  /** For people, and the same for the same place. */
  readonly name: string
  readonly access: AccessSource
}

/** What of that was meant to be there and is not; empty: nothing. */
export const missingAccess = (environment: NodeJS.ProcessEnv = process.env): string => {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment
  return [
    ...(listed.length > 0 ? [`KUBECONFIG names ${listed.join(delimiter)}, which is not there`] : []),
    ...(host === '' || port !== '' ? [] : ['KUBERNETES_SERVICE_HOST is set, and no KUBERNETES_SERVICE_PORT']),
    ...(host === '' || existsSync(tokenFile)
      ? []
      : [`KUBERNETES_SERVICE_HOST is set, and the token of a service account is not there: ${tokenFile}`]),
  ].join('; ')
}

/**
 * The kubeconfigs that `KUBECONFIG` lists, as one; else `~/.kube/config`; else, in a pod, its service account. None: there is
 * nothing of that.
 */
export const defaultAccess = (
  warn: (message: string) => void = () => {},
  environment: NodeJS.ProcessEnv = process.env,
): O.Option<DefaultAccess> => {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '')
  const home = join(environment['HOME'] || homedir(), '.kube', 'config')
  const paths = listed.length > 0 ? [...new Set(listed)] : [home]
  // As in client-go, a list of files none of which is there is no list.
  if (paths.some((path) => existsSync(path)))
    return O.some({
      name: `kubeconfig ${paths.join(delimiter)}${listed.length > 0 ? ' (KUBECONFIG)' : ''}`,
      cluster: clusterFromKubeconfig(paths),
      access: accessFromKubeconfig(paths, { warn }),
    })
  return pipe(
    inCluster(environment),
    O.map(({ server, cluster, access }) => ({
      name: `service account of this pod, API server ${server}`,
      cluster,
      access,
    })),
  )
}
