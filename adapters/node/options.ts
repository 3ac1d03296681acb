import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Step, Transition } from '../../src/describe/transition.js'
import type { Ports } from '../../src/driver/perform.js'
import { KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import { type Backoff, defaultPolicy, policyProblems, type RotationPolicy } from '../../src/model/policy.js'
import { type CertificateTemplate, kubeletClientTemplate } from '../../src/model/template.js'
import { isLifetime, templateProblems } from '../../src/model/template-problems.js'
import type { AddressSource, CredentialSource, Credentials, Output } from '../../src/ports.js'
import type { Hook } from '../hooks/index.js'
import type { Access, Cluster, KubeconfigError } from '../kubernetes/index.js'
import { didYouMean, nearest } from '../platform/nearest.js'
import {
  aFunction,
  byName,
  type Checks,
  duration,
  filled,
  having,
  type InvalidOptions,
  invalid,
  listOf,
  named,
  number,
  oneOf,
  path,
  record,
  text,
  yesOrNo,
} from '../platform/options.js'
import type { Credential } from './credential.js'

export { type InvalidOptions, invalid } from '../platform/options.js'

/** How to start a rotation. Durations in ms, paths relative to the working directory. */
export interface RotationOptions {
  /** Asks for the client certificate of the kubelet of this node, as `system:node:NAME`; in lower case. */
  readonly nodeName?: string
  /** What to ask for instead; `undefined` together with no `nodeName`: wait for `setTemplate`. */
  readonly template?: CertificateTemplate
  /** The certificate directory, as the kubelet's `--cert-dir`. */
  readonly certDir?: string
  /** What the files in it begin with: `kubelet-client`, `kubelet-server` with `addresses`, or a name of your own. */
  readonly certPrefix?: string
  /**
   * The kubeconfig with the credential to bootstrap with, as `--bootstrap-kubeconfig`; read anew at each attempt. Where
   * neither it nor `kubeconfig` is given, client-go's rules say: the files that `KUBECONFIG` lists, as one; else
   * `~/.kube/config`; else, in a pod, its service account.
   */
  readonly bootstrapKubeconfig?: string
  /**
   * The kubeconfig that uses the certificate, as the kubelet's `--kubeconfig`: written before the first request,
   * pointing to the certificate in `certDir`. Without `certDir` (a store of your own) it is only read, for where the
   * API is, and not if there is a bootstrap kubeconfig to say that. With `authenticateWith: 'external'` it is only read:
   * requests go out with its credential.
   */
  readonly kubeconfig?: string
  /** A credential to ask with from elsewhere (a vault), in place of that of the kubeconfig, which says where the API is. */
  readonly credentials?: Credentials
  /**
   * A file with the CAs that sign the certificates, PEM; as `--client-ca-file` of the API server, which need not be the
   * CA in the kubeconfig. A certificate that does not chain to one of them is not taken. It is read again for each
   * certificate; if it cannot be, what it said last counts, and before it could ever be read no certificate is asked for
   * or taken. Without it, one that does not chain to the CA in the kubeconfig is taken, with a warning when that changes.
   */
  readonly clientCertificateAuthority?: string
  /**
   * Where the certificate in use is kept besides `certDir`: `outputDirectory`, `outputBundle`, `outputKubeconfig`, or one
   * of your own. One that fails is told and tried again; the rotation does not wait for it.
   */
  readonly outputs?: ReadonlyArray<Output>
  /** Who suggests when to renew earlier than the deadline: a file, a ConfigMap of the cluster, or both. */
  readonly renewalWindows?: RenewalWindowsOptions
  /**
   * Called at least once for each certificate, the first included, when it is in use, stored, and written to the outputs.
   * One that throws, rejects or takes more than a minute is called again, ever more slowly; which certificate it was told
   * of is kept in `certDir` beyond the end of the process. The rotation does not wait for it; `stop` does, for five seconds.
   */
  readonly onRenewed?: (renewed: Renewed) => void | Promise<void>
  /** The same for hooks that are values: `commandHook`, `signalHook`, or one of your own. */
  readonly hooks?: ReadonlyArray<Hook>
  /**
   * Another process that may write in `certDir` asked for a rotation (it is begun by then) or for a reload (yours to carry
   * out; refused where this is not given).
   */
  readonly onAsked?: (asked: Asked) => void
  /** `spec.expirationSeconds`, as a duration in ms of at least ten minutes; servers before 1.22 ignore it. */
  readonly requestedLifetime?: number
  /**
   * The kind of private key, with `nodeName`: `ECDSA-P256` (the default), `RSA-2048`, …; a template has its own
   * `keyAlgorithm`. A certificate whose key is of another kind is replaced.
   */
  readonly keyAlgorithm?: KeyAlgorithm
  /**
   * A serving certificate instead, as the kubelet's of the node `nodeName` (signer `kubernetes.io/kubelet-serving`): these
   * become its SANs. Nothing is asked for before there are some. The prefix is `kubelet-server` then, and the request needs
   * the node's client certificate: `authenticateWith`.
   */
  readonly addresses?: AddressSource
  /** How long addresses must not change before a certificate is requested for them, ms; ten seconds if not given. */
  readonly addressDelay?: number
  /**
   * Whose certificate the requests go out with, in place of this rotation's own: another running rotation. The first
   * request waits until that one has a certificate. Where the API is, is as there; no kubeconfig is needed.
   */
  readonly authenticateWith?: Asker
  /** What differs from `defaultPolicy`. */
  readonly policy?: Partial<RotationPolicy>
  /** Ends the rotation, as `stop` does. */
  readonly signal?: AbortSignal
  readonly onTransition?: (transition: Transition) => void
  /** Each change of what is known, with the facts before and after: for logs that are to be replayed. It must not throw. */
  readonly onStep?: (step: Step) => void
  /** Something looks wrong and is no failure: a sentence for people. */
  readonly onWarning?: (message: string) => void
  /** Adapters of your own, in place of the wall clock, OpenSSL, the certificate directory and the API over HTTPS. */
  readonly ports?: Partial<Ports>
}

/** A certificate that came into use. */
export interface Renewed {
  readonly credential: Credential
  /** Why, for people. */
  readonly reason: string
  /** Given when a minute is over, or the rotation ended. */
  readonly signal: AbortSignal
}

/** What another process asked for, and why, in its words. */
export interface Asked {
  readonly what: 'rotate' | 'reload'
  readonly reason: string
}

/** A running rotation, as far as another one asks with its certificate. */
export interface Asker {
  /** The API server, as its kubeconfig says now. */
  readonly cluster: TaskEither<KubeconfigError, Cluster>
  /** The API server, and its certificate in use. */
  readonly access: TaskEither<KubeconfigError, Access>
  readonly credentials: CredentialSource
  readonly reportRejected: (rejection: { readonly keyId: string; readonly reason?: string }) => void
}

export interface RenewalWindowsOptions {
  /** YAML or JSON; read again every minute. */
  readonly file?: string
  /** `NAMESPACE/NAME`; read and watched with the certificate held, which must be allowed to get and watch it. */
  readonly configMap?: string
  /** What this machine is, for windows that are meant for some: as the labels of its node. */
  readonly labels?: Readonly<Record<string, string>>
}

/** What a rotation of another process, or a value of another library, would not have. */
const asker = having('a running rotation', 'cluster', 'access', 'reportRejected')

const template: Checks<CertificateTemplate> = {
  commonName: text,
  organizations: listOf(text),
  dnsNames: listOf(text),
  ipAddresses: listOf(text),
  uris: listOf(text),
  signerName: text,
  usages: listOf(text),
  expirationSeconds: number,
  keyAlgorithm: text,
}
const templateParts = [
  'commonName',
  'organizations',
  'dnsNames',
  'ipAddresses',
  'uris',
  'signerName',
  'usages',
]

const backoff = record({ initial: duration, maximum: duration } satisfies Checks<Backoff>, [
  'initial',
  'maximum',
])

const policy: Checks<RotationPolicy> = {
  rotate: yesOrNo,
  authenticateWith: oneOf('held', 'external'),
  renewFrom: number,
  renewTo: number,
  minimumUsefulLifetime: number,
  submitInterval: number,
  retrySoon: backoff,
  retryLater: backoff,
  longestDelay: number,
  probeInterval: number,
}

export const clock = having('a clock', 'now', 'sleepUntil')

const ports: Checks<Ports> = {
  clock,
  crypto: having('a crypto backend', 'generateKey', 'restoreKey', 'parseChain', 'verifyChain', 'sha256'),
  store: having('a certificate store', 'load', 'saveRequest', 'discardRequest', 'install'),
  requests: having('the requests of an API', 'submit', 'observe', 'probe'),
  trust: having('trust anchors', 'read'),
  adoptCluster: aFunction,
  windows: having('renewal windows', 'suggest'),
}

const renewalWindows: Checks<RenewalWindowsOptions> = { file: path, configMap: text, labels: byName(text) }

const options: Checks<RotationOptions> = {
  nodeName: text,
  template: record(template, templateParts),
  certDir: path,
  certPrefix: filled,
  bootstrapKubeconfig: path,
  kubeconfig: path,
  credentials: having('a source of credentials', 'current', 'wasRejected'),
  clientCertificateAuthority: path,
  outputs: listOf(named('an output, as outputDirectory makes it', 'write')),
  renewalWindows: record(renewalWindows),
  onRenewed: aFunction,
  hooks: listOf(named('a hook, as commandHook makes it', 'run')),
  onAsked: aFunction,
  requestedLifetime: number,
  keyAlgorithm: text,
  addresses: aFunction,
  addressDelay: duration,
  authenticateWith: asker,
  policy: record(policy),
  // One of another realm is one too.
  signal: having('an AbortSignal', 'addEventListener', 'removeEventListener'),
  onTransition: aFunction,
  onStep: aFunction,
  onWarning: aFunction,
  // Ports may come in a value that has more to it.
  ports: (value, name) => record(ports)(ofRecord(value, ports), name),
}

/** Of a value with more to it what counts, or is misspelt. */
const ofRecord = (value: unknown, known: object): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const missing = Object.keys(known).filter((name) => !Object.hasOwn(value, name))
  return Object.fromEntries(
    Object.entries(value).filter(
      ([name]) => Object.hasOwn(known, name) || nearest(name, missing) !== undefined,
    ),
  )
}

/** Two that cannot both count, and the cure. */
const contradictions: ReadonlyArray<readonly [keyof RotationOptions, keyof RotationOptions, string]> = [
  ['nodeName', 'template', 'give one of the two'],
  ['keyAlgorithm', 'template', 'put keyAlgorithm into the template'],
  ...(['bootstrapKubeconfig', 'kubeconfig', 'credentials'] as const).map(
    (name) =>
      [
        'authenticateWith',
        name,
        `leave out ${name}: requests go out with the certificate of the other rotation`,
      ] as const,
  ),
]

/**
 * Whether each option is one that there is, and what it has to be: a misspelt one would be passed over, and what it was
 * for left out, without a word.
 */
export const checkedOptions = (given: RotationOptions): E.Either<InvalidOptions, RotationOptions> => {
  const problem = record(options)(given, '')
  if (problem !== undefined) return E.left(problem)
  const pair = contradictions.find(([one, other]) => given[one] !== undefined && given[other] !== undefined)
  return pair === undefined
    ? E.right(given)
    : E.left(invalid(`${pair[0]} and ${pair[1]} are both given`, pair[2]))
}

const nodeNamePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Whether it is a DNS subdomain name (RFC 1123), which is what Kubernetes takes as a node's name. */
export const isNodeName = (name: string): boolean => name.length <= 253 && nodeNamePattern.test(name)

/** The name of the node, as far as it has been checked. */
export const nodeNameOf = ({ nodeName = '' }: RotationOptions): string => nodeName.trim().toLowerCase()

/** What the files in the certificate directory begin with. */
export const prefixOf = ({ certPrefix, addresses }: RotationOptions): string =>
  certPrefix ?? (addresses === undefined ? 'kubelet-client' : 'kubelet-server')

/** The template that the options describe; none while there is nothing to ask for. */
export const templateFrom = (
  options: RotationOptions,
): E.Either<InvalidOptions, O.Option<CertificateTemplate>> => {
  const { nodeName, template, requestedLifetime, keyAlgorithm, addresses, authenticateWith } = options
  const algorithm = keyAlgorithm ?? template?.keyAlgorithm
  if (algorithm !== undefined && !KeyAlgorithm.is(algorithm))
    return E.left(
      invalid(
        `keyAlgorithm ${JSON.stringify(algorithm)} is not known`,
        `the known ones are ${keyAlgorithms.join(', ')}`,
      ),
    )
  const [problem] = template === undefined ? [] : templateProblems(template)
  if (problem !== undefined) {
    const { field, message, remedy, unknown } = problem
    const cure = unknown === undefined ? remedy : didYouMean(unknown.word, unknown.known)
    return E.left(invalid(`template.${field}${message}`, cure))
  }
  if (addresses !== undefined && (nodeName === undefined || authenticateWith === undefined))
    return E.left(
      invalid(
        'addresses are given for a serving certificate, and nodeName or authenticateWith is missing',
        'name the node, and give the running rotation of its client certificate',
      ),
    )
  const name = nodeNameOf(options)
  if (nodeName !== undefined && !isNodeName(name))
    return E.left(
      invalid(
        `nodeName ${JSON.stringify(nodeName)} cannot be the name of a node`,
        'use letters, digits, dots and dashes',
      ),
    )
  if (requestedLifetime !== undefined && !isLifetime(secondsOf(requestedLifetime)))
    return E.left(
      invalid(
        `requestedLifetime of ${secondsOf(requestedLifetime)} s is not accepted by Kubernetes`,
        'ask for ten minutes or more, up to 68 years',
      ),
    )
  // A serving certificate has none before its addresses are known.
  if (addresses !== undefined) return E.right(O.none)
  const wanted = nodeName === undefined ? template : kubeletClientTemplate(name, keyAlgorithm)
  return E.right(O.map((asked: CertificateTemplate) => withLifetime(options, asked))(O.fromNullable(wanted)))
}

const secondsOf = (duration: number): number => Math.round(duration / 1000)

/** The template with the lifetime that the options ask for. */
export const withLifetime = (
  { requestedLifetime }: RotationOptions,
  template: CertificateTemplate,
): CertificateTemplate =>
  requestedLifetime === undefined
    ? template
    : { ...template, expirationSeconds: secondsOf(requestedLifetime) }

/** A listener that throws is its owner's fault: a port that threw with it would end the rotation. */
export const warnWith =
  ({ onWarning }: RotationOptions) =>
  (message: string): void => {
    try {
      onWarning?.(message)
    } catch {
      // Nothing to be done here.
    }
  }

/** The policy of options that have been checked. */
export const policyOf = ({ policy, authenticateWith }: RotationOptions): RotationPolicy => ({
  ...defaultPolicy,
  ...policy,
  ...(authenticateWith === undefined ? {} : { authenticateWith: 'external' }),
})

/** The policy that the options describe. */
export const policyFrom = (options: RotationOptions): E.Either<InvalidOptions, RotationPolicy> => {
  const policy = policyOf(options)
  const [problem] = policyProblems(policy)
  return problem === undefined ? E.right(policy) : E.left(invalid(`policy: ${problem}`, 'correct it'))
}
