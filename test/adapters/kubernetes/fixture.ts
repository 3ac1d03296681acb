import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import {
  type Access,
  type CertificateSigningRequestsOptions,
  type Cluster,
  certificateSigningRequests,
  type KubernetesApi,
} from '../../../adapters/kubernetes/index.js'
import type { ApiError, Interrupted } from '../../../src/model/failure.js'
import type { Draft, OutstandingRequest } from '../../../src/model/request.js'
import { secret } from '../../../src/model/secret.js'
import { kubeletClientTemplate } from '../../../src/model/template.js'
import { instant } from '../../../src/model/time.js'
import type { Identity } from '../../../src/ports.js'
import { interruption } from '../../../src/signal.js'
import type { TestContext } from '../../helper/index.js'
import { authority, type Pair } from './pki.js'
import { type ScriptedServer, scriptedServer } from './scripted-server.js'

/** The CA of the server and of the clients. */
export const ca = authority('test CA')
const serverPair = ca.sign('/CN=server', { san: 'IP:127.0.0.1,DNS:localhost' })

export const token = 'abcdef.0123456789abcdef'

export const clusterAt = (server: string, more: Partial<Cluster> = {}): Cluster => ({
  server,
  certificateAuthority: O.some(ca.certificate),
  tlsServerName: O.none,
  insecureSkipTlsVerify: false,
  proxyUrl: O.none,
  ...more,
})

export const withToken = (cluster: Cluster, text = token): Access => ({
  cluster,
  credential: { token: O.some(secret(text)), clientCertificate: O.none, expiresAt: O.none },
})

/** An API client whose held and bootstrap identities go to the cluster; closed after the test. */
export const apiFor = (
  { defer }: TestContext,
  cluster: Cluster,
  options: Partial<CertificateSigningRequestsOptions> = {},
): KubernetesApi => {
  const api = certificateSigningRequests({
    cluster: TE.right(cluster),
    bootstrap: () => TE.right(withToken(cluster)),
    ...options,
  })
  defer(api.close)
  return api
}

/** A server that is stopped after the test, and an API client for it. */
export const setUp = async (
  context: TestContext,
  options: Partial<CertificateSigningRequestsOptions> = {},
  pair: Pair = serverPair,
): Promise<{ readonly server: ScriptedServer; readonly api: KubernetesApi }> => {
  const server = await scriptedServer(pair)
  context.defer(server.stop)
  return { server, api: apiFor(context, clusterAt(server.url), options) }
}

export const bootstrap: Identity = { _tag: 'Bootstrap' }

/** The identity that holds a pair. */
export const held = ({ certificate, key }: Pair): Identity => ({
  _tag: 'Held',
  credential: {
    pem: certificate,
    key: { _tag: 'Pem', pem: secret(key) },
    certificate: {
      commonName: '',
      organizations: [],
      dnsNames: [],
      ipAddresses: [],
      uris: [],
      serialNumber: '',
      issuer: '',
      keyId: '',
      notBefore: instant(0),
      notAfter: instant(0),
      extendedKeyUsages: O.none,
    },
  },
})

const pemOf = (text: string) =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(text).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`

export const draft: Draft = {
  name: 'csr-1',
  keyId: 'key',
  template: { ...kubeletClientTemplate('a'), expirationSeconds: 600 },
  pem: pemOf('a certification request'),
}
export const otherPem = pemOf('another certification request')

export const outstanding: OutstandingRequest = { ...draft, uid: 'uid-1', resourceVersion: '10' }

/** The request as the API serves it. */
export const served = (
  conditions: ReadonlyArray<string> = [],
  more: {
    readonly certificate?: string
    readonly uid?: string
    readonly version?: string
    readonly pem?: string
  } = {},
): object => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: draft.name, uid: more.uid ?? 'uid-1', resourceVersion: more.version ?? '10' },
  spec: { request: Buffer.from(more.pem ?? draft.pem).toString('base64'), signerName: 's', usages: [] },
  status: {
    conditions: conditions.map((type) => ({ type, status: 'True', reason: 'because', message: 'so' })),
    ...(more.certificate === undefined ? {} : { certificate: more.certificate }),
  },
})

/** A signal that is never given. */
export const { signal: never } = interruption()

export const succeeds = async <A>(effect: TaskEither<ApiError | Interrupted, A>): Promise<A> => {
  const result = await effect()
  if (E.isRight(result)) return result.right
  throw new Error(`it failed: ${JSON.stringify(result.left)}`)
}

export const fails = async (effect: TaskEither<ApiError | Interrupted, unknown>): Promise<ApiError> => {
  const result = await effect()
  if (E.isLeft(result) && result.left._tag !== 'Interrupted') return result.left
  throw new Error(`it did not fail: ${JSON.stringify(result)}`)
}
