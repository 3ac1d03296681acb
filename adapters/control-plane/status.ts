/** Errors as Kubernetes' `Status` objects: apimachinery/pkg/api/errors/errors.go. */
import { type FieldError, inOneLine } from '../../src/control-plane/index.js'

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly code: number
}

const group = 'certificates.k8s.io'
/** The resource, as `details.kind` and in messages. */
const resource = 'certificatesigningrequests'
const qualified = `${resource}.${group}`

const failure = (
  code: number,
  reason: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  details,
  code,
})

const about = (name: string) => ({ name, group, kind: resource })
const quoted = (name: string): string => (name === '' ? '' : ` ${JSON.stringify(name)}`)

export const unauthorized: Status = failure(401, 'Unauthorized', 'Unauthorized')

/** `name` is empty for the collection. */
export const forbidden = (name: string, why: string): Status =>
  failure(403, 'Forbidden', `${qualified}${quoted(name)} is forbidden: ${why}`, about(name))

export const forbiddenOther = (what: string, why: string): Status =>
  failure(403, 'Forbidden', `${what}: ${why}`)

/** There is no such resource. */
export const unknownResource: Status = failure(
  404,
  'NotFound',
  'the server could not find the requested resource',
)

/** There is no such object. */
export const notFound = (name: string): Status =>
  failure(404, 'NotFound', `${qualified}${quoted(name)} not found`, about(name))

/** There is no such object of another resource. */
export const notFoundOther = (kind: string, name: string): Status =>
  failure(404, 'NotFound', `${kind}${quoted(name)} not found`, { name, kind })

export const methodNotAllowed: Status = failure(
  405,
  'MethodNotAllowed',
  'the server does not allow this method on the requested resource',
)

export const alreadyExists = (name: string): Status =>
  failure(409, 'AlreadyExists', `${qualified}${quoted(name)} already exists`, about(name))

export const conflict = (name: string, why: string): Status =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified}${quoted(name)}: ${why}`,
    about(name),
  )

export const staleVersion =
  'the object has been modified; please apply your changes to the latest version and try again'

export const expired = (asked: number, current: number): Status =>
  failure(410, 'Expired', `too old resource version: ${asked} (${current})`)

export const tooLarge = (limit: number): Status =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)

export const unsupportedMediaType = (supported: ReadonlyArray<string>): Status =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
  )

export const invalid = (name: string, errors: ReadonlyArray<FieldError>): Status =>
  failure(
    422,
    'Invalid',
    `CertificateSigningRequest.${group} ${JSON.stringify(name)} is invalid: ${inOneLine(errors)}`,
    { name, group, kind: 'CertificateSigningRequest', causes: errors },
  )

export const badRequest = (why: string): Status => failure(400, 'BadRequest', why)

export const internalError: Status = failure(
  500,
  'InternalError',
  'Internal error occurred: the control plane met something it did not expect',
)

export const deleted = (name: string, uid: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { ...about(name), uid },
  code: 200,
})
