import { type AddressSource, fixedAddresses, interfaceAddresses } from '../addresses/index.js'
import { nodeAddresses } from '../kubernetes/index.js'
import type { RotationOptions, RunningRotation } from '../node/index.js'
import type { Serving } from './serving-flags.js'

/** How to start it, beside the rotation of the client certificate. */
export const servingOptions = (
  { source, keyAlgorithm }: Serving,
  client: RunningRotation,
  { nodeName = '', certDir, requestedLifetime, policy }: RotationOptions,
): RotationOptions => ({
  nodeName,
  authenticateWith: client,
  addresses: sourceOf(source, client, nodeName),
  // A list does not change.
  ...(source._tag === 'list' ? { addressDelay: 0 } : {}),
  ...(certDir === undefined ? {} : { certDir }),
  ...(requestedLifetime === undefined ? {} : { requestedLifetime }),
  ...(policy === undefined ? {} : { policy }),
  ...(keyAlgorithm === undefined ? {} : { keyAlgorithm }),
})

const sourceOf = (
  source: Serving['source'],
  { access }: RunningRotation,
  nodeName: string,
): AddressSource => {
  switch (source._tag) {
    case 'node':
      return nodeAddresses({ nodeName, access })
    case 'interfaces':
      return interfaceAddresses({
        dnsNames: [nodeName],
        ...(source.names.length === 0 ? {} : { interfaces: source.names }),
      })
    case 'list':
      return fixedAddresses(source.names)
  }
}
