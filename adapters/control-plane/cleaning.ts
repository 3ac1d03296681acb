import { X509Certificate } from 'node:crypto'
import * as O from 'fp-ts/lib/Option.js'
import { deletionReason } from '../../src/control-plane/index.js'
import { type Instant, instant } from '../../src/model/time.js'
import type { Manager } from './manager.js'
import type { SigningRequest } from './signing-request.js'

/** Deletes the requests that have been there long enough. */
export const clean = ({ storage, now, tell }: Manager): void => {
  for (const request of storage.list()) {
    const reason = deletionReason(toClean(request), now())
    if (O.isNone(reason)) continue
    storage.delete(request)
    tell({ _tag: 'Cleaned', at: now(), name: request.metadata.name, reason: reason.value })
  }
}

const at = (time: string | undefined): Instant => instant(Date.parse(time ?? ''))

const certificateEnd = ({ status }: SigningRequest): O.Option<Instant> =>
  status.certificate === ''
    ? O.none
    : O.tryCatch(() => at(new X509Certificate(Buffer.from(status.certificate, 'base64')).validTo))

const toClean = (request: SigningRequest) => ({
  createdAt: at(request.metadata.creationTimestamp),
  conditions: request.status.conditions.map(({ type, lastUpdateTime }) => ({
    type,
    updatedAt: at(lastUpdateTime),
  })),
  certificateEnd: certificateEnd(request),
})
