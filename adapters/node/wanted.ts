/** What a rotation is to ask for, and since when it can: addresses and the credential to ask with may have to come first. */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { isNoAddresses } from '../../src/model/addresses.js'
import { type CertificateTemplate, kubeletServingTemplate } from '../../src/model/template.js'
import { second } from '../../src/model/time.js'
import type { AddressSource, Clock } from '../../src/ports.js'
import { stable } from '../addresses/stable.js'
import { nodeNameOf, type RotationOptions, withLifetime } from './options.js'

export interface Wanted {
  /** None: there is nothing to ask for yet, or nothing to ask with. */
  readonly current: () => O.Option<CertificateTemplate>
  /** Another template from now on. */
  readonly set: (template: O.Option<CertificateTemplate>) => void
  /** Calls the listener when `current` is another one; the answer ends it. */
  readonly follow: (listener: () => void) => () => void
  /** What has to be known before it can be asked, as `explain` takes it. */
  readonly awaited: () => O.Option<string>
}

const defaultDelay = 10 * second

const nothingToFollow: Wanted['follow'] = () => () => {}
const nothingAwaited: Wanted['awaited'] = () => O.none

export const wantedBy = (
  options: RotationOptions,
  initial: O.Option<CertificateTemplate>,
  clock: Clock,
  warn: (message: string) => void,
): Wanted => {
  const { addresses, authenticateWith } = options
  if (addresses !== undefined || authenticateWith !== undefined)
    return awaiting(options, initial, clock, warn)
  let template = initial
  return {
    current: () => template,
    set: (next) => {
      template = next
    },
    follow: nothingToFollow,
    awaited: nothingAwaited,
  }
}

/** It can be asked for when there are addresses and a certificate to ask with. */
const awaiting = (
  options: RotationOptions,
  initial: O.Option<CertificateTemplate>,
  clock: Clock,
  warn: (message: string) => void,
): Wanted => {
  const { addresses: source, addressDelay = defaultDelay, authenticateWith: asker, keyAlgorithm } = options
  let template = initial
  let canAsk = asker === undefined || O.isSome(asker.credentials.current())
  let problem = ''
  const current = () => (canAsk ? template : O.none)

  const followAddresses = (listener: () => void): (() => void) => {
    if (source === undefined) return () => {}
    const tell = (message: string, remedy: string) => {
      if (message !== problem) warn(`${message}; ${remedy}`)
      problem = message
    }
    /** Most sources say themselves why they have none. */
    const telling: AddressSource = (hear) =>
      source((found) => {
        hear(found)
        if (E.isRight(found) && isNoAddresses(found.right) && O.isNone(template) && problem === '')
          tell('there are no addresses to request a serving certificate for', 'see where they come from')
      })
    return stable(
      telling,
      clock,
      addressDelay,
    )((found) => {
      if (E.isLeft(found)) {
        tell(found.left.message, found.left.remedy)
        return
      }
      problem = ''
      template = O.some(
        withLifetime(options, kubeletServingTemplate(nodeNameOf(options), found.right, keyAlgorithm)),
      )
      listener()
    })
  }

  return {
    current,
    set: (next) => {
      template = next
    },
    follow: (listener) => {
      let end = () => {}
      const begin = (): void => {
        end = followAddresses(listener)
      }
      if (canAsk) begin()
      const forget = asker?.credentials.subscribe((credential) => {
        if (canAsk || O.isNone(credential)) return
        canAsk = true
        // The addresses may be asked of the API, with this credential.
        begin()
        if (O.isSome(template)) listener()
      })
      return () => {
        forget?.()
        end()
      }
    },
    awaited: () => {
      if (!canAsk) return O.some('the certificate of the rotation that it authenticates with')
      if (source === undefined || O.isSome(template)) return O.none
      return O.some(`the addresses of this node${problem === '' ? '' : `: ${problem}`}`)
    },
  }
}
