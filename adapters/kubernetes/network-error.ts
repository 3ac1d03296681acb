import { type ApiError, failure } from '../../src/model/failure.js'
import { type ConnectionFailure, words } from '../connections/failure.js'

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
  if (code.startsWith('PROXY_'))
    return failure(
      'Unreachable',
      'soon',
      message,
      'look at the proxy, and at what names it: proxy-url in the kubeconfig, or HTTPS_PROXY',
    )
  const cure = distrust.get(code) ?? 'look at the server, the network, and server in the kubeconfig'
  return failure('Unreachable', 'soon', message, cure)
}
