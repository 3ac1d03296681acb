import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { problemOf } from '../../src/model/codec.js'
import type { ApiError } from '../../src/model/failure.js'
import { pemBlocks } from '../../src/model/pem.js'
import {
  CertificateSigningRequest,
  type Condition,
  conditionOf,
  type Draft,
} from '../../src/model/request.js'
import type { Signal } from '../../src/signal.js'
import { ok, steps } from '../../src/steps.js'
import type { ApiCall, Client, Stream } from './client.js'
import { type ApiResponse, isNotServed, unintelligible } from './response.js'

/** Versions of certificates.k8s.io, the better one first: v1 since Kubernetes 1.19, v1beta1 up to 1.21. */
export type Version = 'v1' | 'v1beta1'

/** Which version was seen to be served, remembered from request to request; cluster upgrades change it. */
export interface Served {
  version: Version
}

/** The collection `certificatesigningrequests`, in whichever version is served. */
export interface CsrClient {
  readonly create: (draft: Draft, signal: Signal) => ApiCall<ApiResponse>
  readonly get: (name: string, signal: Signal) => ApiCall<ApiResponse>
  readonly watch: (query: URLSearchParams, signal: Signal) => ApiCall<Stream | ApiResponse>
}

export const csrClient = (
  { ask, stream }: Client,
  served: Served,
  warn: (message: string) => void,
): CsrClient => {
  /** Tries the version that worked last; the other one when there is no such resource. */
  const inServedVersion = <A extends Stream | ApiResponse>(
    attempt: (version: Version) => ApiCall<A>,
  ): ApiCall<A> =>
    steps(async function* () {
      const first = yield* ok(attempt(served.version))
      if (!saysNotServed(first)) return first
      const other = served.version === 'v1' ? 'v1beta1' : 'v1'
      const second = yield* ok(attempt(other))
      if (saysNotServed(second)) return first
      served.version = other
      if (other === 'v1beta1') warn('the API server serves certificates.k8s.io only as v1beta1')
      return second
    })
  return {
    create: (draft, signal) =>
      inServedVersion((version) => ask('POST', collection(version), toObject(draft, version), signal)),
    get: (name, signal) =>
      inServedVersion((version) =>
        ask('GET', `${collection(version)}/${encodeURIComponent(name)}`, undefined, signal),
      ),
    watch: (query, signal) => inServedVersion((version) => stream(`${collection(version)}?${query}`, signal)),
  }
}

const saysNotServed = (response: Stream | ApiResponse): boolean =>
  response._tag === 'ApiResponse' && isNotServed(response)

const collection = (version: Version): string =>
  `/apis/certificates.k8s.io/${version}/certificatesigningrequests`

const toObject = ({ name, pem, template }: Draft, version: Version): object => ({
  apiVersion: `certificates.k8s.io/${version}`,
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: {
    request: Buffer.from(pem).toString('base64'),
    signerName: template.signerName,
    usages: template.usages,
    ...(version === 'v1' && template.expirationSeconds !== undefined
      ? { expirationSeconds: template.expirationSeconds }
      : {}),
  },
})

export const decodeRequest = (body: unknown, what: string): E.Either<ApiError, CertificateSigningRequest> =>
  pipe(
    CertificateSigningRequest.decode(body),
    E.mapLeft((errors) => {
      const problem = problemOf(errors)
      const where = problem.where === '' ? 'the object' : problem.where
      return unintelligible(
        `${what} was answered with no CertificateSigningRequest: ${where} ${problem.what}`,
      )
    }),
  )

/** Where a request stands, without this client's secrets in what others say about it. */
export const conditionFrom = (request: CertificateSigningRequest, redact: Client['redact']): Condition => {
  const condition = conditionOf(request)
  return condition._tag === 'Denied' || condition._tag === 'Failed'
    ? { ...condition, reason: redact(condition.reason), message: redact(condition.message) }
    : condition
}

/** Whether a request at the API is the one of the draft: the same PKCS#10, however its PEM is laid out. */
export const isSameRequest = (request: CertificateSigningRequest, draft: Draft): boolean => {
  const [ours, theirs] = [draft.pem, Buffer.from(request.spec.request, 'base64').toString('latin1')].map(
    (pem) => pemBlocks(pem).find(({ label }) => label.endsWith('CERTIFICATE REQUEST')),
  )
  return ours !== undefined && theirs !== undefined && der(ours.text).equals(der(theirs.text))
}

const der = (pem: string): Buffer => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
