/** The CAs that delivered certificates are compared with. */
import { resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure, type TrustError } from '../../src/model/failure.js'
import type { TrustAnchors } from '../../src/ports.js'
import { checkAuthorities } from '../crypto/index.js'
import type { Cluster, KubeconfigError } from '../kubernetes/index.js'
import { readBounded } from '../platform/read-file.js'

/**
 * The CAs in a file, which each certificate has to chain to. A file that can no longer be read changes nobody's mind:
 * what it last said serves on, with a warning, since a file that is lost must not cost a node its identity. If it could
 * never be read, it says nothing about a certificate: none is asked for or taken until it can, and none is refused.
 */
export const fromBundle = (path: string, warn: (message: string) => void = () => {}): TrustAnchors => {
  const source = resolve(path)
  let lastGood: O.Option<string> = O.none
  let warned = false
  const read: TrustAnchors['read'] = async () => {
    const found = await readAuthorities(source)()
    if (E.isRight(found)) {
      lastGood = O.some(found.right)
      warned = false
      return E.right(lastGood)
    }
    if (O.isNone(lastGood)) return found
    if (!warned) warn(`${found.left.message}; what it said before serves on; ${found.left.remedy}`)
    warned = true
    return E.right(lastGood)
  }
  return { source, required: true, read }
}

const readAuthorities = (source: string): TaskEither<TrustError, string> => {
  const unusable = (reason: string): TrustError =>
    failure(
      'TrustUnusable',
      'soon',
      `reading the CAs of client certificates from ${source} (--client-ca-file, clientCertificateAuthority): ${reason}`,
      'put the CAs that sign client certificates there, PEM, or do not name the file',
    )
  return pipe(
    readBounded(source),
    TE.bimap(
      (reason) => unusable(`the file ${reason}`),
      (content) => content.reveal(),
    ),
    TE.chainFirst((pem) =>
      pipe(
        checkAuthorities(pem),
        TE.mapLeft(({ message }) => unusable(message)),
      ),
    ),
  )
}

/**
 * The CA by which a kubeconfig knows the API server. It need not be the one that signs client certificates, but is where
 * nobody made it another (kubeadm): so certificates are only expected to chain to it.
 */
export const fromCluster = (source: string, cluster: TaskEither<KubeconfigError, Cluster>): TrustAnchors => ({
  source,
  required: false,
  read: async () =>
    E.bimap(
      ({ message, remedy }: KubeconfigError): TrustError => failure('TrustUnusable', 'soon', message, remedy),
      ({ certificateAuthority }: Cluster) => certificateAuthority,
    )(await cluster()),
})
