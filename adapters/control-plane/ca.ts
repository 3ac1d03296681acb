/** The control plane's certificate authority, and the certificates that it makes for the control plane itself. */
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Names } from '../../src/model/certificate.js'
import type { CryptoError } from '../../src/model/failure.js'
import { defaultKeyAlgorithm } from '../../src/model/key-algorithm.js'
import type { Secret } from '../../src/model/secret.js'
import {
  after,
  day,
  earliest,
  type Instant,
  instant,
  type Milliseconds,
  wholeSecond,
} from '../../src/model/time.js'
import { ok, steps } from '../../src/steps.js'
import { type Authority, createAuthority, createCertificate, cryptoBackend } from '../crypto/index.js'

/** A random serial number: 128 bits, positive (RFC 5280, 4.1.2.2), always of the same length. */
export const newSerialNumber = (): string => {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** Before any clock that may look at it: the control plane's may be a virtual one, its clients' the machine's. */
const longAgo = (now: Instant): Instant => wholeSecond(after(earliest(now, instant(Date.now())), -day))

/** A new authority; `lifetime` in ms from now. */
export const newAuthority = (now: Instant, lifetime: Milliseconds): TaskEither<CryptoError, Authority> =>
  createAuthority({
    commonName: 'kube-cert-rotation control plane',
    serialNumber: newSerialNumber(),
    notBefore: longAgo(now),
    notAfter: wholeSecond(after(now, lifetime)),
  })

/** When the authority's certificate ends. */
export const endOf = (authority: Authority): Instant =>
  instant(Date.parse(new X509Certificate(authority.pem).validTo))

export interface Pair {
  readonly certificate: string
  readonly key: Secret
}

/** A certificate with a new key, as long as the authority itself. */
export const newPair = (
  authority: Authority,
  now: Instant,
  names: Partial<Names>,
  usages: ReadonlyArray<string>,
): TaskEither<CryptoError, Pair> =>
  steps(async function* () {
    const handle = yield* ok(cryptoBackend.generateKey(defaultKeyAlgorithm))
    const key = yield* ok(handle.forStorage)
    const certificate = yield* ok(
      createCertificate(authority, {
        commonName: '',
        organizations: [],
        dnsNames: [],
        ipAddresses: [],
        uris: [],
        ...names,
        usages,
        serialNumber: newSerialNumber(),
        notBefore: longAgo(now),
        notAfter: endOf(authority),
        publicKey: createPublicKey(key.reveal()).export({ type: 'spki', format: 'der' }),
      }),
    )
    return { certificate, key }
  })
