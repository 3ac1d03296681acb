import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { type CryptoError, failure } from '../../src/model/failure.js'
import { defaultKeyAlgorithm } from '../../src/model/key-algorithm.js'
import { type Secret, secret } from '../../src/model/secret.js'
import type { CryptoBackend, KeyHandle, TlsKey } from '../../src/ports.js'
import { type Faults, faults, type Inject, struck } from './faults.js'
import { keyIdOf, keyPem, readAuthorities, readCertificate, readKey, requestPem, sha256 } from './format.js'

/** The operations of a crypto backend that can fail. */
export type CryptoOperation =
  | 'generateKey'
  | 'createRequest'
  | 'restoreKey'
  | 'forStorage'
  | 'forTls'
  | 'parseChain'
  | 'verifyChain'

/** Keys and certificates without cryptography, the same in each run. */
export interface MemoryCrypto extends CryptoBackend {
  readonly inject: Inject<CryptoOperation, CryptoError>
}

export interface MemoryCryptoOptions {
  /** What a TLS handshake gets of a key; its PEM if not given. */
  readonly tlsKey?: (pem: Secret) => TlsKey
}

/** A crypto backend whose keys are called `key 1`, `key 2`, … and whose PEM blocks hold JSON. */
export const memoryCrypto = (options: MemoryCryptoOptions = {}): MemoryCrypto => {
  const { tlsKey = (pem) => ({ _tag: 'Pem', pem }) } = options
  const trouble: Faults<CryptoOperation, CryptoError> = faults()
  let generated = 0

  const does = <A>(operation: CryptoOperation, work: () => E.Either<CryptoError, A>) =>
    struck(trouble, operation, work)

  const handle = (name: string, algorithm = defaultKeyAlgorithm): KeyHandle => {
    const id = keyIdOf(name)
    const pem = secret(keyPem(name, algorithm))
    return {
      id,
      createRequest: (names) => () => does('createRequest', () => E.right(requestPem(names, id, algorithm))),
      forStorage: () => does('forStorage', () => E.right(pem)),
      forTls: () => does('forTls', () => E.right(tlsKey(pem))),
    }
  }

  const malformed = (what: string) => () =>
    failure('Malformed', 'later', `this is no ${what} of the memory adapter`, `make one with its helpers`)

  return {
    inject: trouble.inject,
    generateKey: (algorithm) => () =>
      does('generateKey', () => {
        generated += 1
        return E.right(handle(`key ${generated}`, algorithm))
      }),
    restoreKey: (stored) => () =>
      does('restoreKey', () =>
        pipe(
          readKey(stored.reveal()),
          O.map(({ key, keyAlgorithm }) => handle(key, keyAlgorithm)),
          E.fromOption(malformed('private key')),
        ),
      ),
    parseChain: (pem) => () =>
      does('parseChain', () =>
        pipe(
          readCertificate(pem),
          O.map((certificate) => ({ certificate, pem })),
          E.fromOption(malformed('certificate')),
        ),
      ),
    verifyChain: (pem, authorities) => () =>
      does('verifyChain', () =>
        pipe(
          readAuthorities(authorities),
          O.map((names) =>
            pipe(
              readCertificate(pem),
              O.filter(({ issuer }) => !names.includes(issuer)),
              O.map(({ issuer }) => `no CA there is called ${issuer}`),
            ),
          ),
          E.fromOption(malformed('bundle of CAs')),
        ),
      ),
    sha256: (text) => async () => sha256(text),
  }
}
