import * as E from 'fp-ts/lib/Either.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import type { Clock, RenewalWindows } from '../../src/ports.js'
import { windowsFromConfigMap } from '../windows/config-map.js'
import { configMapName } from '../windows/config-map-name.js'
import { firstOf, windowsFromFile } from '../windows/file.js'
import type { Accesses } from './kubeconfigs.js'
import { type InvalidOptions, invalid, type RotationOptions } from './options.js'

/** A file before a ConfigMap: what a machine is told itself counts more than what all are told. */
export const openWindows = (
  options: RotationOptions['renewalWindows'],
  { authenticateWith }: RotationPolicy,
  cluster: Accesses['cluster'] | undefined,
  clock: Clock,
): E.Either<InvalidOptions, RenewalWindows | undefined> => {
  if (options === undefined) return E.right(undefined)
  const { file, configMap, labels = {} } = options
  const sources: Array<RenewalWindows> = file === undefined ? [] : [windowsFromFile(file, labels, clock)]
  if (configMap !== undefined) {
    const name = configMapName(configMap)
    if (name === undefined)
      return E.left(
        invalid(
          `renewalWindows.configMap ${JSON.stringify(configMap)} names no ConfigMap`,
          'write NAMESPACE/NAME',
        ),
      )
    if (cluster === undefined || authenticateWith === 'external')
      return E.left(
        invalid(
          'renewalWindows.configMap is read with the certificate held, which is for something else here, or for no API that is known',
          'name a renewalWindows.file',
        ),
      )
    sources.push(windowsFromConfigMap({ ...name, labels, cluster, clock }))
  }
  return sources.length === 0
    ? E.left(invalid('renewalWindows names nobody who suggests any', 'name a file or a configMap'))
    : E.right(firstOf(sources))
}
