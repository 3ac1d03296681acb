/** Where a pod finds the API server, and its service account's token (client-go's `rest.InClusterConfig`). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sequenceS } from 'fp-ts/lib/Apply.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure } from '../../src/model/failure.js'
import { secret } from '../../src/model/secret.js'
import { ok, steps } from '../../src/steps.js'
import { readBounded } from '../platform/read-file.js'
import { readableCertificates } from '../platform/x509.js'
import type { AccessSource, Cluster } from './cluster.js'
import type { KubeconfigError } from './problem.js'
import { checkProxyUrl, proxyFromEnvironment } from './proxy.js'

export interface InCluster {
  /** `https://HOST:PORT`, as `KUBERNETES_SERVICE_HOST` and `_PORT` say. */
  readonly server: string
  readonly cluster: TE.TaskEither<KubeconfigError, Cluster>
  /** The token is read for each request: the kubelet replaces it every hour. */
  readonly access: AccessSource
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'
export const tokenFile = join(serviceAccount, 'token')

/** None: this is no pod of a cluster, or one without a service account's token. */
export const inCluster = (
  environment: NodeJS.ProcessEnv = process.env,
  directory = serviceAccount,
): O.Option<InCluster> => {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment
  const tokenPath = join(directory, 'token')
  const authorityPath = join(directory, 'ca.crt')
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (host === '' || port === '' || !URL.canParse(server) || !existsSync(tokenPath)) return O.none

  const read = (path: string, isGood: (text: string) => boolean, what: string) =>
    pipe(
      readBounded(path),
      TE.mapLeft((reason) => unusable(`the file ${path} ${reason}`)),
      TE.map((content) => content.reveal()),
      TE.filterOrElse(isGood, () => unusable(`the file ${path} holds no ${what}`)),
    )
  const cluster = steps(async function* () {
    const pem = yield* ok(
      read(authorityPath, (text) => readableCertificates(text).length > 0, 'certificate of a CA'),
    )
    const proxyUrl = yield* ok(
      pipe(
        proxyFromEnvironment(server, environment),
        O.traverse(E.Applicative)(checkProxyUrl),
        E.mapLeft((what) => unusable(`HTTPS_PROXY ${what}`)),
      ),
    )
    return {
      server,
      certificateAuthority: O.some(pem),
      trustedBy: authorityPath,
      tlsServerName: O.none,
      insecureSkipTlsVerify: false,
      proxyUrl,
    }
  })
  const credential = pipe(
    read(tokenPath, (text) => /^[\x21-\x7e]+$/.test(text.trim()), 'token'),
    TE.map((text) => ({
      token: O.some(secret(text.trim())),
      clientCertificate: O.none,
      expiresAt: O.none,
    })),
  )
  return O.some({ server, cluster, access: () => sequenceS(TE.ApplyPar)({ cluster, credential }) })
}

const unusable = (what: string): KubeconfigError =>
  failure(
    'NoCredential',
    'soon',
    `service account of this pod: ${what}`,
    'mount the token (automountServiceAccountToken), or name a kubeconfig',
  )
