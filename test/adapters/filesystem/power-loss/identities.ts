/** Certificates with keys and requests, as real as can be, and a crypto port that works out each of them only once. */
import type * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import {
  createAuthority,
  createCertificate,
  cryptoBackend,
  parseRequest,
} from '../../../../adapters/crypto/index.js'
import type { NewPair } from '../../../../adapters/filesystem/changes.js'
import { kubeletClientTemplate } from '../../../../src/model/template.js'
import { after, day, minute } from '../../../../src/model/time.js'
import type { CryptoBackend, SavedRequest } from '../../../../src/ports.js'
import { right } from '../../outcome.js'
import { noon } from '../material.js'

/** In the order in which they were issued. */
export const names = ['oldest', 'older', 'old', 'other', 'new', 'next'] as const
export type Name = (typeof names)[number]

export interface Identity {
  readonly pair: NewPair
  readonly request: SavedRequest
  /** What a file with the pair holds. */
  readonly text: string
}

export type Identities = Readonly<Record<Name, Identity>>

export const identities = async (): Promise<Identities> => {
  const validity = { serialNumber: '1', notBefore: noon, notAfter: after(noon, day) }
  const authority = await right(createAuthority({ ...validity, commonName: 'ca' }))
  const issue = async (name: Name): Promise<Identity> => {
    const key = await right(cryptoBackend.generateKey('ECDSA-P256'))
    const template = { ...kubeletClientTemplate(name), expirationSeconds: 3600 }
    const pem = await right(key.createRequest(template))
    const parameters = { ...(await right(parseRequest(pem))), ...validity, usages: ['client auth'] }
    const chain = await right(cryptoBackend.parseChain(await right(createCertificate(authority, parameters))))
    const stored = await right(key.forStorage)
    return {
      pair: { ...chain, key: stored, receivedAt: after(noon, names.indexOf(name) * minute) },
      request: { draft: { name: `csr-${name}`, keyId: key.id, template, pem }, key: stored },
      text: chain.pem.concat(stored.reveal()),
    }
  }
  return {
    oldest: await issue('oldest'),
    older: await issue('older'),
    old: await issue('old'),
    other: await issue('other'),
    new: await issue('new'),
    next: await issue('next'),
  }
}

/** The same answers without the same work. */
export const remembering = (crypto: CryptoBackend): CryptoBackend => {
  const restored = new Map<string, ReturnType<ReturnType<CryptoBackend['restoreKey']>>>()
  const parsed = new Map<string, ReturnType<ReturnType<CryptoBackend['parseChain']>>>()
  return {
    ...crypto,
    restoreKey: (stored) => () => remembered(restored, stored.reveal(), crypto.restoreKey(stored)),
    parseChain: (pem) => () => remembered(parsed, pem, crypto.parseChain(pem)),
  }
}

const remembered = <A, B>(
  known: Map<string, Promise<E.Either<A, B>>>,
  text: string,
  work: TaskEither<A, B>,
): Promise<E.Either<A, B>> => {
  const answer = known.get(text) ?? work()
  known.set(text, answer)
  return answer
}
