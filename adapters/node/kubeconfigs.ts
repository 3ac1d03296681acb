/** Where requests go, and with which credential besides the certificate itself: what the kubeconfigs say. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sequenceT } from 'fp-ts/lib/Apply.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure } from '../../src/model/failure.js'
import type { Secret } from '../../src/model/secret.js'
import type { Clock } from '../../src/ports.js'
import {
  type Access,
  accessOf,
  type Cluster,
  type ClusterEntry,
  clusterFromKubeconfig,
  clusterOf,
  existingKubeconfig,
  type KubeconfigError,
  kubeconfigText,
  loadKubeconfig,
  writeKubeconfig,
} from '../kubernetes/index.js'
import { readableCertificates } from '../platform/x509.js'

/** A certificate that a kubeconfig brings along. */
export interface Pair {
  readonly pem: string
  readonly key: Secret
}

/** Both are read anew each time: tokens, CA files and addresses are replaced under a running agent. */
export interface Accesses {
  readonly cluster: TaskEither<KubeconfigError, Cluster>
  readonly bootstrap: TaskEither<KubeconfigError, Access>
}

const missing = (message: string, remedy: string): KubeconfigError =>
  failure('NoCredential', 'soon', message, remedy)

/** The credential of a bootstrap kubeconfig; its cluster is told to `read` each time. */
export const bootstrapFrom = (
  path: string | undefined,
  read: (cluster: ClusterEntry) => void = () => {},
): Accesses['bootstrap'] =>
  path === undefined
    ? TE.left(
        missing(
          'no certificate works, and no bootstrap kubeconfig was named',
          'name one (--bootstrap-kubeconfig)',
        ),
      )
    : pipe(
        loadKubeconfig(path),
        TE.chainFirstIOK(
          ({ cluster }) =>
            () =>
              read(cluster),
        ),
        TE.chain(accessOf),
      )

/** What a kubeconfig that follows the certificate says, and brings along. */
export interface Following extends Accesses {
  /** The certificate in the kubeconfig itself or in files of its own, to be taken into an empty store. */
  readonly pair: O.Option<Pair>
  /** Whether there is a file where the kubeconfig points, or is to point. */
  readonly leadsSomewhere: boolean
  /** Makes the kubeconfig point to the stored pair; what was there is kept beside it. Again is the same as once. */
  readonly follow: TaskEither<KubeconfigError, void>
  /**
   * Makes the kubeconfig name the server and the CA of the bootstrap kubeconfig, as it was when last used; what was there
   * is kept beside it. Nothing less is trusted than the operator named: a bootstrap kubeconfig without a CA is not adopted.
   */
  readonly adopt: TaskEither<KubeconfigError, void>
}

/**
 * The kubeconfig that uses the certificate (the kubelet's `--kubeconfig`): it is written before the first request,
 * for the cluster of the bootstrap kubeconfig, and then says where the API is. One whose client certificate works is
 * preferred to the bootstrap kubeconfig, and made to follow the store once its certificate lies there.
 */
export const following = (
  options: {
    readonly kubeconfig: string
    readonly bootstrapKubeconfig: string | undefined
    /** The file with the current certificate and key. */
    readonly pairPath: string
    readonly onWarning: (message: string) => void
  },
  clock: Clock,
): TaskEither<KubeconfigError, Following> => {
  const { kubeconfig: path, bootstrapKubeconfig, onWarning } = options
  const pairPath = resolve(options.pairPath)

  const write = (source: string, why: string): TaskEither<KubeconfigError, void> =>
    pipe(
      loadKubeconfig(source),
      TE.chain(({ cluster }) => writeCluster(cluster, why)),
    )

  const writeCluster =
    (cluster: ClusterEntry, why: string): TaskEither<KubeconfigError, void> =>
    async () => {
      const done = await writeKubeconfig(path, kubeconfigText(cluster, pairPath))()
      if (E.isLeft(done)) return E.left(missing(done.left.message, done.left.remedy))
      if (O.isSome(done.right.backup))
        onWarning(`${why}, so it was rewritten; what it said is in ${done.right.backup.value}`)
      return E.right(undefined)
    }

  return async () => {
    const existing = await existingKubeconfig(path, clock.now())()
    if (E.isLeft(existing)) return existing
    const found = existing.right
    const usable = found._tag === 'Usable'
    const legible = usable || (found._tag === 'Unusable' && O.isSome(found.kubeconfig))
    const source = () =>
      bootstrapKubeconfig === undefined || (usable && existsSync(path)) ? path : bootstrapKubeconfig
    let written = usable
    let told = ''
    /** The cluster of the bootstrap kubeconfig as it was last read for a request. */
    let bootstrapCluster: ClusterEntry | undefined
    /** One that was adopted and could not be written yet. */
    let unwritten: ClusterEntry | undefined
    const writeAdopted = async (cluster: ClusterEntry): Promise<E.Either<KubeconfigError, void>> => {
      const done = await writeCluster(
        cluster,
        `kubeconfig ${path}: its server cannot be verified, and that of ${cluster.place.file} can, with the CA there`,
      )()
      unwritten = E.isRight(done) ? undefined : cluster
      return done
    }
    const ensure: TaskEither<KubeconfigError, void> = async () => {
      if (unwritten !== undefined) {
        // What prevents it was told when it was adopted.
        await writeAdopted(unwritten)
        return E.right(undefined)
      }
      // Somebody may delete it later: only the bootstrap kubeconfig can tell again where the API is.
      if (written && (bootstrapKubeconfig === undefined || existsSync(path))) return E.right(undefined)
      const done = await write(source(), found._tag === 'Unusable' ? found.reason : '')()
      if (E.isRight(done)) written = true
      if (E.isRight(done) || !legible) return done
      // The cluster that stands there already has to do; but those who use the kubeconfig go on as it says.
      if (done.left.message !== told)
        onWarning(`${done.left.message}: it does not follow the certificate; ${done.left.remedy}`)
      told = done.left.message
      return E.right(undefined)
    }
    // Those who use the kubeconfig may look for it before there is a request; what prevents it now is told then.
    await ensure()
    return E.right({
      cluster: pipe(
        ensure,
        TE.chain(() =>
          unwritten === undefined ? clusterFromKubeconfig(path) : clusterOf({ cluster: unwritten }),
        ),
      ),
      bootstrap: pipe(
        ensure,
        TE.chain(() =>
          bootstrapFrom(bootstrapKubeconfig, (cluster) => {
            bootstrapCluster = cluster
          }),
        ),
      ),
      pair:
        usable && !leadsTo(found.certificatePath, pairPath)
          ? O.some({ pem: found.certificate, key: found.key })
          : O.none,
      leadsSomewhere: existsSync(pairPath),
      follow: write(source(), `kubeconfig ${path}: it is to follow the certificate in ${options.pairPath}`),
      adopt: async () => {
        if (bootstrapKubeconfig === undefined) return E.right(undefined)
        const loaded =
          bootstrapCluster === undefined
            ? await pipe(
                loadKubeconfig(bootstrapKubeconfig),
                TE.map(({ cluster }) => cluster),
              )()
            : E.right(bootstrapCluster)
        if (E.isLeft(loaded)) return loaded
        const { insecureSkipTlsVerify, certificateAuthority } = loaded.right
        if (!insecureSkipTlsVerify && O.isSome(certificateAuthority)) return writeAdopted(loaded.right)
        return E.left(
          missing(
            `kubeconfig ${path}: its server cannot be verified, and ${bootstrapKubeconfig} names no CA to verify it with`,
            `name the CA of the server in ${bootstrapKubeconfig} (certificate-authority), or in ${path}`,
          ),
        )
      },
    })
  }
}

const leadsTo = (path: O.Option<string>, pairPath: string): boolean =>
  O.isSome(path) && resolve(path.value) === pairPath

/**
 * Whether two kubeconfigs have no CA in common, so that at most one of them can verify the API server; false where one
 * names none.
 */
export const haveNoCommonAuthority = (one: string, other: string): TaskEither<KubeconfigError, boolean> =>
  pipe(
    sequenceT(TE.ApplySeq)(authoritiesOf(one), authoritiesOf(other)),
    TE.map(([a, b]) => a.length > 0 && b.length > 0 && !a.some((authority) => b.includes(authority))),
  )

const authoritiesOf = (path: string): TaskEither<KubeconfigError, ReadonlyArray<string>> =>
  pipe(
    clusterFromKubeconfig(path),
    TE.map(({ certificateAuthority }) =>
      O.isNone(certificateAuthority)
        ? []
        : readableCertificates(certificateAuthority.value).map(({ fingerprint256 }) => fingerprint256),
    ),
  )
