import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { type RotationOptions, type RunningRotation, startRotationTask } from '../node/index.js'
import { parseDuration } from './duration.js'
import { type Flags, type Given, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { liveLine } from './live.js'
import { type LogFormat, messageLine, transitionLine } from './output.js'

export const runFlags = {
  'bootstrap-kubeconfig': {
    value: 'FILE',
    help: 'kubeconfig with the bootstrap token; read again at each attempt',
  },
  kubeconfig: {
    value: 'FILE',
    help: 'kubeconfig that uses the certificate; written before the first request',
  },
  'cert-dir': {
    value: 'DIR',
    help: 'where keys and certificates are kept (default /var/lib/kubelet/pki)',
  },
  'rotate-certificates': {
    help: 'false: obtain a certificate when none works, never renew one that does (default true)',
  },
  'hostname-override': {
    value: 'NAME',
    help: "the node's name (default: the host's name, in lower case)",
  },
  'feature-gates': {
    value: 'GATE=BOOL,…',
    help: 'RotateKubeletClientCertificate=false switches rotation off',
  },
  'requested-lifetime': {
    value: 'DURATION',
    help: "how long certificates are to be good for, 10m or more; the signer's own limit counts too",
  },
  'probe-interval': {
    value: 'DURATION',
    help: 'how often to ask the server whether it accepts the certificate (default 10m, 0: never)',
  },
  once: { help: 'exit 0 as soon as a certificate that works is installed' },
  'log-format': { value: 'text|json', help: 'default text' },
} satisfies Flags<string>

type Name = keyof typeof runFlags

/** What `run` was asked to do. */
export interface RunRequest {
  readonly options: RotationOptions
  readonly once: boolean
  readonly format: LogFormat
}

export const defaultCertDir = '/var/lib/kubelet/pki'

/** Reads the flags of `run`. */
export const readRun = (args: ReadonlyArray<string>): E.Either<UsageError, RunRequest> => {
  const given = readFlags(runFlags, args)
  if (E.isLeft(given)) return given
  const flags = given.right
  const rotate = rotationFrom(flags)
  if (E.isLeft(rotate)) return rotate
  const once = readSwitch('once', flags.once, false)
  if (E.isLeft(once)) return once
  const probeInterval = readDuration('probe-interval', flags)
  if (E.isLeft(probeInterval)) return probeInterval
  const requestedLifetime = readDuration('requested-lifetime', flags)
  if (E.isLeft(requestedLifetime)) return requestedLifetime
  const format = flags['log-format'] ?? 'text'
  if (format !== 'text' && format !== 'json')
    return E.left(
      usageError(`--log-format=${format} is not known`, 'write --log-format=text or --log-format=json'),
    )
  const { kubeconfig, 'bootstrap-kubeconfig': bootstrapKubeconfig } = flags
  if (kubeconfig === undefined && bootstrapKubeconfig === undefined)
    return E.left(
      usageError(
        'it is not known where the API is',
        'name a kubeconfig with --bootstrap-kubeconfig, --kubeconfig or both',
      ),
    )
  return E.right({
    once: once.right,
    format,
    options: {
      nodeName: flags['hostname-override'] ?? hostname(),
      certDir: flags['cert-dir'] ?? defaultCertDir,
      ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(requestedLifetime.right === undefined ? {} : { requestedLifetime: requestedLifetime.right }),
      policy: {
        rotate: rotate.right,
        ...(probeInterval.right === undefined ? {} : { probeInterval: probeInterval.right }),
      },
    },
  })
}

const readDuration = (name: Name, given: Given<Name>): E.Either<UsageError, number | undefined> => {
  const text = given[name]
  if (text === undefined) return E.right(undefined)
  const duration = parseDuration(text)
  return E.isLeft(duration) ? E.left(usageError(`--${name}: ${duration.left}`, 'for instance 10m')) : duration
}

const gates = ['RotateKubeletClientCertificate']

/** Both the switch and the feature gate have to be on, as in the kubelet. */
const rotationFrom = (given: Given<Name>): E.Either<UsageError, boolean> => {
  const rotate = readSwitch('rotate-certificates', given['rotate-certificates'], true)
  if (E.isLeft(rotate)) return rotate
  let gate = true
  for (const setting of (given['feature-gates'] ?? '').split(',').filter((part) => part !== '')) {
    const [name = '', value] = setting.split('=', 2)
    if (!gates.includes(name.trim()))
      return E.left(
        usageError(`there is no feature gate ${name.trim()}`, `the known ones are ${gates.join(', ')}`),
      )
    const on = readSwitch(`feature-gates ${name.trim()}`, value?.trim(), true)
    if (E.isLeft(on)) return on
    gate = on.right
  }
  return E.right(rotate.right && gate)
}

/** Runs until the signal is given (`--once`: until a certificate is installed). Answers with the exit code. */
export const run = async ({ options, once, format }: RunRequest, signal: AbortSignal): Promise<number> => {
  let rotation: RunningRotation | undefined
  const screen = liveLine(process.stdout, format === 'text' ? () => rotation?.explain() ?? '' : undefined)
  const say = (level: 'info' | 'warn' | 'error', message: string) =>
    screen.print(messageLine(format, new Date(), level, message))
  if (options.policy?.rotate === false)
    say(
      'warn',
      'rotation is switched off: a certificate is obtained when none works, and never renewed while one does',
    )

  const started = await startRotationTask({
    ...options,
    signal,
    onTransition: (transition) => screen.print(transitionLine(format, transition)),
    onWarning: (message) => say('warn', message),
  })()
  if (E.isLeft(started)) {
    screen.end()
    const { message, remedy } = started.left
    process.stderr.write(`kube-cert-rotation: ${message}; ${remedy}\n`)
    return 1
  }
  rotation = started.right
  if (once) {
    const issued = await rotation.issuedTask()
    await rotation.stop()
    screen.end()
    return E.isRight(issued) ? 0 : 1
  }
  const ended = await rotation.endedTask()
  if (E.isLeft(ended)) say('error', `${ended.left.message}; ${ended.left.remedy}`)
  screen.end()
  return E.isRight(ended) ? 0 : 1
}
