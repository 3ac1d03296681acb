import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { failure, type TrustError } from '../../src/model/failure.js'
import type { TrustAnchors } from '../../src/ports.js'
import { type Faults, faults, type Inject, struck } from './faults.js'
import { authoritiesPem } from './format.js'

/** Which CAs certificates are compared with; may be changed at any time. */
export interface TrustSettings {
  /** Whether certificates have to chain to them. */
  readonly required: boolean
  /** Their names; none: certificates are not compared with any. */
  readonly authorities: O.Option<ReadonlyArray<string>>
}

/** CAs by their names. */
export interface MemoryTrust extends TrustAnchors {
  readonly set: (settings: Partial<TrustSettings>) => void
  readonly inject: Inject<'read', TrustError>
}

/** The CAs that certificates are compared with; none unless it is told some. */
export const memoryTrust = (initial: Partial<TrustSettings> = {}): MemoryTrust => {
  const injected: Faults<'read', TrustError> = faults()
  let settings: TrustSettings = { required: false, authorities: O.none, ...initial }
  return {
    source: 'memory',
    get required() {
      return settings.required
    },
    read: () => struck(injected, 'read', () => E.right(O.map(authoritiesPem)(settings.authorities))),
    set: (some) => {
      settings = { ...settings, ...some }
    },
    inject: injected.inject,
  }
}

/** Errors as reading CAs reports them. */
export const trustErrors = {
  unreadable: failure(
    'TrustUnusable',
    'soon',
    'the CAs cannot be read: permission denied (memory)',
    'make them readable',
  ),
} satisfies Record<string, TrustError>
