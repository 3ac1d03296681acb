/** What simulated nodes ask for and get: templates, requests and certificates as plain records, without cryptography. */
import * as O from 'fp-ts/lib/Option.js'
import type { CheckedChain } from '../model/certificate.js'
import { type ApiError, failure } from '../model/failure.js'
import { nameOf, type OutstandingRequest } from '../model/request.js'
import { type CertificateTemplate, kubeletClientTemplate } from '../model/template.js'
import type { Instant, Milliseconds } from '../model/time.js'
import { bits, hex } from './random.js'
import { salts } from './world.js'

/** Their lists are one and the same: a hundred thousand copies would be read from memory again and again. */
export const templateOf = (node: number): CertificateTemplate => ({
  ...anybody,
  commonName: `${anybody.commonName}${node}`,
})
const anybody = kubeletClientTemplate('node-')

/** What is drawn of the id of a node's n-th key: its first 32 bits, by which deadlines are spread. */
export const drawnOf = (seed: number, node: number, key: number): string =>
  hex(bits(seed, node, salts.key, key))

/** The id of a node's n-th key. */
export const keyIdOf = (seed: number, node: number, key: number): string =>
  `${drawnOf(seed, node, key)}-${node}-${key}`

/** The node's n-th request, with an uid of its own. */
export const requestOf = (keyId: string, template: CertificateTemplate): OutstandingRequest => ({
  name: nameOf(keyId),
  keyId,
  template,
  pem: '',
  uid: keyId,
  resourceVersion: '1',
})

export const chainOf = (
  keyId: string,
  { commonName, organizations, dnsNames, ipAddresses, uris }: CertificateTemplate,
  notBefore: Instant,
  notAfter: Instant,
): CheckedChain => ({
  certificate: {
    commonName,
    organizations,
    dnsNames,
    ipAddresses,
    uris,
    serialNumber: '01',
    issuer: 'simulated',
    keyId,
    notBefore,
    notAfter,
    extendedKeyUsages: clientAuth,
  },
  pem: '',
  verification: unchecked,
})
const unchecked = { _tag: 'Unchecked' } as const
const clientAuth = O.some(['client auth'])

/** What calls of the API come to, as its adapter reports them. */
export const errors = (retryAfter: Milliseconds) =>
  ({
    unreachable: failure('Unreachable', 'soon', 'the API server does not answer', 'see that it runs'),
    overloaded: failure(
      'Unavailable',
      'soon',
      'the API server answers 429 Too Many Requests',
      'wait until it has recovered',
      O.some(retryAfter),
    ),
    rejected: failure(
      'CredentialRejected',
      'soon',
      'the API server answers 401 Unauthorized',
      'see which CA it trusts, and whether the credential has expired',
    ),
  }) satisfies Record<string, ApiError>
