import type { IO } from 'fp-ts/lib/IO.js'
import { type Binding, type StoredCondition, withTimes } from '../../src/control-plane/index.js'
import { type Instant, type Milliseconds, rfc3339, wholeSecond } from '../../src/model/time.js'
import type { Authority } from '../crypto/index.js'
import type { ControlPlaneEvent } from './event.js'
import type { RequestReader } from './request-reader.js'
import type { SigningRequest } from './signing-request.js'
import type { Storage } from './storage.js'

/** What the controllers work with. */
export interface Manager {
  readonly storage: Storage
  readonly read: RequestReader
  readonly now: IO<Instant>
  readonly tell: (event: ControlPlaneEvent) => void
  readonly bindings: ReadonlyArray<Binding>
  readonly authority: IO<Authority>
  readonly signingDuration: Milliseconds
  readonly flavour: '1.20' | '1.22'
}

/** Adds a condition to a request. */
export const addCondition = (
  { storage, now }: Manager,
  request: SigningRequest,
  condition: StoredCondition,
): void => {
  const added = withTimes([], [condition], rfc3339(wholeSecond(now())))
  const conditions = [...request.status.conditions, ...added]
  storage.update(request, { ...request, status: { ...request.status, conditions } })
}
