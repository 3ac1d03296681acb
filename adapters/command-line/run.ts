import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from '../../src/model/failure.js'
import { KeyAlgorithm, keyAlgorithms } from '../../src/model/key-algorithm.js'
import { defaultPolicy } from '../../src/model/policy.js'
import type { RotationOptions, RunningRotation } from '../node/index.js'
import { isNodeName, templateFrom } from '../node/options.js'
import { command, complain } from './command.js'
import { defaultCertDir } from './defaults.js'
import { parseDuration } from './duration.js'
import { type Flags, type Given, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { type Level, type LogFormat, messageLine, transitionLine } from './output.js'
import { terminalLine } from './terminal-line.js'

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
    help: `where keys and certificates are kept (default ${defaultCertDir})`,
  },
  'client-ca-file': {
    value: 'FILE',
    help: 'CAs of client certificates, as the API server has them: certificates of others are not taken',
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
  'key-algorithm': {
    value: 'KIND',
    help: 'kind of private key: ECDSA-P384, RSA-3072, Ed25519, … (default ECDSA-P256)',
  },
  'requested-lifetime': {
    value: 'DURATION',
    help: "how long certificates are to be good for, 10m or more; the signer's own limit counts too",
  },
  'probe-interval': {
    value: 'DURATION',
    help: 'how often to ask the server whether it accepts the certificate (default 10m, 0: never)',
  },
  once: { help: 'exit 0 as soon as a certificate that works, for the wanted names, is installed' },
  'log-format': { value: 'text|json', help: 'default text' },
  'event-log': {
    value: 'FILE',
    help: 'write every event to this file, for kube-cert-rotation replay; at 1 MiB it becomes FILE.1',
  },
} satisfies Flags<string>

type Name = keyof typeof runFlags

/** What `run` was asked to do. */
export interface RunRequest {
  readonly options: RotationOptions
  readonly once: boolean
  readonly format: LogFormat
  /** Where events are written, for `replay`. */
  readonly eventLog?: string
}

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
  const keyAlgorithm = keyAlgorithmFrom(flags)
  if (E.isLeft(keyAlgorithm)) return keyAlgorithm
  const nodeName = nodeNameFrom(flags)
  if (E.isLeft(nodeName)) return nodeName
  const {
    kubeconfig,
    'bootstrap-kubeconfig': bootstrapKubeconfig,
    'client-ca-file': clientCertificateAuthority,
    'event-log': events,
  } = flags
  if (kubeconfig === undefined && bootstrapKubeconfig === undefined)
    return E.left(
      usageError(
        'it is not known where the API is',
        'name a kubeconfig with --bootstrap-kubeconfig, --kubeconfig or both',
      ),
    )
  const options: RotationOptions = {
    nodeName: nodeName.right,
    certDir: flags['cert-dir'] ?? defaultCertDir,
    ...(bootstrapKubeconfig === undefined ? {} : { bootstrapKubeconfig }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(clientCertificateAuthority === undefined ? {} : { clientCertificateAuthority }),
    ...(keyAlgorithm.right === undefined ? {} : { keyAlgorithm: keyAlgorithm.right }),
    ...(requestedLifetime.right === undefined ? {} : { requestedLifetime: requestedLifetime.right }),
    policy: {
      rotate: rotate.right,
      ...(probeInterval.right === undefined ? {} : { probeInterval: probeInterval.right }),
    },
  }
  const possible = templateFrom(options)
  return E.isLeft(possible)
    ? E.left(usageError(possible.left.message, possible.left.remedy))
    : E.right({
        once: once.right,
        format,
        options,
        ...(events === undefined ? {} : { eventLog: events }),
      })
}

const readDuration = (name: Name, given: Given<Name>): E.Either<UsageError, number | undefined> => {
  const text = given[name]
  if (text === undefined) return E.right(undefined)
  const duration = parseDuration(text)
  return E.isLeft(duration) ? E.left(usageError(`--${name}: ${duration.left}`, 'for instance 10m')) : duration
}

const keyAlgorithmFrom = (given: Given<Name>): E.Either<UsageError, KeyAlgorithm | undefined> => {
  const name = given['key-algorithm']
  if (name === undefined || KeyAlgorithm.is(name)) return E.right(name)
  return E.left(
    usageError(`--key-algorithm=${name} is not known`, `the known ones are ${keyAlgorithms.join(', ')}`),
  )
}

const nodeNameFrom = (given: Given<Name>): E.Either<UsageError, string> => {
  const { 'hostname-override': override } = given
  const name = (override ?? hostname()).trim().toLowerCase()
  if (isNodeName(name)) return E.right(name)
  const whose = override === undefined ? `this host's name ${name}` : `--hostname-override=${override}`
  return E.left(
    usageError(
      `${whose} cannot be the name of a node`,
      'write --hostname-override=NAME with letters, digits, dots and dashes',
    ),
  )
}

const gates = ['RotateKubeletClientCertificate']

/** Both the switch and the feature gate have to be on, as in the kubelet. */
const rotationFrom = (given: Given<Name>): E.Either<UsageError, boolean> => {
  const rotate = readSwitch('rotate-certificates', given['rotate-certificates'], true)
  if (E.isLeft(rotate)) return rotate
  let gate = true
  for (const setting of (given['feature-gates'] ?? '').split(',').filter((part) => part !== '')) {
    const [name = '', value] = setting.split('=', 2).map((part) => part.trim())
    if (!gates.includes(name))
      return E.left(usageError(`there is no feature gate ${name}`, `the known ones are ${gates.join(', ')}`))
    if (value === undefined)
      return E.left(
        usageError(`the feature gate ${name} has no value`, `write ${name}=true or ${name}=false`),
      )
    const on = readSwitch(`feature-gates ${name}`, value, true)
    if (E.isLeft(on)) return on
    gate = on.right
  }
  return E.right(rotate.right && gate)
}

/** Runs until the signal is given (`--once`: until a certificate is installed). Answers with the exit code. */
export const run = async (
  { options, once, format, eventLog: path }: RunRequest,
  signal: AbortSignal,
): Promise<number> => {
  // Loaded only now: mistakes in the flags are told at once.
  const { startRotationTask, wallClock } = await import('../node/index.js')
  const { summaryOf } = await import('./summary.js')
  let rotation: RunningRotation | undefined
  const lastLine = () =>
    rotation === undefined ? '' : summaryOf(rotation.policy, rotation.facts(), wallClock.now())
  const screen = terminalLine(process.stdout, format === 'text' ? lastLine : undefined)
  const say = (level: Level, message: string) => screen.print(messageLine(format, new Date(), level, message))
  say('info', intention(options))
  if (options.policy?.rotate === false)
    say(
      'warn',
      'rotation is switched off: a certificate is obtained when none works, and never renewed while one does',
    )

  const events =
    path === undefined
      ? undefined
      : (await import('./event-log.js')).eventLog({
          path,
          policy: { ...defaultPolicy, ...options.policy },
          warn: (message) => say('warn', message),
        })
  const started = await startRotationTask({
    ...options,
    signal,
    ...(events === undefined ? {} : { onStep: events.write }),
    onTransition: (transition) => screen.print(transitionLine(format, transition)),
    onWarning: (message) => say('warn', message),
  })()
  if (E.isLeft(started)) {
    screen.end()
    complain(started.left.message, started.left.remedy)
    return started.left._tag === 'InvalidOptions' ? 2 : 1
  }
  rotation = started.right
  const outcome: E.Either<Failure<string>, unknown> = once
    ? await rotation.issuedTask()
    : await rotation.endedTask()
  await rotation.stop()
  await events?.close()
  if (E.isLeft(outcome)) say('error', `${outcome.left.message}; ${outcome.left.remedy}`)
  else if (!once) say('info', 'stopped; the certificate and a request under way stay in the directory')
  screen.end()
  return E.isRight(outcome) ? 0 : 1
}

/** What is about to be done, with the names that a log is searched for. */
const intention = ({
  nodeName,
  certDir,
  bootstrapKubeconfig,
  kubeconfig,
  clientCertificateAuthority,
}: RotationOptions): string =>
  [
    `keeps a certificate for node ${nodeName} in ${certDir}`,
    ...(kubeconfig === undefined ? [] : [`kubeconfig ${kubeconfig}`]),
    ...(bootstrapKubeconfig === undefined ? [] : [`bootstrap kubeconfig ${bootstrapKubeconfig}`]),
    ...(clientCertificateAuthority === undefined
      ? []
      : [`CAs of client certificates ${clientCertificateAuthority}`]),
  ].join(', ')

export const runCommand = command(runFlags, readRun, run)
