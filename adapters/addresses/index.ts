/** Under which names and addresses a node serves: sources for the SANs of its serving certificate. */

export { type Addresses, addressesFrom } from '../../src/model/addresses.js'
export type { AddressSource } from '../../src/ports.js'
export { fixedAddresses } from './fixed.js'
export { type InterfaceOptions, interfaceAddresses } from './interfaces.js'
export { stable } from './stable.js'
