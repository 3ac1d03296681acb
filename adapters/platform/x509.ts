/** X.509 certificates and public keys, as OpenSSL reads them. */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { KeyId } from '../../src/model/certificate.js'
import { pemBlocks } from '../../src/model/pem.js'

/** How much of others is read. */
export interface Bounds {
  readonly characters: number
  readonly certificates: number
}

/** A certificate of a few hundred names takes 20 kB; a chain has three or four. */
export const chainBounds: Bounds = { characters: 256 * 1024, certificates: 16 }
/** All CAs that the web trusts are about 150, and 250 kB. */
export const bundleBounds: Bounds = { characters: 1024 * 1024, certificates: 1_000 }

/** The `CERTIFICATE` blocks of a PEM text, in their order; a clause when there is none or too much, or one is damaged. */
export const readCertificates = (
  pem: string,
  bounds: Bounds,
): E.Either<string, readonly [X509Certificate, ...ReadonlyArray<X509Certificate>]> => {
  if (pem.length > bounds.characters) return E.left(`its ${pem.length} characters are too many`)
  const blocks = certificateBlocks(pem)
  if (blocks.length > bounds.certificates) return E.left(`${blocks.length} certificates are too many`)
  const certificates: Array<X509Certificate> = []
  for (const block of blocks) {
    const certificate = certificateOf(block)
    if (O.isNone(certificate)) return E.left(`certificate ${certificates.length + 1} is damaged`)
    certificates.push(certificate.value)
  }
  const [first, ...others] = certificates
  return first === undefined ? E.left('there is no CERTIFICATE block') : E.right([first, ...others])
}

/** The certificates of a PEM text that can be read; Go's `AppendCertsFromPEM` passes over the others too. */
export const readableCertificates = (pem: string): ReadonlyArray<X509Certificate> =>
  certificateBlocks(pem).flatMap((block) =>
    O.match(() => [], Array.of<X509Certificate>)(certificateOf(block)),
  )

/** The text of each `CERTIFICATE` block, without what stands around it. */
export const certificateBlocks = (pem: string): ReadonlyArray<string> =>
  pemBlocks(pem)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ text }) => text)

const certificateOf = (block: string): O.Option<X509Certificate> =>
  O.tryCatch(() => new X509Certificate(block))

/** SubjectPublicKeyInfo in DER, of a public key or of a private key's public half. */
export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })

/** The id of a key: SHA-256 of its SubjectPublicKeyInfo. */
export const keyIdOf = (key: KeyObject): KeyId => createHash('sha256').update(spkiOf(key)).digest('hex')
