import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
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
  /** Whose keys and certificates they are, real ones for instance; those of `format.ts` if not given. */
  readonly backend?: CryptoBackend
}

/** A crypto backend whose keys are called `key 1`, `key 2`, … and whose PEM blocks hold JSON; or another, with faults. */
export const memoryCrypto = (options: MemoryCryptoOptions = {}): MemoryCrypto => {
  const { tlsKey = (pem) => ({ _tag: 'Pem', pem }), backend = readable(tlsKey) } = options
  const injected: Faults<CryptoOperation, CryptoError> = faults()

  const does =
    <A>(operation: CryptoOperation, work: TE.TaskEither<CryptoError, A>): TE.TaskEither<CryptoError, A> =>
    () =>
      struck(injected, operation, work)

  const handle = (key: KeyHandle): KeyHandle => ({
    ...key,
    createRequest: (names) => does('createRequest', key.createRequest(names)),
    forStorage: does('forStorage', key.forStorage),
    forTls: does('forTls', key.forTls),
  })

  return {
    inject: injected.inject,
    generateKey: (algorithm) => pipe(does('generateKey', backend.generateKey(algorithm)), TE.map(handle)),
    restoreKey: (stored) => pipe(does('restoreKey', backend.restoreKey(stored)), TE.map(handle)),
    parseChain: (pem) => does('parseChain', backend.parseChain(pem)),
    verifyChain: (...given) => does('verifyChain', backend.verifyChain(...given)),
    sha256: backend.sha256,
  }
}

/** Keys with names, and PEM blocks that people can read. */
const readable = (tlsKey: (pem: Secret) => TlsKey): CryptoBackend => {
  let generated = 0

  const handle = (name: string, algorithm = defaultKeyAlgorithm): KeyHandle => {
    const id = keyIdOf(name)
    const pem = secret(keyPem(name, algorithm))
    return {
      id,
      createRequest: (names) => TE.right(requestPem(names, id, algorithm)),
      forStorage: TE.right(pem),
      forTls: TE.fromIO(() => tlsKey(pem)),
    }
  }

  const malformed = (what: string) => () =>
    failure('Malformed', 'later', `this is no ${what} of the memory adapter`, `make one with its helpers`)

  return {
    generateKey: (algorithm) =>
      TE.fromIO(() => {
        generated += 1
        return handle(`key ${generated}`, algorithm)
      }),
    restoreKey: (stored) =>
      pipe(
        readKey(stored.reveal()),
        O.map(({ key, keyAlgorithm }) => handle(key, keyAlgorithm)),
        TE.fromOption(malformed('private key')),
      ),
    parseChain: (pem) =>
      pipe(
        readCertificate(pem),
        O.map((certificate) => ({ certificate, pem })),
        TE.fromOption(malformed('certificate')),
      ),
    verifyChain: (pem, authorities) =>
      pipe(
        readAuthorities(authorities),
        O.map((names) =>
          pipe(
            readCertificate(pem),
            O.filter(({ issuer }) => !names.includes(issuer)),
            O.map(({ issuer }) => `no CA there is called ${issuer}`),
          ),
        ),
        TE.fromOption(malformed('bundle of CAs')),
      ),
    sha256: (text) => async () => sha256(text),
  }
}
