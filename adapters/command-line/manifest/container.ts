/** The container that a DaemonSet and a sidecar have: what the Pod Security Standard "restricted" asks for, and more. */
import * as E from 'fp-ts/lib/Either.js'
import { type UsageError, usageError } from '../flags.js'
import { argumentsOf, type Service } from './service.js'

export interface Image {
  readonly image: string
  /** How the program is started in it. */
  readonly program: ReadonlyArray<string>
  /** The number of the user that it runs as. */
  readonly user: number
}

/** A directory of the container, and the volume that is there. */
export interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly: boolean
}

/** A line for each value, nothing said by reference to another place. */
export const yamlStyle = { lineWidth: 0, aliasDuplicateObjects: false } as const

export const containerName = 'kube-cert-rotation'

/** A container of a Pod; `env` are further variables, which flags name as `$(NAME)`. */
export const container = (
  { flags }: Service,
  { image, program, user }: Image,
  mounts: ReadonlyArray<Mount>,
  more: { readonly args: ReadonlyArray<string>; readonly env: ReadonlyArray<object> } = { args: [], env: [] },
): object => ({
  name: containerName,
  image,
  command: program,
  // `$(NAME)` would be a variable.
  args: ['run', ...argumentsOf(flags).map((argument) => argument.replaceAll('$(', '$$$$(')), ...more.args],
  ...(more.env.length > 0 ? { env: more.env } : {}),
  ...probes(flags),
  resources: { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '256Mi' } },
  securityContext: {
    runAsUser: user,
    runAsGroup: user,
    ...(user === 0 ? {} : { runAsNonRoot: true }),
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly ? { readOnly } : {}),
  })),
})

/** Where health is served to others than this Pod, the kubelet asks for it. */
const probes = (flags: Service['flags']): object => {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(flags['metrics-bind-address'] ?? '') ?? []
  if (port === undefined || /^$|^localhost$|^127\.|^\[::1\]$/.test(host)) return {}
  const ask = (path: string) => ({
    httpGet: { path, port: Number(port) },
    periodSeconds: 30,
    timeoutSeconds: 5,
  })
  return {
    ports: [{ name: 'metrics', containerPort: Number(port) }],
    livenessProbe: ask('/livez'),
    readinessProbe: ask('/readyz'),
  }
}

/** A name for the volume of a directory: a DNS label that says which. */
export const volumeName = (directory: string): string =>
  directory
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(-60)
    .replace(/^-+/, '') || 'root'

/** The user whose number is given; `otherwise` where none is. */
export const readUser = (text: string | undefined, otherwise: number): E.Either<UsageError, number> => {
  if (text === undefined) return E.right(otherwise)
  const user = Number(text)
  return /^\d+$/.test(text) && user <= 0x7fffffff
    ? E.right(user)
    : E.left(usageError(`--user=${text} is no number of a user`, 'in a container it has to be a number'))
}
