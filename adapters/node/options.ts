import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Step, Transition } from '../../src/describe/transition.js'
import type { Ports } from '../../src/driver/perform.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import { defaultPolicy, policyProblems, type RotationPolicy } from '../../src/model/policy.js'
import { type CertificateTemplate, kubeletClientTemplate } from '../../src/model/template.js'
import type { AddressSource, CredentialSource, Credentials, Output } from '../../src/ports.js'
import type { Hook } from '../hooks/index.js'
import type { Access, Cluster, KubeconfigError } from '../kubernetes/index.js'
import { didYouMean, nearest, unknownField } from '../platform/nearest.js'
import type { Credential } from './credential.js'

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

export type InvalidOptions = Failure<'InvalidOptions'>

export const invalid = (what: string, cure: string): InvalidOptions =>
  failure('InvalidOptions', 'later', what, cure)

/** The names of all fields of a type. */
type Fields<A> = Readonly<Record<keyof Required<A>, true>>

const optionFields: Fields<RotationOptions> = {
  nodeName: true,
  template: true,
  certDir: true,
  certPrefix: true,
  bootstrapKubeconfig: true,
  kubeconfig: true,
  credentials: true,
  clientCertificateAuthority: true,
  outputs: true,
  renewalWindows: true,
  onRenewed: true,
  hooks: true,
  onAsked: true,
  requestedLifetime: true,
  keyAlgorithm: true,
  addresses: true,
  addressDelay: true,
  authenticateWith: true,
  policy: true,
  signal: true,
  onTransition: true,
  onStep: true,
  onWarning: true,
  ports: true,
}
const portFields: Fields<Ports> = {
  clock: true,
  crypto: true,
  store: true,
  requests: true,
  trust: true,
  adoptCluster: true,
  windows: true,
}
const templateFields: Fields<CertificateTemplate> = {
  commonName: true,
  organizations: true,
  dnsNames: true,
  ipAddresses: true,
  uris: true,
  signerName: true,
  usages: true,
  expirationSeconds: true,
  keyAlgorithm: true,
}

/** A misspelt option would be passed over, and what it was for left out, without a word. */
export const knownOptions = (options: RotationOptions): E.Either<InvalidOptions, void> => {
  const { policy = {}, ports = {}, template = {} } = options
  const { retrySoon = {}, retryLater = {} } = policy
  const places: ReadonlyArray<readonly [where: string, given: object, known: object]> = [
    ['', options, optionFields],
    ['policy.', policy, defaultPolicy],
    ['policy.retrySoon.', retrySoon, defaultPolicy.retrySoon],
    ['policy.retryLater.', retryLater, defaultPolicy.retryLater],
    ['ports.', misnamed(ports), portFields],
    ['template.', template, templateFields],
  ]
  for (const place of places) {
    const problem = unknownOption(...place)
    if (problem !== undefined) return E.left(problem)
  }
  return E.right(undefined)
}

/** Fields that are to be a port that is not there. Ports may come in a value that has more to it. */
const misnamed = (ports: object): object => {
  const missing = Object.keys(portFields).filter((name) => !Object.hasOwn(ports, name))
  return Object.fromEntries(Object.entries(ports).filter(([name]) => nearest(name, missing) !== undefined))
}

/** The first field that is none of those of `known`. */
export const unknownOption = (where: string, given: object, known: object): InvalidOptions | undefined => {
  const names = Object.keys(known)
  const unknown = unknownField(given, names)
  return unknown === undefined
    ? undefined
    : invalid(
        `there is no option ${where}${unknown}`,
        didYouMean(unknown, names, (name) => `${where}${name}`),
      )
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
  if (nodeName !== undefined && template !== undefined)
    return E.left(invalid('nodeName and template are both given', 'give one of the two'))
  if (keyAlgorithm !== undefined && template !== undefined)
    return E.left(invalid('keyAlgorithm and template are both given', 'put keyAlgorithm into the template'))
  const algorithm = keyAlgorithm ?? template?.keyAlgorithm
  if (algorithm !== undefined && !KeyAlgorithm.is(algorithm))
    return E.left(
      invalid(
        `keyAlgorithm ${JSON.stringify(algorithm)} is not known`,
        `the known ones are ${keyAlgorithms.join(', ')}`,
      ),
    )
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
  if (requestedLifetime !== undefined && !isLifetime(requestedLifetime))
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

const isLifetime = (duration: number): boolean =>
  secondsOf(duration) >= 600 && secondsOf(duration) <= 0x7fffffff

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
