import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from './field-error.js'

/** A condition with its times as the API writes them (RFC 3339). */
export interface StoredCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastUpdateTime?: string
  readonly lastTransitionTime?: string
}

/** The part of a request that its subresources change. */
export interface RequestStatus {
  readonly conditions: ReadonlyArray<StoredCondition>
  /** Base64 of PEM; empty for none. */
  readonly certificate: string
}

/** By which door an update came: `/approval` sets Approved and Denied, `/status` the rest and the certificate. */
export type Subresource = 'approval' | 'status'

const onlyTrue = ['Approved', 'Denied', 'Failed']
const conditionsField = 'status.conditions'

/**
 * What the API server finds wrong with a changed status (422):
 * pkg/apis/certificates/validation/validation.go (`validateCertificateSigningRequestUpdate`).
 */
export const updateErrors = (
  subresource: Subresource,
  before: RequestStatus,
  after: RequestStatus,
): ReadonlyArray<FieldError> => [
  ...after.conditions.flatMap((condition, index) => conditionErrors(after.conditions, condition, index)),
  ...onlyTrue.flatMap((type) => historyErrors(subresource, type, before, after)),
  ...certificateErrors(subresource, before.certificate, after.certificate),
]

const conditionErrors = (
  all: ReadonlyArray<StoredCondition>,
  { type, status }: StoredCondition,
  index: number,
): ReadonlyArray<FieldError> => {
  const at = (name: string): string => `${conditionsField}[${index}].${name}`
  const allowed = onlyTrue.includes(type) ? ['True'] : ['False', 'True', 'Unknown']
  const earlier = all.slice(0, index).map((condition) => condition.type)
  const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
  return [
    ...(type === '' ? [required(at('type'))] : []),
    ...(status === ''
      ? [required(at('status'))]
      : allowed.includes(status)
        ? []
        : [notSupported(at('status'), status, allowed)]),
    ...(opposite !== undefined && earlier.includes(opposite)
      ? [invalid(at('type'), type, 'Approved and Denied conditions are mutually exclusive')]
      : []),
    ...(earlier.includes(type) ? [duplicate(at('type'), type)] : []),
  ]
}

const sameCondition = (a: StoredCondition, b: StoredCondition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.lastUpdateTime === b.lastUpdateTime &&
  a.lastTransitionTime === b.lastTransitionTime

/** None of the three is ever removed, and Approved and Denied change by `/approval` alone. */
const historyErrors = (
  subresource: Subresource,
  type: string,
  before: RequestStatus,
  after: RequestStatus,
): ReadonlyArray<FieldError> => {
  const had = before.conditions.find((condition) => condition.type === type)
  const has = after.conditions.find((condition) => condition.type === type)
  const refuse = (what: string) => [
    forbidden(conditionsField, `updates may not ${what} a condition of type ${JSON.stringify(type)}`),
  ]
  if (had !== undefined && has === undefined) return refuse('remove')
  if (subresource === 'approval' || type === 'Failed') return []
  if (had === undefined && has !== undefined) return refuse('add')
  return had !== undefined && has !== undefined && !sameCondition(had, has) ? refuse('modify') : []
}

const certificateErrors = (
  subresource: Subresource,
  before: string,
  after: string,
): ReadonlyArray<FieldError> => {
  const field = 'status.certificate'
  if (before === after) return []
  if (subresource === 'approval') return [forbidden(field, 'updates may not set certificate content')]
  if (before !== '') return [forbidden(field, 'updates may not modify existing certificate content')]
  return []
}

/**
 * New conditions with the times that their sender left out: pkg/registry/certificates/certificates/strategy.go
 * (`populateConditionTimestamps`). `now` is RFC 3339.
 */
export const withTimes = (
  before: ReadonlyArray<StoredCondition>,
  after: ReadonlyArray<StoredCondition>,
  now: string,
): ReadonlyArray<StoredCondition> =>
  after.map((condition) => {
    const had = before.find(({ type }) => type === condition.type)
    const unchanged = had?.status === condition.status ? had.lastTransitionTime : undefined
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? unchanged ?? now,
    }
  })
