import { dirname, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { flag, list, mapping, nullable, text } from '../../src/model/codec.js'
import { type Secret, secret } from '../../src/model/secret.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { decodePlugin, type PluginEntry } from './plugin.js'
import { decodeKnown, field, type KubeconfigError, type Place, refuse } from './problem.js'

/** Something that stands in the kubeconfig itself, or in a file that it names by an absolute path. */
export type Material =
  | { readonly _tag: 'Data'; readonly content: Secret }
  | { readonly _tag: 'File'; readonly path: string }

/** A cluster as a kubeconfig describes it. */
export interface ClusterEntry {
  readonly place: Place
  /** `https://…` without a slash at its end. */
  readonly server: string
  readonly certificateAuthority: O.Option<Material>
  readonly tlsServerName: O.Option<string>
  readonly insecureSkipTlsVerify: boolean
  /** May contain a password. */
  readonly proxyUrl: O.Option<Secret>
  /** What a credential plugin is to know besides (`extensions`, named `client.authentication.k8s.io/exec`). */
  readonly pluginConfig: unknown
}

/** A user as a kubeconfig describes it. */
export interface UserEntry {
  readonly place: Place
  readonly token: O.Option<Secret>
  readonly tokenFile: O.Option<string>
  readonly clientCertificate: O.Option<Material>
  readonly clientKey: O.Option<Material>
  readonly plugin: O.Option<PluginEntry>
}

const Cluster = t.type({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': flag,
  'proxy-url': text,
  extensions: list(t.type({ name: text, extension: t.unknown })),
})

const User = t.type({
  token: text,
  tokenFile: text,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  exec: nullable(mapping),
})

/** Known, and without meaning for one who sends a few small requests. */
const harmless = ['extensions', 'disable-compression']

const instead =
  'use exec with a credential plugin, a token, a tokenFile, or client-certificate and client-key'
const impersonation = `impersonation is not supported: ${instead} of that user itself`
/** What client-go knows, or knew, and we do not, with the cure. */
const unsupported: ReadonlyMap<string, string> = new Map([
  [
    'auth-provider',
    'client-go dropped auth providers in 1.26 for credential plugins: use exec with that of your provider (gke-gcloud-auth-plugin, kubelogin, kubectl oidc-login)',
  ],
  ['username', `Kubernetes dropped passwords in 1.19: ${instead}`],
  ['password', `Kubernetes dropped passwords in 1.19: ${instead}`],
  ['as', impersonation],
  ['as-uid', impersonation],
  ['as-groups', impersonation],
  ['as-user-extra', impersonation],
])

const pluginExtension = 'client.authentication.k8s.io/exec'

type Fields = Readonly<Record<string, unknown>>

export const decodeCluster = (place: Place, fields: Fields): E.Either<KubeconfigError, ClusterEntry> =>
  stepsSync(function* () {
    const cluster = yield* okSync(decodeKnown(place, Cluster, fields, harmless, unsupported))
    const insecureSkipTlsVerify = cluster['insecure-skip-tls-verify']
    const certificateAuthority = material(place, 'certificate-authority', cluster)
    if (insecureSkipTlsVerify && E.isRight(certificateAuthority) && O.isSome(certificateAuthority.right))
      return yield* okSync(
        refuse(
          field(place, 'insecure-skip-tls-verify'),
          'contradicts the certificate-authority beside it',
          'remove one of the two',
        ),
      )
    return {
      place,
      server: yield* okSync(serverOf(field(place, 'server'), cluster.server)),
      certificateAuthority: yield* okSync(certificateAuthority),
      tlsServerName: given(cluster['tls-server-name']),
      insecureSkipTlsVerify,
      proxyUrl: O.map(secret)(given(cluster['proxy-url'])),
      pluginConfig: cluster.extensions.find(({ name }) => name === pluginExtension)?.extension,
    }
  })

export const decodeUser = (place: Place, fields: Fields): E.Either<KubeconfigError, UserEntry> =>
  stepsSync(function* () {
    const user = yield* okSync(decodeKnown(place, User, fields, harmless, unsupported))
    return {
      place,
      clientCertificate: yield* okSync(material(place, 'client-certificate', user)),
      clientKey: yield* okSync(material(place, 'client-key', user)),
      plugin: O.isNone(user.exec)
        ? O.none
        : O.some(yield* okSync(decodePlugin(field(place, 'exec'), user.exec.value))),
      token: O.map(secret)(given(user.token)),
      tokenFile: O.map(absolute(place))(given(user.tokenFile)),
    }
  })

const given = O.fromPredicate((value: string) => value !== '')

const absolute = (place: Place) => (path: string) => resolve(dirname(place.file), path)

const serverOf = (place: Place, server: string): E.Either<KubeconfigError, string> => {
  const cure = 'write it as https://HOST:PORT'
  if (server === '') return refuse(place, 'is missing', cure)
  if (!URL.canParse(server)) return refuse(place, 'is no URL', cure)
  const url = new URL(server)
  if (url.protocol !== 'https:') return refuse(place, 'is not https: credentials go over TLS only', cure)
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
    ? E.right(url.href.replace(/\/+$/, ''))
    : refuse(place, 'has more than a host, a port and a path', cure)
}

/** `NAME-data` (base64) beats `NAME` (a path), as in client-go. */
const material = <Name extends string>(
  place: Place,
  name: Name,
  fields: Readonly<Record<Name | `${Name}-data`, string>>,
): E.Either<KubeconfigError, O.Option<Material>> => {
  const data = fields[`${name}-data`].replace(/[\r\n]/g, '')
  if (data === '')
    return E.right(
      O.map((path: string): Material => ({ _tag: 'File', path: absolute(place)(path) }))(given(fields[name])),
    )
  return data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
    ? E.right(O.some({ _tag: 'Data', content: secret(Buffer.from(data, 'base64').toString('utf8')) }))
    : refuse(
        field(place, `${name}-data`),
        'is not base64',
        `encode PEM as base64, or name a file with ${name}`,
      )
}
