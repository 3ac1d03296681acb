import { type ApiError, failure } from '../../src/model/failure.js'
import { alertAboutUs } from '../connections/rejection.js'

/** No answer, or half of one: what happened on the way, by its Node or OpenSSL code. */
export interface ConnectionFailure {
  readonly _tag: 'ConnectionFailure'
  readonly code: string
  /** In words, the end of the sentence "GET https://… failed: …". */
  readonly reason: string
  /** The server rejected our certificate, or the lack of one, by a TLS alert. */
  readonly rejectsCertificate: boolean
}

export const connectionFailure = (
  code: string,
  reason: string,
  rejectsCertificate = false,
): ConnectionFailure => ({
  _tag: 'ConnectionFailure',
  code,
  reason,
  rejectsCertificate,
})

/** An error that Node's sockets pass on, from which `connectionFailureOf` makes the failure again. */
export const asError = ({ code, reason }: ConnectionFailure): Error =>
  Object.assign(new Error(reason), { code })

const words: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'the name of the server cannot be resolved'],
  ['EAI_AGAIN', 'the name of the server cannot be resolved for now'],
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['EHOSTUNREACH', 'there is no route to the server'],
  ['ENETUNREACH', 'there is no network to the server'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'the connection was closed in the middle of the answer'],
])

export const connectionFailureOf = (error: unknown): ConnectionFailure => {
  if (!(error instanceof Error)) return connectionFailure('', 'for an unknown reason')
  const given = 'code' in error ? String(error.code) : ''
  // OpenSSL's messages are "address:error:number:library:function:reason:file:line:…".
  const [, reason] = /:error:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(error.message) ?? []
  // A handshake that fails while Node writes to it has EPROTO for its code.
  const code =
    given === 'EPROTO' && reason !== undefined
      ? `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`
      : given
  return connectionFailure(
    code,
    words.get(code) ?? reason ?? error.message,
    alertAboutUs(error) !== undefined,
  )
}

/** What Node reports when the server's certificate does not chain to a CA that it was given (`X509_V_ERR_*` in OpenSSL). */
const untrusted: ReadonlyArray<string> = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
]

/** What else it reports when it does not believe the server, by the cure. */
const distrust: ReadonlyMap<string, string> = new Map([
  [
    'CERT_HAS_EXPIRED',
    'renew the certificate of the server, or its CA in certificate-authority; look at the clock of this machine too',
  ],
  ['CERT_NOT_YET_VALID', 'look at the clock of this machine and of the one that issued the certificate'],
  ...['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_SSL_UNSUPPORTED_PROTOCOL'].map(
    (code) => [code, 'let the server, or what ends TLS before it, speak TLS 1.2 or later'] as const,
  ),
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'use a name that is in the certificate of the server, as server or as tls-server-name in the kubeconfig',
  ],
])

/** What a connection failure means for whoever wanted `what`: `GET https://…`; `trustedBy`: where the CA of the server is named. */
export const unreachable = (
  what: string,
  { code, reason, rejectsCertificate }: ConnectionFailure,
  trustedBy = 'certificate-authority of the kubeconfig',
): ApiError => {
  if (untrusted.includes(code))
    return failure(
      'ServerUntrusted',
      // Servers get another certificate, and files are replaced.
      'soon',
      `${what} failed: the certificate of the server does not chain to a CA in ${trustedBy}: ${reason} (${code})`,
      `put the CA of this server into ${trustedBy}; if the cluster's CA was replaced, a bootstrap kubeconfig with the new one will do (--bootstrap-kubeconfig)`,
    )
  const message = `${what} failed: ${reason}${code === '' || words.has(code) ? '' : ` (${code})`}`
  if (rejectsCertificate)
    return failure(
      'CredentialRejected',
      // The other credential has its turn then, and tokens are replaced: neither is to wait for long.
      'soon',
      message,
      'the server rejects the client certificate: supply a bootstrap credential, and look whether its client CA changed',
    )
  if (/^(HPE_|BODY_TOO_LARGE)/.test(code))
    return failure(
      'Unintelligible',
      'soon',
      message,
      'look whether server in the kubeconfig is an API server',
    )
  // Also where a certificate is not believed: clocks are set by themselves, and servers get another one.
  const cure = distrust.get(code) ?? 'look at the server, the network, and server in the kubeconfig'
  return failure('Unreachable', 'soon', message, cure)
}
