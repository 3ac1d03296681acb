/** A CertificateSigningRequest as it is stored, and as the API shows it. */
import type { RequestStatus } from '../../src/control-plane/index.js'

export const apiVersion = 'certificates.k8s.io/v1'
export const kind = 'CertificateSigningRequest'

export interface Metadata {
  readonly name: string
  readonly generateName?: string
  readonly uid: string
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Spec {
  /** Base64 of PEM. */
  readonly request: string
  readonly signerName: string
  readonly expirationSeconds?: number
  readonly usages: ReadonlyArray<string>
  readonly username: string
  readonly groups: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** A request without its version, which is the storage's to give. */
export interface Content {
  readonly metadata: Metadata
  /** One object for a request's whole life, so that what was read out of it can be remembered by it. */
  readonly spec: Spec
  readonly status: RequestStatus
}

export interface SigningRequest extends Content {
  readonly resourceVersion: string
}

/** The metadata as JSON. */
export const renderedMetadata = ({ metadata, resourceVersion }: SigningRequest) => ({
  ...metadata,
  resourceVersion,
})

/** The object as JSON. */
export const rendered = (request: SigningRequest) => ({
  kind,
  apiVersion,
  metadata: renderedMetadata(request),
  spec: request.spec,
  status: {
    ...(request.status.conditions.length === 0 ? {} : { conditions: request.status.conditions }),
    ...(request.status.certificate === '' ? {} : { certificate: request.status.certificate }),
  },
})

/** Whether a condition of the type is there and true. */
export const has = (request: Content, type: string): boolean =>
  request.status.conditions.some((condition) => condition.type === type && condition.status === 'True')
