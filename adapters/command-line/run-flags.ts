/** The flags of `run`, and what they ask for. */
import * as E from 'fp-ts/lib/Either.js'
import type { Address } from '../metrics/listener.js'
import type { RotationOptions } from '../node/index.js'
import { templateFrom } from '../node/options.js'
import { didYouMean } from '../platform/nearest.js'
import { parseBindAddress } from './bind-address.js'
import { certificateFlags, readCertificate } from './certificate-flags.js'
import { fieldOf } from './config-fields.js'
import { defaultCertDir } from './defaults.js'
import { parseDuration } from './duration.js'
import { type Flags, type Given, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { type HookRequest, hookFlags, readHooks } from './hooks.js'
import { isLevel, type Level, type LogFormat, levels } from './output.js'
import { type OutputRequest, outputFlags, readOutputs } from './outputs.js'
import { readServing, type Serving, servingFlags, servingPrefix } from './serving-flags.js'
import { readWindows, windowFlags } from './window-flags.js'

export const runFlags = {
  config: {
    value: 'FILE',
    path: 'file read',
    help: 'keep the certificates of this file, YAML, in place of one by flags; read again on SIGHUP',
  },
  'bootstrap-kubeconfig': {
    value: 'FILE',
    path: 'file read',
    help: 'kubeconfig with the bootstrap token; read again at each attempt',
  },
  kubeconfig: {
    value: 'FILE',
    path: 'file written',
    help: 'kubeconfig that uses the certificate; written before the first request',
  },
  'cert-dir': {
    value: 'DIR',
    path: 'directory written',
    help: `where keys and certificates are kept (default ${defaultCertDir})`,
  },
  'cert-prefix': {
    value: 'NAME',
    help: 'what the files there begin with (default kubelet-client)',
  },
  'authenticate-with': {
    value: 'WHOSE',
    help: 'held (default), or kubeconfig: with the credential of --kubeconfig, which is only read',
  },
  'client-ca-file': {
    value: 'FILE',
    path: 'file read',
    help: 'CAs of client certificates, as the API server has them; others are not taken',
  },
  ...outputFlags,
  ...windowFlags,
  ...hookFlags,
  'rotate-certificates': {
    help: 'false: obtain a certificate when none works, never renew one that does (default true)',
  },
  ...servingFlags,
  ...certificateFlags,
  'feature-gates': {
    value: 'GATE=BOOL,…',
    help: 'RotateKubeletClientCertificate and RotateKubeletServerCertificate: =false switches it off',
  },
  'requested-lifetime': {
    value: 'DURATION',
    help: "how long certificates are to be good for, 10m or more; the signer's own limit counts too",
  },
  'probe-interval': {
    value: 'DURATION',
    help: 'how often to ask the server whether it accepts the certificate (default 10m, 0: never)',
  },
  timeout: {
    value: 'DURATION',
    help: 'with --once: give up after this long, exit 3',
  },
  once: { help: 'exit 0 as soon as a certificate that works, for the wanted names, is installed' },
  'log-format': { value: 'text|json', help: 'default text' },
  'log-level': {
    value: 'LEVEL',
    help: 'what is logged: error, warn and above, info and above (default), or debug: each event too',
  },
  'metrics-bind-address': {
    value: 'ADDRESS',
    help: 'serve /metrics, /livez, /readyz, /healthz at HOST:PORT; :PORT is loopback (default: nowhere)',
  },
  'event-log': {
    value: 'FILE',
    path: 'file written',
    help: 'write every event to this file, for kube-cert-rotation replay; at 1 MiB it becomes FILE.1',
  },
} satisfies Flags<string>

/** What a timer of Node can wait for, ms. */
const longestTimeout = 576 * 3_600_000

export type RunFlag = keyof typeof runFlags
type Name = RunFlag

/** A certificate that is kept, with all that belongs to it. */
export interface CertificateRequest {
  readonly options: RotationOptions
  readonly outputs: ReadonlyArray<OutputRequest>
  readonly hooks: ReadonlyArray<HookRequest>
  /** Where events are written, for `replay`. */
  readonly eventLog?: string
}

/** When it ends by itself. */
export interface Ending {
  readonly once: boolean
  /** How long to wait for the certificate with `once`, ms. */
  readonly timeout?: number
}

/** What `run` was asked to do by flags. */
export interface RunRequest extends CertificateRequest, Ending {
  readonly format: LogFormat
  /** The least level that is logged. */
  readonly logLevel: Level
  /** The serving certificate that is kept too. */
  readonly serving?: Serving
  /** Where metrics and health are served. */
  readonly metrics?: Address
}

/** What `run` was asked to do by a file. */
export interface ConfigRequest extends Ending {
  readonly config: string
}

/** Reads what `run` was given. */
export const readRunOrConfig = (
  args: ReadonlyArray<string>,
): E.Either<UsageError, RunRequest | ConfigRequest> =>
  E.chain((given: Given<Name>): E.Either<UsageError, RunRequest | ConfigRequest> => {
    const { config } = given
    if (config === undefined) return requestFrom(given)
    for (const [name, field] of Object.entries(fieldOf))
      if (field !== undefined && Object.hasOwn(given, name))
        return E.left(
          usageError(
            `--config and --${name} are both given`,
            `leave out --${name}, and write ${field} into ${config}`,
          ),
        )
    return E.map((ending: Ending) => ({ ...ending, config }))(readEnding(given))
  })(readFlags(runFlags, args))

/** Reads the flags of `run` where there is no `--config`. */
export const readRun = (args: ReadonlyArray<string>): E.Either<UsageError, RunRequest> =>
  E.chain(requestFrom)(readFlags(runFlags, args))

const readEnding = (flags: Given<Name>): E.Either<UsageError, Ending> => {
  const once = readSwitch('once', flags.once, false)
  if (E.isLeft(once)) return once
  const timeout = readDuration('timeout', flags)
  if (E.isLeft(timeout)) return timeout
  if (timeout.right !== undefined && !once.right)
    return E.left(usageError('--timeout is without --once', 'give both, or neither'))
  if (timeout.right !== undefined && (timeout.right < 1_000 || timeout.right > longestTimeout))
    return E.left(
      usageError(`--timeout=${flags.timeout} cannot be`, 'write 1s or more, up to 24 days (576h)'),
    )
  return E.right({ once: once.right, ...(timeout.right === undefined ? {} : { timeout: timeout.right }) })
}

const requestFrom = (flags: Given<Name>): E.Either<UsageError, RunRequest> => {
  const rotate = rotationFrom(flags)
  if (E.isLeft(rotate)) return rotate
  const ending = readEnding(flags)
  if (E.isLeft(ending)) return ending
  const probeInterval = readDuration('probe-interval', flags)
  if (E.isLeft(probeInterval)) return probeInterval
  const requestedLifetime = readDuration('requested-lifetime', flags)
  if (E.isLeft(requestedLifetime)) return requestedLifetime
  const format = flags['log-format'] ?? 'text'
  if (format !== 'text' && format !== 'json')
    return E.left(
      usageError(`--log-format=${format} is not known`, 'write --log-format=text or --log-format=json'),
    )
  const logLevel = flags['log-level'] ?? 'info'
  if (!isLevel(logLevel))
    return E.left(usageError(`--log-level=${logLevel} is not known`, `write one of ${levels.join(', ')}`))
  const metrics = parseBindAddress(flags['metrics-bind-address'] ?? '0')
  if (E.isLeft(metrics))
    return E.left(
      usageError(
        `--metrics-bind-address: ${metrics.left}`,
        'write --metrics-bind-address=:9090 for loopback, or =0.0.0.0:9090',
      ),
    )
  const outputs = readOutputs(flags)
  if (E.isLeft(outputs)) return outputs
  const hooks = readHooks(flags)
  if (E.isLeft(hooks)) return hooks
  const certificate = readCertificate(flags)
  if (E.isLeft(certificate)) return certificate
  const serving = servingFrom(flags, certificate.right.nodeName)
  if (E.isLeft(serving)) return serving
  const authenticateWith = flags['authenticate-with'] ?? 'held'
  if (authenticateWith !== 'held' && authenticateWith !== 'kubeconfig')
    return E.left(
      usageError(`--authenticate-with=${authenticateWith} is not known`, 'write held or kubeconfig'),
    )
  const windows = readWindows(flags)
  if (E.isLeft(windows)) return windows
  const {
    kubeconfig,
    'bootstrap-kubeconfig': bootstrapKubeconfig,
    'client-ca-file': clientCertificateAuthority,
    'event-log': events,
    'cert-prefix': certPrefix,
  } = flags
  if (authenticateWith === 'kubeconfig' && kubeconfig === undefined)
    return E.left(
      usageError(
        '--authenticate-with=kubeconfig needs --kubeconfig',
        'name the kubeconfig whose credential is used',
      ),
    )
  const options: RotationOptions = {
    ...certificate.right,
    ...(certPrefix === undefined ? {} : { certPrefix }),
    certDir: flags['cert-dir'] ?? defaultCertDir,
    ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(windows.right === undefined ? {} : { renewalWindows: windows.right }),
    ...(clientCertificateAuthority === undefined ? {} : { clientCertificateAuthority }),
    ...(requestedLifetime.right === undefined ? {} : { requestedLifetime: requestedLifetime.right }),
    policy: {
      rotate: rotate.right.client,
      ...(authenticateWith === 'kubeconfig' ? { authenticateWith: 'external' } : {}),
      ...(probeInterval.right === undefined ? {} : { probeInterval: probeInterval.right }),
    },
  }
  const possible = templateFrom(options)
  return E.isLeft(possible)
    ? E.left(usageError(possible.left.message, possible.left.remedy))
    : E.right({
        ...ending.right,
        format,
        logLevel,
        options,
        outputs: outputs.right,
        hooks: hooks.right,
        ...(serving.right === undefined ? {} : { serving: serving.right }),
        ...(events === undefined ? {} : { eventLog: events }),
        ...(metrics.right === undefined ? {} : { metrics: metrics.right }),
      })
}

const readDuration = (name: Name, given: Given<Name>): E.Either<UsageError, number | undefined> => {
  const text = given[name]
  if (text === undefined) return E.right(undefined)
  const duration = parseDuration(text)
  return E.isLeft(duration) ? E.left(usageError(`--${name}: ${duration.left}`, 'for instance 10m')) : duration
}

/** The serving certificate, where switch and gate are on; its flags are read in any case, for their mistakes. */
const servingFrom = (
  given: Given<Name>,
  nodeName: string | undefined,
): E.Either<UsageError, Serving | undefined> => {
  const asked = readSwitch('rotate-server-certificates', given['rotate-server-certificates'], false)
  if (E.isLeft(asked)) return asked
  const gate = gatesFrom(given)
  if (E.isLeft(gate)) return gate
  const serving = readServing(given)
  if (E.isLeft(serving)) return serving
  const idle = (['server-addresses', 'server-key-algorithm'] as const).find(
    (flag) => given[flag] !== undefined,
  )
  if (idle !== undefined && given['rotate-server-certificates'] === undefined)
    return E.left(usageError(`--${idle} is without --rotate-server-certificates`, 'give both, or neither'))
  if (!asked.right || !gate.right.RotateKubeletServerCertificate) return E.right(undefined)
  if (given['cert-prefix'] === servingPrefix)
    return E.left(
      usageError(
        `--cert-prefix=${servingPrefix} is what the files of the serving certificate begin with`,
        'leave it out, or name another one for the client certificate',
      ),
    )
  return nodeName === undefined
    ? E.left(
        usageError(
          '--rotate-server-certificates needs the client certificate of a node to ask with',
          'leave out the flags of another certificate, or write --signer-name=kubernetes.io/kubelet-serving without it',
        ),
      )
    : serving
}

/** Both the switch and the feature gate have to be on, as in the kubelet. */
const rotationFrom = (given: Given<Name>): E.Either<UsageError, { readonly client: boolean }> => {
  const rotate = readSwitch('rotate-certificates', given['rotate-certificates'], true)
  if (E.isLeft(rotate)) return rotate
  return E.map(({ RotateKubeletClientCertificate: gate }: Gates) => ({ client: rotate.right && gate }))(
    gatesFrom(given),
  )
}

const allOn = { RotateKubeletClientCertificate: true, RotateKubeletServerCertificate: true }
type Gates = Readonly<Record<keyof typeof allOn, boolean>>

const isGate = (name: string): name is keyof Gates => Object.hasOwn(allOn, name)

const gatesFrom = (given: Given<Name>): E.Either<UsageError, Gates> => {
  const found = { ...allOn }
  for (const setting of (given['feature-gates'] ?? '').split(',').filter((part) => part !== '')) {
    const [name = '', value] = setting.split('=', 2).map((part) => part.trim())
    if (!isGate(name))
      return E.left(usageError(`there is no feature gate ${name}`, didYouMean(name, Object.keys(allOn))))
    if (value === undefined)
      return E.left(
        usageError(`the feature gate ${name} has no value`, `write ${name}=true or ${name}=false`),
      )
    const on = readSwitch(`feature-gates ${name}`, value, true)
    if (E.isLeft(on)) return on
    found[name] = on.right
  }
  return E.right(found)
}
