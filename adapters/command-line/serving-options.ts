import { type AddressSource, fixedAddresses, interfaceAddresses } from '../addresses/index.js'
import { nodeAddresses } from '../kubernetes/index.js'
import type { RotationOptions } from '../node/index.js'
import type { Asker } from '../node/options.js'
import type { AddressChoice, Serving } from './serving-flags.js'

/** How to start it, beside the rotation of the client certificate. */
export const servingOptions = (
  { source, keyAlgorithm }: Serving,
  client: Asker,
  { nodeName = '', certDir, requestedLifetime, policy }: RotationOptions,
): RotationOptions => ({
  nodeName,
  authenticateWith: client,
  ...addressOptions(source, client, nodeName),
  ...(certDir === undefined ? {} : { certDir }),
  ...(requestedLifetime === undefined ? {} : { requestedLifetime }),
  ...(policy === undefined ? {} : { policy }),
  ...(keyAlgorithm === undefined ? {} : { keyAlgorithm }),
})

/** What is served under; the Node object is asked for with the credential of `client`. */
export const addressOptions = (
  source: AddressChoice,
  client: Asker,
  nodeName: string,
): Pick<RotationOptions, 'addresses' | 'addressDelay'> => ({
  addresses: sourceOf(source, client, nodeName),
  // A list does not change.
  ...(source._tag === 'list' ? { addressDelay: 0 } : {}),
})

const sourceOf = (source: AddressChoice, { access }: Asker, nodeName: string): AddressSource => {
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
