import * as E from 'fp-ts/lib/Either.js'
import { knownUsages } from '../model/usages.js'
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from './field-error.js'

/** A new request as the API server validates it. */
export interface RequestToValidate {
  /** `metadata.name`, generated if need be. */
  readonly name: string
  readonly signerName: string
  readonly usages: ReadonlyArray<string>
  readonly expirationSeconds: number | undefined
  /** Left: why `spec.request` is no PKCS#10 request with a good signature. */
  readonly request: E.Either<string, unknown>
}

/** What the API server finds wrong with a new request (422): pkg/apis/certificates/validation/validation.go. */
export const creationErrors = (request: RequestToValidate): ReadonlyArray<FieldError> => [
  ...nameErrors(request.name),
  ...(E.isLeft(request.request)
    ? [invalid('spec.request', '<certificate request data>', request.request.left)]
    : []),
  ...usageErrors(request.usages),
  ...signerNameErrors(request.signerName),
  ...(request.expirationSeconds !== undefined && request.expirationSeconds < 600
    ? [
        invalid(
          'spec.expirationSeconds',
          request.expirationSeconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      ]
    : []),
]

/** apimachinery/pkg/api/validation/objectmeta.go and path/name.go: any name that a URL path can carry. */
const nameErrors = (name: string): ReadonlyArray<FieldError> => {
  const field = 'metadata.name'
  if (name === '') return [required(field, 'name or generateName is required')]
  if (name === '.' || name === '..') return [invalid(field, name, `may not be '${name}'`)]
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((character) => invalid(field, name, `may not contain '${character}'`))
}

const usageErrors = (usages: ReadonlyArray<string>): ReadonlyArray<FieldError> => {
  const at = (index: number): string => `spec.usages[${index}]`
  if (usages.length === 0) return [required('spec.usages')]
  const unknown = usages.flatMap((usage, index) =>
    knownUsages.includes(usage) ? [] : [notSupported(at(index), usage, knownUsages)],
  )
  const repeated = usages.flatMap((usage, index) =>
    usages.indexOf(usage) === index ? [] : [duplicate(at(index), usage)],
  )
  return [...unknown, ...repeated]
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = new RegExp(`^${label}(\\.${label})*$`)
/** The path of a signer: labels that may have upper case and `_` inside. */
const signerPath = /^[a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?$/
const longestDomain = 253
const longestName = 571

/** pkg/apis/core/validation/validation.go (`ValidateSignerName`), and v1's refusal of `legacy-unknown`. */
const signerNameErrors = (signerName: string): ReadonlyArray<FieldError> => {
  const field = 'spec.signerName'
  if (signerName === '') return [required(field)]
  if (signerName === 'kubernetes.io/legacy-unknown') {
    return [invalid(field, signerName, 'the legacy signerName is not allowed via this API version')]
  }
  const [domain = '', path, extra] = signerName.split('/')
  if (path === undefined || extra !== undefined) {
    const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [invalid(field, signerName, form)]
  }
  return [
    ...(domain.length > longestDomain ? [tooLong(field, longestDomain)] : []),
    ...(subdomain.test(domain) ? [] : [invalid(field, domain, 'must be a lowercase RFC 1123 subdomain')]),
    ...(domain.includes('.')
      ? []
      : [invalid(field, domain, 'should be a domain with at least two segments separated by dots')]),
    ...(signerPath.test(path)
      ? []
      : [invalid(field, signerName, 'the part after the slash must be a path of labels')]),
    ...(signerName.length > longestName ? [tooLong(field, longestName)] : []),
  ]
}
