import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import type { KeyId } from './certificate.js'
import type { CertificateTemplate } from './template.js'

/** A condition of a request (`k8s.io/api/certificates/v1/types.go`). In `v1beta1` the status may be left out. */
const RequestCondition = t.intersection([
  t.type({ type: t.string }),
  t.partial({ status: t.string, reason: t.string, message: t.string }),
])

/** A CertificateSigningRequest as the API serves it, `v1` and `v1beta1`: the fields that matter here. */
export const CertificateSigningRequest = t.type({
  metadata: t.type({
    name: t.string,
    uid: t.string,
    resourceVersion: t.string,
  }),
  spec: t.intersection([
    /** Base64 of PEM `CERTIFICATE REQUEST`. */
    t.type({ request: t.string }),
    t.partial({ signerName: t.string, username: t.string }),
  ]),
  status: t.union([
    t.undefined,
    t.partial({
      conditions: t.union([t.readonlyArray(RequestCondition), t.null]),
      /** Base64 of PEM `CERTIFICATE` blocks. */
      certificate: t.union([t.string, t.null]),
    }),
  ]),
})
export type CertificateSigningRequest = t.TypeOf<typeof CertificateSigningRequest>

/** Where a request stands, as `kubectl get csr` sums it up. */
export type Condition =
  | { readonly _tag: 'Pending' }
  | { readonly _tag: 'Approved' }
  /** `certificate`: base64 of PEM. */
  | { readonly _tag: 'Issued'; readonly certificate: string }
  | {
      readonly _tag: 'Denied'
      readonly reason: string
      readonly message: string
    }
  | {
      readonly _tag: 'Failed'
      readonly reason: string
      readonly message: string
    }

/**
 * The condition of a request. `Failed` comes after approval and ends it; a certificate counts only on an approved
 * request (the server stores one on an unapproved request too).
 */
export const conditionOf = (request: CertificateSigningRequest): Condition => {
  const find = (type: string) =>
    pipe(
      O.fromNullable(request.status?.conditions),
      O.chain((conditions) =>
        O.fromNullable(conditions.find((c) => c.type === type && (c.status ?? 'True') === 'True')),
      ),
      O.map(({ reason = '', message = '' }) => ({ reason, message })),
    )
  const denied = find('Denied')
  if (O.isSome(denied)) return { _tag: 'Denied', ...denied.value }
  const failed = find('Failed')
  if (O.isSome(failed)) return { _tag: 'Failed', ...failed.value }
  if (O.isNone(find('Approved'))) return { _tag: 'Pending' }
  const certificate = request.status?.certificate ?? ''
  return certificate === '' ? { _tag: 'Approved' } : { _tag: 'Issued', certificate }
}

/** A request that is saved and not known to be at the API. */
export interface Draft {
  /** `metadata.name`. */
  readonly name: string
  readonly keyId: KeyId
  readonly template: CertificateTemplate
  /** PKCS#10 (RFC 2986) as PEM: exactly what is sent, since an EC signature differs each time it is made. */
  readonly pem: string
}

/** A request at the API. */
export interface OutstandingRequest extends Draft {
  /** `metadata.uid`: a request of the same name with another uid is another request. */
  readonly uid: string
  /** `metadata.resourceVersion` as the API answered it: from here on a watch misses nothing. */
  readonly resourceVersion: string
}

/**
 * What a request's name is the hash of: the key, the signer and the template, in one spelling. The same key for the
 * same template is the same request, so a repeated submission meets itself (409) instead of making an orphan.
 */
export const identityOf = (keyId: KeyId, template: CertificateTemplate): string =>
  JSON.stringify([
    keyId,
    template.signerName,
    template.commonName,
    template.organizations,
    template.dnsNames,
    template.ipAddresses,
    template.uris,
    template.usages,
    template.expirationSeconds ?? null,
  ])

/** The name of a request from the SHA-256 (hexadecimal) of its identity: as unique as its key, and a legal name. */
export const nameOf = (sha256: string): string => `csr-${sha256.slice(0, 32)}`
