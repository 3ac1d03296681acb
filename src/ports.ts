/**
 * What the outside has to offer: the interfaces that adapters implement. Effects are values (`IO`, `Task`,
 * `TaskEither`): nothing happens before they are run, and nothing throws or rejects across a port. What waits takes a
 * signal, answers `Interrupted` soon after it is given, and has let go of everything by then.
 */
import type { Either } from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { Option } from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Addresses } from './model/addresses.js'
import type { Certificate, CertificateChain, KeyId, Names } from './model/certificate.js'
import type {
  AddressError,
  ApiError,
  CryptoError,
  Failure,
  Interrupted,
  OutputError,
  StoreError,
  TrustError,
  WindowError,
} from './model/failure.js'
import type { KeyAlgorithm } from './model/key-algorithm.js'
import type { Condition, Draft, OutstandingRequest } from './model/request.js'
import type { Secret } from './model/secret.js'
import type { Instant, Milliseconds } from './model/time.js'
import type { RenewalWindow } from './model/window.js'
import type { Signal } from './signal.js'

/** The wall clock. */
export interface Clock {
  readonly now: IO<Instant>
  /**
   * Ends when the wall clock is at or past the instant, was set back (what was to be waited for may be due: a delay that
   * began later than now is over), or the signal is given. It looks at the wall clock again every minute at least: a
   * machine that slept, or whose clock was set, is seen by then.
   */
  readonly sleepUntil: (until: Instant, signal: Signal) => Task<void>
}

/** What a TLS handshake needs of a private key. */
export type TlsKey =
  /** PKCS#8 or SEC 1, PEM. */
  | { readonly _tag: 'Pem'; readonly pem: Secret }
  /** An OpenSSL engine and the key's identifier in it (`privateKeyEngine`, `privateKeyIdentifier` of Node's TLS). */
  | { readonly _tag: 'Engine'; readonly engine: string; readonly identifier: string }
  | { readonly _tag: 'NotUsableHere'; readonly reason: string }

/** A private key that may not be exportable: what it can do, and its public name. */
export interface KeyHandle {
  readonly id: KeyId
  /** A PKCS#10 request (RFC 2986) for the names, signed by this key, PEM. */
  readonly createRequest: (names: Names) => TaskEither<CryptoError, string>
  /**
   * To keep beside the certificate: the key, or what finds it again. One block of PEM, whatever its label, except
   * `CERTIFICATE`.
   */
  readonly forStorage: TaskEither<CryptoError, Secret>
  readonly forTls: TaskEither<CryptoError, TlsKey>
  /**
   * Called once no certificate and no request of the rotation has this key, also where it was never used: for keys that
   * are kept elsewhere. The certificate before the current one stays in the store, and without its key is of no use. A
   * process that is killed forgets nothing. Whether it succeeded is for the port to tell: nobody waits for it.
   */
  readonly forget?: Task<void>
}

/** Keys and certificates. */
export interface CryptoBackend {
  /** A new key of this kind. */
  readonly generateKey: (algorithm: KeyAlgorithm) => TaskEither<CryptoError, KeyHandle>
  /** The key that `forStorage` wrote, or that a kubelet did. */
  readonly restoreKey: (stored: Secret) => TaskEither<CryptoError, KeyHandle>
  /** Reads PEM `CERTIFICATE` blocks, leaf first; text around them is passed over. */
  readonly parseChain: (pem: string) => TaskEither<CryptoError, CertificateChain>
  /**
   * Why the chain (PEM, the leaf first, then intermediates in any order) does not chain to one of the CAs (PEM): a clause
   * for people; none: it does. Signatures, names, basic constraints, and whether each CA on the way is valid now; the
   * leaf's own dates are not looked at. An error: the CAs cannot be read.
   */
  readonly verifyChain: (
    pem: string,
    authorities: string,
    now: Instant,
  ) => TaskEither<CryptoError, Option<string>>
  /** SHA-256 of the text in UTF-8, lower-case hexadecimal. */
  readonly sha256: (text: string) => Task<string>
}

/**
 * The CAs that issue the certificates. In Kubernetes that is the CA of client certificates (`--client-ca-file` of the API
 * server, `--cluster-signing-cert-file` of the controller manager); it may be another one than signed the API server's own
 * certificate.
 */
export interface TrustAnchors {
  /** Where they are from, for people: a path. */
  readonly source: string
  /**
   * true: a certificate that does not chain to one of them is refused, and while they cannot be read none is asked for
   * or taken. false: it is only remarked on.
   */
  readonly required: boolean
  /**
   * PEM, read anew for each certificate since CAs are replaced; none: there are none to compare with, which is an error
   * where they are required.
   */
  readonly read: TaskEither<TrustError, Option<string>>
}

/**
 * Under which names and addresses this node serves. Calls the listener as soon as that is known, at each change, and when
 * something keeps it from being known (what was known before goes on counting); the answer ends it. Addresses that are
 * empty: it is known that there are none (yet).
 */
export type AddressSource = (listener: (addresses: Either<AddressError, Addresses>) => void) => IO<void>

/** A certificate with its key as TLS wants them. */
export interface TlsCredential extends CertificateChain {
  readonly key: TlsKey
}

/** The current credential, and word of each change. What follows a credential takes one of these. */
export interface CredentialSource {
  /** None: there is none that has not expired. */
  readonly current: IO<Option<TlsCredential>>
  /** Calls the listener after each change, never before it returns; the answer ends the subscription. */
  readonly subscribe: (listener: (credential: Option<TlsCredential>) => void) => IO<void>
}

/** An API server, and how to know that it is the right one. */
export interface Cluster {
  /** `https://host:port`, with a path where the API lies below one; no slash at its end. */
  readonly server: string
  /** PEM `CERTIFICATE` blocks; none: those that the machine trusts by itself. */
  readonly certificateAuthority: Option<string>
  /** Where those are named, or could be, for people: a field of a kubeconfig, and the file that it names. */
  readonly trustedBy?: string
  /** The name to expect in the server's certificate, where it is not that of `server`. */
  readonly tlsServerName: Option<string>
  /** true: whoever answers is believed. */
  readonly insecureSkipTlsVerify: boolean
  /** An `http` or `https` URL of a proxy for CONNECT (RFC 9110, 9.3.6); may contain a password. */
  readonly proxyUrl: Option<Secret>
}

/** What proves to the API server who we are: a bearer token, a client certificate, or both (it then believes the certificate). */
export interface ClientCredential {
  readonly token: Option<Secret>
  readonly clientCertificate: Option<{ readonly pem: string; readonly key: TlsKey }>
  /** None: it is not known, or never. */
  readonly expiresAt: Option<Instant>
}

/** A credential that somebody else replaces: the token or certificate in a file, of a credential plugin, of a vault. */
export interface Credentials {
  /** What to send now. Asked for anew when it expired, was rejected, or may have been replaced; once for all who wait. */
  readonly current: (signal: Signal) => TaskEither<Failure<'NoCredential'> | Interrupted, ClientCredential>
  /** The server rejected this one: the next `current` does not answer it unasked. */
  readonly wasRejected: (credential: ClientCredential) => IO<void>
}

/** Whom a request goes out as. */
export type Identity =
  | { readonly _tag: 'Held'; readonly credential: TlsCredential }
  /** The bootstrap kubeconfig, read anew at each attempt since tokens are replaced. */
  | { readonly _tag: 'Bootstrap' }
  /** The external credential of a rotation that does not authenticate with its own certificate. */
  | { readonly _tag: 'External' }

/** What the API said about a request. */
export interface Submission {
  readonly uid: string
  readonly resourceVersion: string
  /** `Pending` for a new one; what it had come to when it was there already. */
  readonly condition: Condition
  /** The server's `Date`, whole seconds. */
  readonly serverTime: Option<Instant>
}

/** The CertificateSigningRequest API. */
export interface CertificateSigningRequests {
  /**
   * Creates the request. When its name is taken: the same `spec.request` is ours and taken up, another is `NameTaken`.
   */
  readonly submit: (
    identity: Identity,
    draft: Draft,
    signal: Signal,
  ) => TaskEither<ApiError | Interrupted, Submission>
  /** Answers as soon as the request is something else than `known`; no request of that name and uid is `Gone`. */
  readonly observe: (
    identity: Identity,
    request: OutstandingRequest,
    known: 'Pending' | 'Approved',
    signal: Signal,
  ) => TaskEither<ApiError | Interrupted, Condition | { readonly _tag: 'Gone' }>
  /** Asks for something that every authenticated user may have. */
  readonly probe: (identity: Identity, signal: Signal) => TaskEither<ApiError | Interrupted, void>
}

/** What is suggested for a certificate, and when to ask again (the `Retry-After` of RFC 9773, section 4.3). */
export interface Suggestion {
  /** None: nothing is suggested. */
  readonly window: Option<RenewalWindow>
  /** It is asked again after this, but not before a minute, nor later than a day. */
  readonly askAgainAfter: Milliseconds
}

/** Who suggests when certificates are to be renewed. No answer of it makes a renewal later. */
export interface RenewalWindows {
  /** The window for this certificate. An error: it is not known, and what was suggested before goes on counting. */
  readonly suggest: (
    held: {
      readonly certificate: Certificate
      readonly receivedAt: Instant
      /** To ask with; none: its key cannot be used here. */
      readonly credential: Option<TlsCredential>
    },
    signal: Signal,
  ) => TaskEither<WindowError | Interrupted, Suggestion>
  /** Calls the listener when it is to be asked again at once; the answer ends that. Absent: it never knows. */
  readonly subscribe?: (listener: IO<void>) => IO<void>
}

/** A certificate and key in the store, unchecked. */
export interface StoredPair {
  /** Where it lies, for people: a path. */
  readonly location: string
  /** The leaf first. */
  readonly pem: string
  readonly key: Secret
  readonly receivedAt: Instant
}

/** A request in the store with its private key. */
export interface SavedRequest {
  readonly draft: Draft
  readonly key: Secret
}

export interface StoreContents {
  /** Best first: what `current` points to, then what else could serve. */
  readonly pairs: ReadonlyArray<StoredPair>
  readonly request: Option<SavedRequest>
  /** What was found and could not be used, or looks wrong; sentences for people. */
  readonly warnings: ReadonlyArray<string>
}

/** The certificate store. Every change is whole or has not happened, also after a crash. */
export interface CertificateStore {
  readonly load: TaskEither<StoreError, StoreContents>
  /** Keeps a request and its key, in place of any other; shows at the same time that a pair could be installed. */
  readonly saveRequest: (saved: SavedRequest) => TaskEither<StoreError, void>
  /** Forgets the saved request and its key. */
  readonly discardRequest: TaskEither<StoreError, void>
  /** Stores a pair, makes it the current one, and forgets the saved request. Again is the same as once. */
  readonly install: (pair: {
    readonly certificate: Certificate
    readonly pem: string
    readonly key: Secret
    readonly receivedAt: Instant
  }) => TaskEither<StoreError, void>
}

/** What an output keeps. */
export interface OutputContent {
  readonly credential: TlsCredential
  /** The API server, as the kubeconfig says; none: it is not known. */
  readonly cluster: Option<Cluster>
}

/**
 * Where the certificate in use is kept besides the store: files for a TLS server, a Secret. It is written at the start,
 * and whenever the certificate or the cluster has changed; one write at a time, the newest content only. One that failed
 * is tried again, ever more slowly. The rotation never waits for it.
 */
export interface Output {
  /** What it is, for people: `the files in DIR`. */
  readonly name: string
  /** Brings it in line: whole or not at all, also after a crash. Again is the same as once. */
  readonly write: (content: OutputContent) => TaskEither<OutputError, void>
}
