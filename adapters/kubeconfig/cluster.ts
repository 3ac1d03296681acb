import type { Option } from 'fp-ts/lib/Option.js'
import type { Secret } from '../../src/model/secret.js'
import type { TlsKey } from '../../src/ports.js'

/** An API server, and how to know that it is the right one. */
export interface Cluster {
  /** `https://host:port`, with a path where the API lies below one; no slash at its end. */
  readonly server: string
  /** PEM `CERTIFICATE` blocks; none: those that Node trusts by itself. */
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

/** What proves who we are: a bearer token, a client certificate, or both (the server then believes the certificate). */
export interface Credential {
  readonly token: Option<Secret>
  readonly clientCertificate: Option<{ readonly pem: string; readonly key: TlsKey }>
}

/** An API server and a credential for it: a credential goes nowhere else. */
export interface Access {
  readonly cluster: Cluster
  readonly credential: Credential
}
