import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { flag, list, mapping, text } from '../../src/model/codec.js'
import { type Secret, secret } from '../../src/model/secret.js'
import { decodeKnown, field, type KubeconfigError, type Place, refuse } from './problem.js'

/** A credential plugin as a kubeconfig describes it (`ExecConfig` in `client-go/tools/clientcmd/api/v1/types.go`). */
export interface PluginEntry {
  readonly place: Place
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: Secret }>
  readonly apiVersion: string
  readonly installHint: string
  readonly provideClusterInfo: boolean
}

const Variable = t.type({ name: text, value: text })

const Exec = t.type({
  command: text,
  args: list(text),
  env: list(mapping),
  apiVersion: text,
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: text,
})

const group = 'client.authentication.k8s.io'

export const decodePlugin = (
  place: Place,
  fields: Readonly<Record<string, unknown>>,
): E.Either<KubeconfigError, PluginEntry> => {
  const exec = decodeKnown(place, Exec, fields)
  if (E.isLeft(exec)) return exec
  const { command, args, env, apiVersion, installHint, provideClusterInfo, interactiveMode } = exec.right
  if (command === '') return refuse(field(place, 'command'), 'is missing', 'name the credential plugin')
  if (![`${group}/v1`, `${group}/v1beta1`].includes(apiVersion))
    return refuse(
      field(place, 'apiVersion'),
      apiVersion === '' ? 'is missing' : 'is not supported',
      `write ${group}/v1, or v1beta1, and have a plugin that answers in it`,
    )
  const variables = E.traverseArrayWithIndex((index, variable: Readonly<Record<string, unknown>>) =>
    decodeKnown(field(place, `env[${index}]`), Variable, variable),
  )(env)
  if (E.isLeft(variables)) return variables
  const nameless = variables.right.findIndex(({ name }) => name === '')
  if (nameless >= 0) return refuse(field(place, `env[${nameless}].name`), 'is missing', 'name the variable')
  const problem = modeProblem(interactiveMode, apiVersion)
  if (problem !== undefined) return refuse(field(place, 'interactiveMode'), ...problem)
  return E.right({
    place,
    command,
    args,
    env: variables.right.map(({ name, value }) => ({ name, value: secret(value) })),
    apiVersion,
    installHint,
    provideClusterInfo,
  })
}

/** Why a plugin cannot be run with this mode, by one who has no terminal, and the cure; as client-go has it. */
const modeProblem = (mode: string, apiVersion: string): readonly [string, string] | undefined => {
  const cure = 'write Never or IfAvailable'
  if (mode === '' && apiVersion === `${group}/v1`) return ['is missing, and v1 needs it', cure]
  if (mode === 'Always')
    return [
      'is Always, and this agent has no terminal to ask anybody',
      'use a plugin that needs nobody, and write Never',
    ]
  return ['', 'Never', 'IfAvailable'].includes(mode)
    ? undefined
    : ['is neither Never, IfAvailable nor Always', cure]
}

/** What a plugin is told of the cluster (`Cluster` in `client-go/pkg/apis/clientauthentication/v1/types.go`). */
export const clusterInfo = (
  cluster: {
    readonly server: string
    readonly tlsServerName: O.Option<string>
    readonly insecureSkipTlsVerify: boolean
    readonly certificateAuthority: O.Option<string>
  },
  { proxyUrl, pluginConfig }: { readonly proxyUrl: O.Option<Secret>; readonly pluginConfig: unknown },
): object => ({
  server: cluster.server,
  ...(O.isSome(cluster.tlsServerName) ? { 'tls-server-name': cluster.tlsServerName.value } : {}),
  ...(cluster.insecureSkipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
  ...(O.isSome(cluster.certificateAuthority)
    ? { 'certificate-authority-data': Buffer.from(cluster.certificateAuthority.value).toString('base64') }
    : {}),
  ...(O.isSome(proxyUrl) ? { 'proxy-url': proxyUrl.value.reveal() } : {}),
  ...(pluginConfig === undefined ? {} : { config: pluginConfig }),
})
