/** What a certificate, key or bundle has to pass before anything is connected with it. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import * as tls from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { failure } from '../../src/model/failure.js'
import { instant } from '../../src/model/time.js'
import type { TlsKey } from '../../src/ports.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { codeOf } from '../platform/system-error.js'
import { bundleBounds, keyIdOf, readCertificates } from '../platform/x509.js'
import type { Credential, Problem } from './source.js'

/** Reads a chain, leaf first, and says what it is with this key. Nothing is checked but that the leaf can be read. */
export const credentialOf = (pem: string, key: TlsKey): E.Either<Problem, Credential> =>
  stepsSync(function* () {
    const [leaf] = yield* okSync(chainIn(pem))
    const publicKey = publicKeyOf(leaf)
    if (O.isNone(publicKey))
      return yield* okSync(unusableCredential('the public key in the certificate cannot be read'))
    const [notBefore, notAfter] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
    if (Number.isNaN(notBefore) || Number.isNaN(notAfter))
      return yield* okSync(unusableCredential('a date in the certificate is damaged'))
    return {
      certificate: {
        keyId: keyIdOf(publicKey.value),
        serialNumber: leaf.serialNumber.toLowerCase(),
        notBefore: instant(notBefore),
        notAfter: instant(notAfter),
      },
      pem,
      key,
    }
  })

/** Whether the chain is one, the key belongs to it, and it has not expired at `now` (ms since the epoch). */
export const checkCredential = (credential: Credential, now: number): E.Either<Problem, Credential> =>
  stepsSync(function* () {
    const chain = yield* okSync(chainIn(credential.pem))
    const broken = chain.findIndex((certificate, index) => {
      const issuer = chain[index + 1]
      return issuer !== undefined && !isIssuedBy(certificate, issuer)
    })
    if (broken >= 0)
      return yield* okSync(
        unusableCredential(`certificate ${broken + 1} of its chain is not signed by the one after it`),
      )
    if (now >= credential.certificate.notAfter)
      return yield* okSync(unusableCredential(`it expired on ${chain[0].validTo}`))
    return yield* okSync(checkKey(credential))
  })

const chainIn = (pem: string) => E.orElseW(unusableCredential)(readCertificates(pem, bundleBounds))

/** Whether TLS can use the key with the certificate, whatever the time is and whoever signed it. */
export const checkKey = (credential: Credential): E.Either<Problem, Credential> => {
  const { pem, key } = credential
  if (key._tag === 'NotUsableHere') return unusableCredential(key.reason)
  try {
    if (key._tag === 'Pem' && !new X509Certificate(pem).checkPrivateKey(createPrivateKey(key.pem.reveal())))
      return unusableCredential('its private key is another certificate’s')
    tls.createSecureContext(contextOptions(O.some({ pem, key })))
    return E.right(credential)
  } catch (error) {
    // OpenSSL's words are about the format; they have nothing of the key in them.
    return unusableCredential(`its private key cannot be used: ${codeOf(error) ?? 'it is damaged'}`)
  }
}

/** Whether all of a bundle can be read, and it is not empty. */
export const checkTrust = (pem: string): E.Either<Problem, string> => {
  return E.bimap(
    (problem: string) =>
      failure(
        'TrustUnusable',
        'soon',
        `using the bundle of trusted CAs: ${problem}`,
        'supply PEM CERTIFICATE blocks; until then the last good bundle is used',
      ),
    () => pem,
  )(readCertificates(pem, bundleBounds))
}

/** A credential in the words of Node's TLS. */
export const contextOptions = (
  credential: O.Option<Pick<Credential, 'pem' | 'key'>>,
): tls.SecureContextOptions => {
  if (O.isNone(credential)) return {}
  const { pem: cert, key } = credential.value
  if (key._tag === 'NotUsableHere') return {}
  return key._tag === 'Pem'
    ? { cert, key: key.pem.reveal() }
    : { cert, privateKeyEngine: key.engine, privateKeyIdentifier: key.identifier }
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) &&
  O.exists((key: KeyObject) => certificate.verify(key))(publicKeyOf(issuer))

/** None: OpenSSL reads a certificate whose key is of a kind that it does not know, and fails when asked for the key. */
const publicKeyOf = (certificate: X509Certificate): O.Option<KeyObject> =>
  O.tryCatch(() => certificate.publicKey)

const unusableCredential = (reason: string): E.Either<Problem, never> =>
  E.left(
    failure(
      'CredentialUnusable',
      'soon',
      `using the certificate and its key for TLS: ${reason}`,
      'supply a chain, the leaf first, and the key of that leaf, in PEM; until then the last good pair is used',
    ),
  )
