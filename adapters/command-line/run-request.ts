/** What `run` is asked to do, read from its flags. */
import * as E from 'fp-ts/lib/Either.js'
import { okSync, stepsSync } from '../../src/steps.js'
import type { Address } from '../metrics/listener.js'
import type { RotationOptions } from '../node/index.js'
import { templateFrom } from '../node/options.js'
import { type PathUse, pathProblems } from '../outputs/paths.js'
import { didYouMean } from '../platform/nearest.js'
import { prefixPattern } from '../platform/prefix.js'
import { parseBindAddress } from './bind-address.js'
import { readCertificate } from './certificate-flags.js'
import { fieldOf } from './config-fields.js'
import { defaultCertDir } from './defaults.js'
import { parseDuration } from './duration.js'
import { type Given, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { type HookRequest, readHooks } from './hooks.js'
import { isLevel, type Log, levels } from './output.js'
import { type OutputRequest, outputUse, readOutputs } from './outputs.js'
import { rotationOptions } from './rotation-options.js'
import { type RunFlag, runFlags } from './run-flags.js'
import { readServing, type Serving, servingPrefix } from './serving-flags.js'
import { readWindows } from './window-flags.js'

type GivenFlags = Given<RunFlag>
type Read<A> = E.Either<UsageError, A>

/** What a timer of Node can wait for, ms. */
const longestTimeout = 576 * 3_600_000

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
  readonly log: Log
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
export const readRunOrConfig = (args: ReadonlyArray<string>): Read<RunRequest | ConfigRequest> =>
  E.chain((given: GivenFlags): Read<RunRequest | ConfigRequest> => {
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
    return E.map((ending: Ending) => ({ ...ending, config }))(endingFrom(given))
  })(readFlags(runFlags, args))

/** Reads the flags of `run` where there is no `--config`. */
export const readRun = (args: ReadonlyArray<string>): Read<RunRequest> =>
  E.chain(requestFrom)(readFlags(runFlags, args))

const requestFrom = (given: GivenFlags): Read<RunRequest> =>
  stepsSync(function* () {
    const rotate = yield* okSync(rotationFrom(given))
    const ending = yield* okSync(endingFrom(given))
    const probeInterval = yield* okSync(durationFrom('probe-interval', given))
    const requestedLifetime = yield* okSync(durationFrom('requested-lifetime', given))
    const log = yield* okSync(logFrom(given))
    const metrics = yield* okSync(bindAddressFrom(given))
    const outputs = yield* okSync(readOutputs(given))
    const hooks = yield* okSync(readHooks(given))
    const certificate = yield* okSync(readCertificate(given))
    const serving = yield* okSync(servingFrom(given, certificate.nodeName))
    const isExternal = yield* okSync(isExternalFrom(given))
    const renewalWindows = yield* okSync(readWindows(given))
    const {
      kubeconfig,
      'bootstrap-kubeconfig': bootstrapKubeconfig,
      'client-ca-file': clientCertificateAuthority,
      'event-log': eventLog,
      'cert-prefix': certPrefix,
      'cert-dir': certDir = defaultCertDir,
    } = given
    if (certPrefix !== undefined && !prefixPattern.test(certPrefix))
      return yield* refuse(
        `--cert-prefix=${certPrefix} cannot begin file names`,
        'use letters, digits, dots and dashes',
      )
    const options = rotationOptions(certificate, {
      certDir,
      certPrefix,
      bootstrapKubeconfig,
      kubeconfig,
      renewalWindows,
      clientCertificateAuthority,
      requestedLifetime,
      probeInterval,
      rotate,
      isExternal,
    })
    const impossible = ({ message, remedy }: { readonly message: string; readonly remedy: string }) =>
      usageError(message, remedy)
    yield* okSync(E.mapLeft(impossible)(templateFrom(options)))
    const [contradiction] = pathProblems(pathsOf(given, certDir, outputs, isExternal))
    if (contradiction !== undefined) return yield* refuse(contradiction.message, contradiction.remedy)
    return {
      ...ending,
      log,
      options,
      outputs,
      hooks,
      ...(serving === undefined ? {} : { serving }),
      ...(eventLog === undefined ? {} : { eventLog }),
      ...(metrics === undefined ? {} : { metrics }),
    }
  })

const pathsOf = (
  given: GivenFlags,
  certDir: string,
  outputs: ReadonlyArray<OutputRequest>,
  isExternal: boolean,
): ReadonlyArray<PathUse> => {
  const file = (flag: RunFlag, use: PathUse['use']): ReadonlyArray<PathUse> => {
    const path = given[flag]
    return path === undefined ? [] : [{ where: `--${flag}`, path, use }]
  }
  return [
    { where: '--cert-dir', path: certDir, use: 'certificate directory' },
    ...file('bootstrap-kubeconfig', 'file read'),
    ...file('kubeconfig', isExternal ? 'file read' : 'file written'),
    ...file('client-ca-file', 'file read'),
    ...file('renewal-window-file', 'file read'),
    ...file('event-log', 'file written'),
    ...outputs.map(({ kind, path }) => outputUse(`--output-${kind}`, kind, path)),
  ]
}

const endingFrom = (given: GivenFlags): Read<Ending> =>
  stepsSync(function* () {
    const once = yield* okSync(readSwitch('once', given.once, false))
    const timeout = yield* okSync(durationFrom('timeout', given))
    if (timeout === undefined) return { once }
    if (!once) return yield* refuse('--timeout is without --once', 'give both, or neither')
    if (timeout < 1_000 || timeout > longestTimeout)
      return yield* refuse(`--timeout=${given.timeout} cannot be`, 'write 1s or more, up to 24 days (576h)')
    return { once, timeout }
  })

/** Ends the steps with a mistake in the flags. */
const refuse = (message: string, hint: string): Generator<UsageError, never> =>
  okSync(E.left(usageError(message, hint)))

const durationFrom = (name: RunFlag, given: GivenFlags): Read<number | undefined> => {
  const text = given[name]
  if (text === undefined) return E.right(undefined)
  return E.mapLeft((problem: string) => usageError(`--${name}: ${problem}`, 'for instance 10m'))(
    parseDuration(text),
  )
}

const logFrom = (given: GivenFlags): Read<Log> => {
  const { 'log-format': format = 'text', 'log-level': level = 'info' } = given
  if (format !== 'text' && format !== 'json')
    return E.left(
      usageError(`--log-format=${format} is not known`, 'write --log-format=text or --log-format=json'),
    )
  return isLevel(level)
    ? E.right({ format, level })
    : E.left(usageError(`--log-level=${level} is not known`, `write one of ${levels.join(', ')}`))
}

const bindAddressFrom = (given: GivenFlags): Read<Address | undefined> =>
  E.mapLeft((problem: string) =>
    usageError(
      `--metrics-bind-address: ${problem}`,
      'write --metrics-bind-address=:9090 for loopback, or =0.0.0.0:9090',
    ),
  )(parseBindAddress(given['metrics-bind-address'] ?? '0'))

/** Whether requests go out with the credential of `--kubeconfig`, and not with the certificate itself. */
const isExternalFrom = (given: GivenFlags): Read<boolean> => {
  const whose = given['authenticate-with'] ?? 'held'
  if (whose !== 'held' && whose !== 'kubeconfig')
    return E.left(usageError(`--authenticate-with=${whose} is not known`, 'write held or kubeconfig'))
  return whose === 'kubeconfig' && given.kubeconfig === undefined
    ? E.left(
        usageError(
          '--authenticate-with=kubeconfig needs --kubeconfig',
          'name the kubeconfig whose credential is used',
        ),
      )
    : E.right(whose === 'kubeconfig')
}

/** The serving certificate, where switch and gate are on; its flags are read in any case, for their mistakes. */
const servingFrom = (given: GivenFlags, nodeName: string | undefined): Read<Serving | undefined> =>
  stepsSync(function* () {
    const asked = yield* okSync(
      readSwitch('rotate-server-certificates', given['rotate-server-certificates'], false),
    )
    const gates = yield* okSync(gatesFrom(given))
    const serving = yield* okSync(readServing(given))
    const idle = (['server-addresses', 'server-key-algorithm'] as const).find(
      (flag) => given[flag] !== undefined,
    )
    if (idle !== undefined && given['rotate-server-certificates'] === undefined)
      return yield* refuse(`--${idle} is without --rotate-server-certificates`, 'give both, or neither')
    if (!asked || !gates.RotateKubeletServerCertificate) return undefined
    if (given['cert-prefix'] === servingPrefix)
      return yield* refuse(
        `--cert-prefix=${servingPrefix} is what the files of the serving certificate begin with`,
        'leave it out, or name another one for the client certificate',
      )
    if (nodeName === undefined)
      return yield* refuse(
        '--rotate-server-certificates needs the client certificate of a node to ask with',
        'leave out the flags of another certificate, or write --signer-name=kubernetes.io/kubelet-serving without it',
      )
    return serving
  })

/** Both the switch and the feature gate have to be on, as in the kubelet. */
const rotationFrom = (given: GivenFlags): Read<boolean> =>
  stepsSync(function* () {
    const rotate = yield* okSync(readSwitch('rotate-certificates', given['rotate-certificates'], true))
    const gates = yield* okSync(gatesFrom(given))
    return rotate && gates.RotateKubeletClientCertificate
  })

const allOn = { RotateKubeletClientCertificate: true, RotateKubeletServerCertificate: true }
type Gates = Readonly<Record<keyof typeof allOn, boolean>>

const isGate = (name: string): name is keyof Gates => Object.hasOwn(allOn, name)

const gatesFrom = (given: GivenFlags): Read<Gates> =>
  stepsSync(function* () {
    const found = { ...allOn }
    for (const setting of (given['feature-gates'] ?? '').split(',').filter((part) => part !== '')) {
      const [name = '', value] = setting.split('=', 2).map((part) => part.trim())
      if (!isGate(name))
        return yield* refuse(`there is no feature gate ${name}`, didYouMean(name, Object.keys(allOn)))
      if (value === undefined)
        return yield* refuse(`the feature gate ${name} has no value`, `write ${name}=true or ${name}=false`)
      found[name] = yield* okSync(readSwitch(`feature-gates ${name}`, value, true))
    }
    return found
  })
