/** What an update makes of a request: pkg/registry/certificates/certificates/strategy.go. */
import { X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import {
  type FieldError,
  type RequestStatus,
  type StoredCondition,
  type Subresource,
  withTimes,
} from '../../src/control-plane/index.js'
import { labelling } from './creation.js'
import type { IncomingRequest } from './incoming.js'
import type { Metadata, SigningRequest } from './signing-request.js'
import { staleVersion } from './status.js'

/** Why the object that the sender has in mind is not the one that is here. */
export const staleness = (
  { metadata, resourceVersion }: SigningRequest,
  { metadata: sent }: IncomingRequest,
): string | undefined => {
  const uid = sent?.uid ?? ''
  const version = sent?.resourceVersion ?? ''
  if (uid !== '' && uid !== metadata.uid) {
    return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`
  }
  return version !== '' && version !== resourceVersion ? staleVersion : undefined
}

export const changedMetadata = (before: Metadata, { metadata }: IncomingRequest): Metadata => {
  const { labels: _labels, annotations: _annotations, ...rest } = before
  return { ...rest, ...labelling(metadata) }
}

/** `/approval` changes conditions, `/status` the certificate too, the main resource neither. */
export const changedStatus = (
  { status: before }: SigningRequest,
  { status: sent }: IncomingRequest,
  subresource: Subresource | undefined,
  now: string,
): RequestStatus => {
  if (subresource === undefined) return before
  const conditions = withTimes(before.conditions, (sent?.conditions ?? []).map(storedCondition), now)
  return {
    conditions,
    certificate: subresource === 'status' ? (sent?.certificate ?? '') : before.certificate,
  }
}

type SentCondition = NonNullable<NonNullable<IncomingRequest['status']>['conditions']>[number]

const storedCondition = (sent: SentCondition): StoredCondition => ({
  type: sent.type ?? '',
  status: sent.status ?? '',
  ...(sent.reason ? { reason: sent.reason } : {}),
  ...(sent.message ? { message: sent.message } : {}),
  ...(sent.lastUpdateTime ? { lastUpdateTime: sent.lastUpdateTime } : {}),
  ...(sent.lastTransitionTime ? { lastTransitionTime: sent.lastTransitionTime } : {}),
})

/** A new certificate has to be one or more PEM `CERTIFICATE` blocks; text around them is accepted. */
export const pemErrors = (before: RequestStatus, after: RequestStatus): ReadonlyArray<FieldError> => {
  if (after.certificate === before.certificate || after.certificate === '') return []
  const blocks =
    Buffer.from(after.certificate, 'base64')
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  const bad = (detail: string): ReadonlyArray<FieldError> => [
    {
      field: 'status.certificate',
      reason: 'FieldValueInvalid',
      message: `Invalid value: "<certificate data>": ${detail}`,
    },
  ]
  if (blocks.length === 0) return bad('must contain at least one CERTIFICATE PEM block')
  const unreadable = blocks.some((block) =>
    E.isLeft(
      E.tryCatch(
        () => new X509Certificate(block),
        () => undefined,
      ),
    ),
  )
  return unreadable ? bad('x509: malformed certificate') : []
}
