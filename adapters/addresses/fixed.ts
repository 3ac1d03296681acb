import * as E from 'fp-ts/lib/Either.js'
import { addressesFrom } from '../../src/model/addresses.js'
import type { AddressSource } from '../../src/ports.js'

/** Addresses that never change: IP addresses and DNS names. */
export const fixedAddresses =
  (addresses: ReadonlyArray<string>): AddressSource =>
  (listener) => {
    listener(E.right(addressesFrom(addresses)))
    return () => {}
  }
