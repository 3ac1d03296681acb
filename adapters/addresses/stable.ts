import * as E from 'fp-ts/lib/Either.js'
import { type Addresses, isNoAddresses, isSameAddresses, noAddresses } from '../../src/model/addresses.js'
import { after, type Milliseconds } from '../../src/model/time.js'
import type { AddressSource, Clock } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'

/**
 * Addresses that have not changed for so long (ms): one that flaps, or a host that brings up its interfaces one by one,
 * makes one certificate and not five. That there are none any more is not told: the certificate goes on being renewed for
 * the last ones.
 */
export const stable =
  (source: AddressSource, clock: Clock, duration: Milliseconds): AddressSource =>
  (listener) => {
    let told = noAddresses
    let settling: { readonly addresses: Addresses; readonly forget: () => void } | undefined
    const settle = (addresses: Addresses): void => {
      if (settling !== undefined && isSameAddresses(settling.addresses, addresses)) return
      settling?.forget()
      settling = undefined
      if (isSameAddresses(told, addresses) || isNoAddresses(addresses)) return
      const { signal, interrupt } = interruption()
      const mine = { addresses, forget: interrupt }
      settling = mine
      void clock
        .sleepUntil(after(clock.now(), duration), signal)()
        .then(() => {
          if (settling !== mine) return
          settling = undefined
          told = addresses
          listener(E.right(addresses))
        })
    }
    const end = source((found) => (E.isRight(found) ? settle(found.right) : listener(found)))
    return () => {
      end()
      settling?.forget()
      settling = undefined
    }
  }
