import type { IO } from 'fp-ts/lib/IO.js'
import type * as O from 'fp-ts/lib/Option.js'
import type { Certificate } from '../../src/model/certificate.js'
import type { Failure } from '../../src/model/failure.js'
import type { TlsKey } from '../../src/ports.js'
import type { Route } from './route.js'

/** A value that changes, and word of each change. */
export interface Source<A> {
  readonly current: IO<A>
  /** Calls the listener after each change, never before it returns; the answer ends the subscription. */
  readonly subscribe: (listener: (value: A) => void) => IO<void>
}

/** A certificate with its key, as far as TLS needs to know them. Every `TlsCredential` of the core is one. */
export interface Credential {
  readonly certificate: Pick<Certificate, 'keyId' | 'serialNumber' | 'notBefore' | 'notAfter'>
  /** PEM `CERTIFICATE` blocks, the leaf first. */
  readonly pem: string
  readonly key: TlsKey
}

/** How many connections carry a certificate. */
export interface Count {
  /** None: connections without a certificate. */
  readonly certificate: O.Option<Credential['certificate']>
  /** New connections carry it. */
  readonly current: boolean
  /** Handshakes under way included. */
  readonly connections: number
}

/** What TLS connections are made with. A running rotation is one. */
export interface Sources {
  /**
   * Absent: connections are made without a certificate. None at the moment: they are an error, unless `anonymous` of
   * `FollowOptions` allows them.
   */
  readonly credentials?: Source<O.Option<Credential>>
  /** No certificate is meant to be had from these: true allows connections without one. */
  readonly anonymous?: boolean
  /** Why there is no credential at the moment, where that is known. */
  readonly problem?: IO<O.Option<Problem>>
  /** Whom to trust: a bundle of CAs, PEM `CERTIFICATE` blocks. None: those that Node trusts by itself. */
  readonly trust?: Source<O.Option<string>>
  /**
   * How connections get to the API server: `tls-server-name` and the proxy of a kubeconfig. For this server alone; absent
   * or none: all are reached by what their URLs say.
   */
  readonly route?: Source<O.Option<Route>>
  /** Why nobody is trusted at the moment, where that is known. */
  readonly trustProblem?: IO<O.Option<Problem>>
  /** Hears that a server rejected the certificate, where `FollowOptions` name nobody else. */
  readonly reportRejected?: (rejection: { readonly keyId: string; readonly reason: string }) => void
  /** Hears of who follows, and can count their connections until the answer is called. */
  readonly followed?: (counts: IO<ReadonlyArray<Count>>) => IO<void>
}

/** Why a certificate, key or bundle was not applied: what is wrong with it, and what a person can do about it. */
export type Problem = Failure<'CredentialUnusable' | 'TrustUnusable' | 'Unreadable'>

/** Tells of a problem where nobody asked to be told: a warning of the process. */
export const warnOf = ({ _tag, message, remedy }: Problem): void =>
  process.emitWarning(`${message}; ${remedy}`, { type: 'KubeCertRotationWarning', code: _tag })

/** A source whose value the embedder sets. */
export interface Variable<A> extends Source<A> {
  readonly set: (value: A) => void
}

/** A source that changes when it is told to. */
export const variable = <A>(initial: A): Variable<A> => {
  let listeners: ReadonlyArray<(value: A) => void> = []
  let value = initial
  return {
    current: () => value,
    subscribe: (listener) => {
      listeners = listeners.concat(listener)
      return () => {
        listeners = listeners.filter((one) => one !== listener)
      }
    },
    set: (next) => {
      value = next
      for (const listener of listeners) listener(next)
    },
  }
}
