/** Certificates, templates, requests and failures by the handful, for the tests of the core. */
import * as O from 'fp-ts/lib/Option.js'
import type { Delivered, Held } from '../../src/machine/facts.js'
import type { Certificate, KeyId } from '../../src/model/certificate.js'
import { type Failure, type FailureTag, failure } from '../../src/model/failure.js'
import type { Draft, OutstandingRequest } from '../../src/model/request.js'
import { type CertificateTemplate, kubeletClientTemplate } from '../../src/model/template.js'
import { after, day, type Instant, instant, type Milliseconds, minute } from '../../src/model/time.js'

/** 2026-11-23T12:00:00Z */
export const noon: Instant = instant(Date.UTC(2026, 10, 23, 12))

/** So many milliseconds after noon. */
export const at = (milliseconds: Milliseconds): Instant => after(noon, milliseconds)

export const template: CertificateTemplate = kubeletClientTemplate('worker-1')
export const otherTemplate: CertificateTemplate = kubeletClientTemplate('worker-2')

/** The id of the n-th key; all of a small share, so that certificates are renewed at 70 % of their lives. */
export const keyId = (n: number): KeyId => n.toString(16).padStart(64, '0')

/** A certificate for `template` and key 1, from five minutes before noon to a day after. */
export const certificate = (differences: Partial<Certificate> = {}): Certificate => ({
  commonName: template.commonName,
  organizations: template.organizations,
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  serialNumber: '0a1b',
  issuer: 'kubernetes',
  keyId: keyId(1),
  notBefore: at(-5 * minute),
  notAfter: at(day),
  extendedKeyUsages: O.some(['client auth']),
  ...differences,
})

export const chain = (differences: Partial<Certificate> = {}) => ({
  certificate: certificate(differences),
  pem: `certificate of ${differences.keyId ?? keyId(1)}`,
  verification: { _tag: 'Unchecked' } as const,
})

export const delivered = (receivedAt: Instant, differences: Partial<Certificate> = {}): Delivered => ({
  ...chain(differences),
  receivedAt,
})

/** A held certificate, received at noon and not refused. */
export const held = (
  differences: Partial<
    Certificate & Pick<Held, 'receivedAt' | 'rejectedAt' | 'serverUntrustedAt' | 'verification'>
  > = {},
): Held => {
  const {
    receivedAt = noon,
    rejectedAt = O.none,
    serverUntrustedAt = O.none,
    verification = { _tag: 'Unchecked' },
    ...rest
  } = differences
  return { ...chain(rest), receivedAt, rejectedAt, serverUntrustedAt, verification }
}

export const draft = (key: KeyId, wanted: CertificateTemplate = template): Draft => ({
  name: `csr-${key.slice(-4)}`,
  keyId: key,
  template: wanted,
  pem: `request of ${key}`,
})

export const request = (key: KeyId, wanted: CertificateTemplate = template): OutstandingRequest => ({
  ...draft(key, wanted),
  uid: `uid of ${key}`,
  resourceVersion: '1',
})

/** A failure of the kind, that nobody but the test has seen. */
export const trouble = <Tag extends FailureTag>(
  tag: Tag,
  retry: Failure['retry'] = 'soon',
  retryAfter: O.Option<Milliseconds> = O.none,
): Failure<Tag> => failure(tag, retry, `${tag} happened`, 'look into it', retryAfter)
