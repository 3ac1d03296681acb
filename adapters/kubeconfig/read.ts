import { createPrivateKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { sequenceS } from 'fp-ts/lib/Apply.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Secret, secret } from '../../src/model/secret.js'
import type { ClientCredential, Credentials } from '../../src/ports.js'
import { ok, steps } from '../../src/steps.js'
import { type Plugin, type PluginOptions, pluginCredentials } from '../credentials/plugin.js'
import { readBounded } from '../platform/read-file.js'
import { readableCertificates } from '../platform/x509.js'
import type { AccessSource, Cluster } from './cluster.js'
import { decodeKubeconfig, decodeKubeconfigs, type Kubeconfig, type KubeconfigFile } from './decode.js'
import type { ClusterEntry, Material, UserEntry } from './entries.js'
import { clusterInfo } from './plugin.js'
import { field, type KubeconfigError, type Place, problem, refuse } from './problem.js'
import { checkProxyUrl, proxyFromEnvironment } from './proxy.js'

/** In bytes; a kubeconfig, a token and a CA bundle are far smaller. */
const maxFileSize = 512 * 1024

/** A kubeconfig, or several that are one together: what `KUBECONFIG` lists. */
export type KubeconfigPath = string | ReadonlyArray<string>

/** Reads and decodes a kubeconfig: its current context. The files that it names are read by what follows. */
export const loadKubeconfig = (path: KubeconfigPath): TE.TaskEither<KubeconfigError, Kubeconfig> =>
  typeof path === 'string'
    ? pipe(
        readKubeconfig(path),
        TE.chainEitherK(({ text }) => decodeKubeconfig(path, text)),
      )
    : loadList(path)

/** As client-go: those that are not there are passed over, as long as there is one. */
const loadList =
  (paths: ReadonlyArray<string>): TE.TaskEither<KubeconfigError, Kubeconfig> =>
  async () => {
    const there = paths.filter((path) => existsSync(path))
    const files = await TE.traverseSeqArray(readKubeconfig)(there.length === 0 ? paths.slice(0, 1) : there)()
    return E.chain(decodeKubeconfigs)(files)
  }

const readKubeconfig = (path: string): TE.TaskEither<KubeconfigError, KubeconfigFile> =>
  pipe(
    readFile({ file: path, at: '' }, path, 'supply the kubeconfig, readable for this user'),
    TE.map((content) => ({ path, text: content.reveal() })),
  )

/**
 * The cluster of a kubeconfig, with the files read that it names. A `proxy-url` beats `HTTPS_PROXY` and `NO_PROXY` of
 * the environment, as in client-go.
 */
export const clusterOf = (
  { cluster }: Pick<Kubeconfig, 'cluster'>,
  environment: NodeJS.ProcessEnv = process.env,
): TE.TaskEither<KubeconfigError, Cluster> =>
  sequenceS(TE.ApplyPar)({
    server: TE.right(cluster.server),
    certificateAuthority: authorityOf(cluster),
    trustedBy: TE.right(authorityPlace(cluster)),
    tlsServerName: TE.right(cluster.tlsServerName),
    insecureSkipTlsVerify: TE.right(cluster.insecureSkipTlsVerify),
    proxyUrl: TE.fromEither(proxyUrlOf(cluster, environment)),
  })

/** The user's credential that stands in a kubeconfig, or in the files that it names. */
export const credentialOf = ({ user }: Kubeconfig): TE.TaskEither<KubeconfigError, ClientCredential> =>
  pipe(
    sequenceS(TE.ApplyPar)({
      token: tokenOf(user),
      clientCertificate: clientCertificateOf(user),
      expiresAt: TE.right(O.none),
    }),
    TE.filterOrElse(
      ({ token, clientCertificate }) => O.isSome(token) || O.isSome(clientCertificate),
      () =>
        problem(
          user.place,
          'has no credential',
          'give it a token, a tokenFile, client-certificate and client-key, or exec with a credential plugin',
        ),
    ),
  )

export interface AccessOptions extends PluginOptions {
  /** Hears each time what the kubeconfig says of the cluster. */
  readonly read?: (cluster: ClusterEntry) => void
}

/**
 * Where a kubeconfig leads, and with which credential. It and all that it names are read anew for each request: tokens
 * and files are replaced. A credential plugin is run only where no other credential is named, as by client-go.
 */
export const accessFromKubeconfig = (path: KubeconfigPath, options: AccessOptions = {}): AccessSource => {
  let known: { readonly as: string; readonly credentials: Credentials } | undefined
  return (signal) =>
    steps(async function* () {
      const kubeconfig = yield* ok(loadKubeconfig(path))
      options.read?.(kubeconfig.cluster)
      const cluster = yield* ok(clusterOf(kubeconfig))
      const plugin = pluginOf(kubeconfig.user)
      if (O.isNone(plugin)) return { cluster, credential: yield* ok(credentialOf(kubeconfig)) }
      const { place, provideClusterInfo, ...what } = plugin.value
      const asked: Plugin = {
        ...what,
        file: place.file,
        cluster: provideClusterInfo ? O.some(clusterInfo(cluster, kubeconfig.cluster)) : O.none,
      }
      const as = JSON.stringify(asked, (_, value: unknown) => (isSecret(value) ? value.reveal() : value))
      // The same plugin keeps its credential from one request to the next.
      if (known?.as !== as) known = { as, credentials: pluginCredentials(asked, options) }
      const { credentials } = known
      const credential = yield* ok(credentials.current(signal))
      return { cluster, credential, wasRejected: credentials.wasRejected(credential) }
    })
}

const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function'

/** The plugin to run; none: the user has another credential beside it, or has no plugin. */
export const pluginOf = ({ token, tokenFile, clientCertificate, clientKey, plugin }: UserEntry) => {
  const others: ReadonlyArray<O.Option<unknown>> = [token, tokenFile, clientCertificate, clientKey]
  return others.some(O.isSome) ? O.none : plugin
}

/** Reads the cluster alone, whatever the user's entry says, anew each time it is run: a CA file is replaced. */
export const clusterFromKubeconfig =
  (path: KubeconfigPath): TE.TaskEither<KubeconfigError, Cluster> =>
  () =>
    pipe(loadKubeconfig(path), TE.chain(clusterOf))()

const proxyUrlOf = (
  { place, server, proxyUrl }: ClusterEntry,
  environment: NodeJS.ProcessEnv,
): E.Either<KubeconfigError, O.Option<Secret>> => {
  const [found, at, beginning] = O.isSome(proxyUrl)
    ? [proxyUrl, 'proxy-url', '']
    : [proxyFromEnvironment(server, environment), 'server', 'is reached through HTTPS_PROXY, which ']
  if (O.isNone(found)) return E.right(O.none)
  return pipe(
    checkProxyUrl(found.value),
    E.bimap(
      (what) => problem(field(place, at), `${beginning}${what}`, 'name an http or https proxy, or none'),
      O.some,
    ),
  )
}

const authorityPlace = ({ place: { file, at }, certificateAuthority }: ClusterEntry): string => {
  const authority = O.toUndefined(certificateAuthority)
  const where = `kubeconfig ${file}: ${at}.certificate-authority`
  return authority?._tag === 'File' ? `${authority.path} (${where})` : authority ? `${where}-data` : where
}

const authorityOf = ({
  place,
  certificateAuthority,
}: ClusterEntry): TE.TaskEither<KubeconfigError, O.Option<string>> =>
  pipe(
    readMaterial(field(place, 'certificate-authority'), certificateAuthority),
    TE.map(O.map((pem) => pem.reveal())),
    TE.filterOrElse(
      (pem) => O.isNone(pem) || readableCertificates(pem.value).length > 0,
      () =>
        problem(
          field(place, 'certificate-authority'),
          'holds no certificate that can be read',
          'give it the PEM of the CA that signed the certificate of the API server',
        ),
    ),
  )

/** As in client-go, the file beats the token beside it while there is something to read in it. */
const tokenOf = ({
  place,
  token,
  tokenFile,
}: UserEntry): TE.TaskEither<KubeconfigError, O.Option<Secret>> => {
  const checked = (found: O.Option<Secret>) =>
    O.isNone(found) || /^[\x21-\x7e]+$/.test(found.value.reveal())
      ? TE.right(found)
      : TE.left(
          problem(
            field(place, 'token'),
            'is empty or holds characters that no token has',
            'supply the token anew',
          ),
        )
  if (O.isNone(tokenFile)) return checked(token)
  const fromFile = pipe(
    readFile(field(place, 'tokenFile'), tokenFile.value, 'supply the token in it'),
    TE.map((content) => O.some(secret(content.reveal().trim()))),
    TE.chain(checked),
  )
  return O.isNone(token)
    ? fromFile
    : pipe(
        fromFile,
        TE.orElse(() => checked(token)),
      )
}

const clientCertificateOf = ({
  place,
  clientCertificate,
  clientKey,
}: UserEntry): TE.TaskEither<KubeconfigError, ClientCredential['clientCertificate']> => {
  if (O.isNone(clientCertificate) !== O.isNone(clientKey)) {
    const [there, missing] = O.isNone(clientKey)
      ? ['client-certificate', 'client-key']
      : ['client-key', 'client-certificate']
    return TE.left(problem(place, `has a ${there} without a ${missing}`, `add ${missing} or ${missing}-data`))
  }
  return pipe(
    sequenceS(TE.ApplyPar)({
      certificate: readMaterial(field(place, 'client-certificate'), clientCertificate),
      key: readMaterial(field(place, 'client-key'), clientKey),
    }),
    TE.map(({ certificate, key }) =>
      O.isSome(certificate) && O.isSome(key)
        ? O.some({ pem: certificate.value.reveal(), key: { _tag: 'Pem', pem: key.value } as const })
        : O.none,
    ),
    TE.chainFirstEitherK((pair) =>
      O.isNone(pair) ? E.right(undefined) : checkPair(place, pair.value.pem, pair.value.key.pem),
    ),
  )
}

/** Whether both can be read, and belong together. */
const checkPair = (place: Place, pem: string, key: Secret): E.Either<KubeconfigError, void> => {
  const [leaf] = readableCertificates(pem)
  if (leaf === undefined)
    return refuse(
      field(place, 'client-certificate'),
      'holds no certificate that can be read',
      'supply the certificate and its intermediates, PEM',
    )
  try {
    return leaf.checkPrivateKey(createPrivateKey(key.reveal()))
      ? E.right(undefined)
      : refuse(
          field(place, 'client-key'),
          'is the key of another certificate than client-certificate',
          'supply the two that belong together',
        )
  } catch {
    return refuse(
      field(place, 'client-key'),
      'holds no private key that can be read',
      'supply it in PEM, not encrypted',
    )
  }
}

const readMaterial = (
  place: Place,
  material: O.Option<Material>,
): TE.TaskEither<KubeconfigError, O.Option<Secret>> => {
  if (O.isNone(material)) return TE.right(O.none)
  if (material.value._tag === 'Data') return TE.right(O.some(material.value.content))
  return pipe(readFile(place, material.value.path, 'supply the file, or correct its path'), TE.map(O.some))
}

const readFile = (place: Place, path: string, cure: string): TE.TaskEither<KubeconfigError, Secret> =>
  pipe(
    readBounded(path, maxFileSize),
    TE.mapLeft((reason) =>
      problem(place, place.file === path ? reason : `names ${path}: the file ${reason}`, cure),
    ),
  )
