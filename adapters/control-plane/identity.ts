import * as TE from 'fp-ts/lib/TaskEither.js'
import type { CryptoError } from '../../src/model/failure.js'
import type { Instant, Milliseconds } from '../../src/model/time.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { Authority } from '../crypto/index.js'
import { endOf, newAuthority, newPair, type Pair } from './ca.js'
import { authorityUnusable, type ControlPlaneError } from './error.js'

/** What an authority brings with it. */
export interface Identity {
  readonly authority: Authority
  readonly serving: Pair
  readonly admin: Pair
}

/** Makes the serving certificate and the administrator's. */
export const identityOf = (
  authority: Authority,
  hostname: string,
  now: Instant,
): TE.TaskEither<ControlPlaneError, Identity> => {
  const isAddress = /^[\d.]+$|:/.test(hostname)
  const serverNames = {
    commonName: 'kube-apiserver',
    dnsNames: [...new Set(['localhost', ...(isAddress ? [] : [hostname])])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...(isAddress ? [hostname] : [])])],
  }
  const adminNames = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }
  const usages = (purpose: string): ReadonlyArray<string> => [
    'digital signature',
    'key encipherment',
    purpose,
  ]
  return steps(async function* () {
    if (now >= endOf(authority)) return yield* fail(authorityUnusable('the CA has expired'))
    const serving = yield* ok(unusable(newPair(authority, now, serverNames, usages('server auth'))))
    const admin = yield* ok(unusable(newPair(authority, now, adminNames, usages('client auth'))))
    return { authority, serving, admin }
  })
}

export const freshAuthority = (
  now: Instant,
  lifetime: Milliseconds,
): TE.TaskEither<ControlPlaneError, Authority> => unusable(newAuthority(now, lifetime))

const unusable: <A>(made: TE.TaskEither<CryptoError, A>) => TE.TaskEither<ControlPlaneError, A> = TE.mapLeft(
  ({ message }) => authorityUnusable(message),
)
