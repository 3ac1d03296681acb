/** The CAs that delivered certificates are compared with. */
import { resolve } from 'node:path'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure } from '../../src/failure.js'
import type { TrustAnchors } from '../../src/ports.js'
import { checkAuthorities } from '../crypto/index.js'
import { type Cluster, type KubeconfigError, readBounded } from '../kubernetes/index.js'

/**
 * The CAs in a file, which each certificate has to lead to. A file that cannot be read says nothing about a certificate:
 * none is asked for or taken while that lasts, none is refused, and the one in use stays. So it costs a node no identity
 * in a hurry, and an impostor cannot make use of it.
 */
export const fromBundle = (path: string): TrustAnchors => {
  const source = resolve(path)
  const unusable = (reason: string) =>
    failure(
      'TrustUnusable',
      'soon',
      `reading the CAs of client certificates from ${source} (--client-ca-file, clientCertificateAuthority): ${reason}`,
      'put the CAs that sign client certificates there, PEM, or do not name the file; until then no certificate is asked for or taken',
    )
  return {
    source,
    required: true,
    read: pipe(
      readBounded(source),
      TE.mapLeft((reason) => unusable(`the file ${reason}`)),
      TE.map((content) => content.reveal()),
      TE.chainFirst((pem) =>
        pipe(
          checkAuthorities(pem),
          TE.mapLeft(({ message }) => unusable(message)),
        ),
      ),
      TE.map(O.some),
    ),
  }
}

/**
 * The CA by which a kubeconfig knows the API server. It need not be the one that signs client certificates, but is where
 * nobody made it another (kubeadm): so certificates are only expected to lead to it.
 */
export const fromCluster = (path: string, cluster: TaskEither<KubeconfigError, Cluster>): TrustAnchors => ({
  source: `kubeconfig ${path}`,
  required: false,
  read: pipe(
    cluster,
    TE.bimap(
      ({ message, remedy }) => failure('TrustUnusable', 'soon', message, remedy),
      ({ certificateAuthority }) => certificateAuthority,
    ),
  ),
})
