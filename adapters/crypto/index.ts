/**
 * Keys, certification requests and certificates: OpenSSL as Node has it, with pkijs and asn1js for what
 * they cannot do. Those two take longer to load than all the rest; they are loaded when something first needs them.
 */
import { createHash } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type CryptoError, failure } from '../../src/model/failure.js'
import type { KeyAlgorithm } from '../../src/model/key-algorithm.js'
import type { CryptoBackend } from '../../src/ports.js'
import { keyHandle, readKey } from './key.js'
import { newKey } from './kinds.js'
import { attempt, reasonOf } from './outcome.js'
import type {
  Authority,
  AuthorityParameters,
  CertificateParameters,
  ParsedRequest,
  Validity,
} from './types.js'

export { run } from '../platform/promise.js'
export { keyHandleFrom, referenceIn } from './key.js'
export type {
  Authority,
  AuthorityParameters,
  CertificateParameters,
  Hash,
  KeyParts,
  OtherAttribute,
  ParsedRequest,
  Validity,
} from './types.js'

/** Keys in memory, exportable: all kinds that this Node's OpenSSL has. */
export const cryptoBackend: CryptoBackend = {
  generateKey: (algorithm) =>
    pipe(
      TE.tryCatch(
        () => newKey(algorithm),
        (thrown) =>
          failure(
            'KeyUnavailable',
            'soon',
            `no private key ${algorithm} could be made: ${reasonOf(thrown)}`,
            algorithm.startsWith('ML-DSA-')
              ? `ML-DSA needs a Node.js with OpenSSL 3.5; this one has ${process.versions.openssl}`
              : 'choose another kind of key, or another Node.js',
          ),
      ),
      TE.map(keyHandle),
    ),
  restoreKey: (stored) => pipe(readKey(stored), TE.map(keyHandle)),
  parseChain: (pem) =>
    attempt('the certificate chain cannot be read', 'give PEM CERTIFICATE blocks, the leaf first', async () =>
      (await import('./chain.js')).readChain(pem),
    ),
  verifyChain: (pem, authorities, now) =>
    attempt(unreadableBundle, giveBundle, async () =>
      (await import('./verify.js')).problemOf(pem, authorities, now),
    ),
  sha256: (text) => async () => createHash('sha256').update(text, 'utf8').digest('hex'),
}

/** Whether keys of this kind can be made here, by making one; RSA keys, which take long, can be made everywhere. */
export const checkKeyAlgorithm = (algorithm: KeyAlgorithm): TE.TaskEither<CryptoError, void> =>
  algorithm.startsWith('RSA-')
    ? TE.right(undefined)
    : TE.map(() => undefined)(cryptoBackend.generateKey(algorithm))

/** Whether a bundle of CAs, PEM, can be read and has one in it. */
export const checkAuthorities = (pem: string): TE.TaskEither<CryptoError, void> =>
  attempt(unreadableBundle, giveBundle, async () => {
    ;(await import('./verify.js')).readAuthorities(pem)
  })

/** Reads a certification request (PKCS#10, RFC 2986), PEM; one that is not signed by its own key is an error. */
export const parseRequest = (pem: string): TE.TaskEither<CryptoError, ParsedRequest> =>
  attempt(
    'the certification request cannot be read',
    'give a PEM CERTIFICATE REQUEST block that is signed by the key it is for',
    async () => (await import('./request.js')).readRequest(pem),
  )

/** Makes a self-signed certificate authority with a new EC key. */
export const createAuthority = (parameters: AuthorityParameters): TE.TaskEither<CryptoError, Authority> =>
  attempt('the certificate authority cannot be made', checkParameters, async () =>
    (await import('./ca.js')).newAuthority(parameters),
  )

/** Makes a certificate signed by the authority: the leaf alone, PEM, as Kubernetes' signers hand it out. */
export const createCertificate = (
  authority: Authority,
  parameters: CertificateParameters,
): TE.TaskEither<CryptoError, string> =>
  attempt('the certificate cannot be made', checkParameters, async () =>
    (await import('./ca.js')).newCertificate(authority, parameters),
  )

/**
 * Signs requests (PKCS#10, PEM) by an authority, for the names and the key in them, as Kubernetes' signers do; answers the
 * leaf alone, PEM.
 */
export const signerBy =
  (authority: Authority) =>
  (
    request: string,
    parameters: Validity & Pick<CertificateParameters, 'usages'>,
  ): TE.TaskEither<CryptoError, string> =>
    pipe(
      parseRequest(request),
      TE.chain((parsed) => createCertificate(authority, { ...parsed, ...parameters })),
    )

const unreadableBundle = 'the bundle of CAs cannot be read'
const giveBundle = 'give PEM CERTIFICATE blocks of CAs'
const checkParameters = 'check the names, the usages, the serial number and the authority’s key'
