import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Instant, Milliseconds } from '../../src/model/time.js'
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
  return async () => {
    if (now >= endOf(authority)) return E.left(authorityUnusable('the CA has expired'))
    const serving = await newPair(authority, now, serverNames, usages('server auth'))()
    if (E.isLeft(serving)) return E.left(authorityUnusable(serving.left.message))
    const admin = await newPair(authority, now, adminNames, usages('client auth'))()
    if (E.isLeft(admin)) return E.left(authorityUnusable(admin.left.message))
    return E.right({ authority, serving: serving.right, admin: admin.right })
  }
}

export const freshAuthority = (
  now: Instant,
  lifetime: Milliseconds,
): TE.TaskEither<ControlPlaneError, Authority> =>
  TE.mapLeft(({ message }: { readonly message: string }) => authorityUnusable(message))(
    newAuthority(now, lifetime),
  )
