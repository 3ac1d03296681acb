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
import { ok, steps } from '../../src/steps.js'
import {
  type AccessSource,
  accessFromKubeconfig,
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
  readonly bootstrap: AccessSource
}

const missing = (message: string, remedy: string): KubeconfigError =>
  failure('NoCredential', 'soon', message, remedy)

/** The credential of a bootstrap kubeconfig; its cluster is told to `read` each time. */
export const bootstrapFrom = (
  path: string | undefined,
  warn: (message: string) => void,
  read: (cluster: ClusterEntry) => void = () => {},
): Accesses['bootstrap'] =>
  path === undefined
    ? () =>
        TE.left(
          missing(
            'no certificate works, and no bootstrap kubeconfig was named',
            'name one (--bootstrap-kubeconfig); a kubeconfig with a token is one, and --kubeconfig is not: what it had is kept beside it',
          ),
        )
    : accessFromKubeconfig(path, { warn, read })

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

  const write = (cluster: ClusterEntry, why: string): TaskEither<KubeconfigError, void> =>
    steps(async function* () {
      const written = pipe(
        writeKubeconfig(path, kubeconfigText(cluster, pairPath)),
        TE.mapLeft(({ message, remedy }) => missing(message, remedy)),
      )
      const { backup } = yield* ok(written)
      if (O.isSome(backup)) onWarning(`${why}, so it was rewritten; what it said is in ${backup.value}`)
    })

  return steps(async function* () {
    const found = yield* ok(existingKubeconfig(path, clock.now()))
    const isUsable = found._tag === 'Usable'
    const isReadable = isUsable || (found._tag === 'Unusable' && O.isSome(found.kubeconfig))
    const source = () =>
      bootstrapKubeconfig === undefined || (isUsable && existsSync(path)) ? path : bootstrapKubeconfig
    const copy = (why: string): TaskEither<KubeconfigError, void> =>
      steps(async function* () {
        const { cluster } = yield* ok(loadKubeconfig(source()))
        yield* ok(write(cluster, why))
      })
    let isWritten = isUsable
    let told = ''
    /** The cluster of the bootstrap kubeconfig as it was last read for a request. */
    let bootstrapCluster: ClusterEntry | undefined
    const bootstrap = bootstrapFrom(bootstrapKubeconfig, onWarning, (cluster) => {
      bootstrapCluster = cluster
    })
    /** One that was adopted and could not be written yet. */
    let unwritten: ClusterEntry | undefined
    const adopted = (cluster: ClusterEntry): TaskEither<KubeconfigError, void> =>
      steps(async function* () {
        unwritten = cluster
        const why = `kubeconfig ${path}: its server cannot be verified, and that of ${cluster.place.file} can, with the CA there`
        yield* ok(write(cluster, why))
        unwritten = undefined
      })
    const ensure: TaskEither<KubeconfigError, void> = async () => {
      if (unwritten !== undefined) {
        // What prevents it was told when it was adopted.
        await adopted(unwritten)()
        return E.right(undefined)
      }
      // Somebody may delete it later: only the bootstrap kubeconfig can tell again where the API is.
      if (isWritten && (bootstrapKubeconfig === undefined || existsSync(path))) return E.right(undefined)
      const done = await copy(found._tag === 'Unusable' ? found.reason : '')()
      if (E.isRight(done)) isWritten = true
      if (E.isRight(done) || !isReadable) return done
      // The cluster that stands there already has to do; but those who use the kubeconfig go on as it says.
      if (done.left.message !== told)
        onWarning(`${done.left.message}: it does not follow the certificate; ${done.left.remedy}`)
      told = done.left.message
      return E.right(undefined)
    }
    // Those who use the kubeconfig may look for it before there is a request; what prevents it now is told then.
    await ensure()
    return {
      cluster: steps(async function* () {
        yield* ok(ensure)
        return yield* ok(
          unwritten === undefined ? clusterFromKubeconfig(path) : clusterOf({ cluster: unwritten }),
        )
      }),
      bootstrap: (signal) =>
        steps(async function* () {
          yield* ok(ensure)
          return yield* ok(bootstrap(signal))
        }),
      pair:
        isUsable && !leadsTo(found.certificatePath, pairPath)
          ? O.some({ pem: found.certificate, key: found.key })
          : O.none,
      leadsSomewhere: existsSync(pairPath),
      follow: copy(`kubeconfig ${path}: it is to follow the certificate in ${options.pairPath}`),
      adopt: steps(async function* () {
        if (bootstrapKubeconfig === undefined) return
        const cluster = bootstrapCluster ?? (yield* ok(loadKubeconfig(bootstrapKubeconfig))).cluster
        const { insecureSkipTlsVerify, certificateAuthority } = cluster
        yield* ok(
          insecureSkipTlsVerify || O.isNone(certificateAuthority)
            ? TE.left(
                missing(
                  `kubeconfig ${path}: its server cannot be verified, and ${bootstrapKubeconfig} names no CA to verify it with`,
                  `name the CA of the server in ${bootstrapKubeconfig} (certificate-authority), or in ${path}`,
                ),
              )
            : adopted(cluster),
        )
      }),
    }
  })
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
