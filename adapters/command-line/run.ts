import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { noMetrics, sumOf } from '../../src/metrics/metrics.js'
import type { Failure } from '../../src/model/failure.js'
import type { RotationOptions, RunningRotation } from '../node/index.js'
import { command, complain, type Signals } from './command.js'
import { runFlags } from './run-flags.js'
import { type ConfigRequest, type RunRequest, readRunOrConfig } from './run-request.js'
import type { Serving } from './serving-flags.js'
import { startCertificate, type Voice } from './start-certificate.js'

/** How long it waits after a start that failed before it tries again, ms. */
export const reloadInterval = 10_000

/** Exit code of `--timeout`. */
export const timedOut = 3

/**
 * Runs until it is told to stop (`--once`: until a certificate is installed, or the timeout). On SIGHUP it begins anew in
 * the same process: everything is read again and tried at once, and a request under way is taken up. Answers with the
 * exit code.
 */
export const run = async (
  { once, timeout, log, serving, metrics, ...certificate }: RunRequest,
  stop: AbortSignal,
  signals: Signals,
): Promise<number> => {
  // Loaded only now: mistakes in the flags are told at once.
  const { openFleet, wallClock } = await import('../node/index.js')
  const { summaryOf } = await import('./summary.js')
  const { options, hooks } = certificate
  const where = await whereTheApiIs(options)
  if (where === undefined) {
    const { missingAccess } = await import('../node/default-access.js')
    const missing = missingAccess()
    complain(
      `it is not known where the API is${missing === '' ? '' : `: ${missing}`}`,
      'name a kubeconfig with --bootstrap-kubeconfig, --kubeconfig or both, or set KUBECONFIG',
    )
    return 2
  }
  if (serving?.keyAlgorithm !== undefined) {
    const { checkKeyAlgorithm } = await import('../crypto/index.js')
    const possible = await checkKeyAlgorithm(serving.keyAlgorithm)()
    if (E.isLeft(possible)) {
      complain(`--server-key-algorithm: ${possible.left.message}`, possible.left.remedy)
      return 2
    }
  }
  let rotation: RunningRotation | undefined
  const { openSession } = await import('./session.js')
  const session = openSession({
    log: () => log,
    lastLine: () =>
      rotation === undefined ? '' : summaryOf(rotation.policy, rotation.facts(), wallClock.now()),
    timeout,
    stop,
  })
  const { say, tell, manager, over } = session
  say('info', intention(options, where))
  if (options.policy?.rotate === false)
    say(
      'warn',
      'rotation is switched off: a certificate is obtained when none works, and never renewed while one does',
    )

  let measured: ReadonlyArray<RunningRotation> = []
  /** What an attempt with `once` still lacked at its end. */
  let lacking: ReadonlyArray<string> = []
  const listener =
    metrics === undefined
      ? undefined
      : (await import('./metrics-listener.js')).keepServing({
          address: metrics,
          // Between two, after SIGHUP, those of the one before.
          source: {
            metrics: () => measured.map((one) => one.metrics()).reduce(sumOf, noMetrics(wallClock.now())),
          },
          say,
        })
  /** From a start to its end. */
  const attempt = async (signal: AbortSignal): Promise<E.Either<Failure<string>, unknown>> => {
    const fleet = openFleet()
    const voice: Voice = { say, told: tell, reload: () => reloading.abort() }
    const started = await startCertificate(fleet, certificate, voice, signal)
    if (E.isLeft(started)) return started
    const client = started.right
    rotation = client.rotation
    manager.reloaded()
    void client.rotation.issuedTask().then((issued) => E.isRight(issued) && manager.ready())
    measured = [client.rotation]
    const startServing = async (wanted: Serving) => {
      const { servingOptions } = await import('./serving-options.js')
      const second = { options: servingOptions(wanted, client.rotation, options), outputs: [], hooks }
      const aside: Voice = {
        ...voice,
        say: (level, message) => say(level, `serving: ${message}`),
        told: (transition) => tell({ ...transition, message: `serving: ${transition.message}` }),
      }
      return startCertificate(fleet, second, aside, signal)
    }
    const second = serving === undefined ? undefined : await startServing(serving)
    measured = fleet.rotations()
    const all = [client, ...(second !== undefined && E.isRight(second) ? [second.right] : [])]
    const outcomes: ReadonlyArray<E.Either<Failure<string>, unknown>> =
      second !== undefined && E.isLeft(second)
        ? [second]
        : await Promise.all(all.map(({ inPlace, ended }) => (once ? inPlace() : ended)))
    lacking = all.flatMap(({ lateness }, index) =>
      once && timeout !== undefined && outcomes[index] !== undefined && E.isLeft(outcomes[index])
        ? [`${index === 0 ? '' : 'serving: '}${lateness(timeout)}`]
        : [],
    )
    await fleet.stop()
    await Promise.all(all.map(({ ended }) => ended))
    return outcomes.find(E.isLeft) ?? E.right(undefined)
  }

  let reloading = new AbortController()
  signals.on('reload', () => {
    say('info', 'SIGHUP: reads the kubeconfigs, the CAs and the directory again, and asks the API at once')
    manager.reloading()
    reloading.abort()
  })
  signals.on('report', () => {
    if (measured.length === 0) session.reply('SIGUSR2: nothing runs yet')
    const [client, second] = measured.map((one) => one.explain())
    if (client !== undefined) session.reply(`SIGUSR2: ${client}`)
    if (second !== undefined) session.reply(`SIGUSR2: serving: ${second}`)
  })
  let outcome = await attempt(AbortSignal.any([over, reloading.signal]))
  if (E.isLeft(outcome) && rotation === undefined) {
    await listener?.close()
    await session.end()
    complain(outcome.left.message, outcome.left.remedy)
    return outcome.left._tag === 'InvalidOptions' ? 2 : 1
  }
  while (reloading.signal.aborted && !over.aborted && !(once && E.isRight(outcome))) {
    reloading = new AbortController()
    const signal = AbortSignal.any([over, reloading.signal])
    outcome = await attempt(signal)
    if (E.isRight(outcome) || signal.aborted) continue
    say('error', `${outcome.left.message}; ${outcome.left.remedy}; tried again in 10s, and on SIGHUP`)
    await sleep(reloadInterval, undefined, { signal }).catch(() => {})
    reloading.abort()
  }
  await listener?.close()
  const isLate = session.isLate() && E.isLeft(outcome)
  if (isLate) for (const sentence of lacking) say('error', sentence)
  else if (E.isLeft(outcome)) say('error', `${outcome.left.message}; ${outcome.left.remedy}`)
  else if (!once) say('info', 'stopped; the certificate and a request under way stay in the directory')
  await session.end()
  return isLate ? timedOut : E.isRight(outcome) ? 0 : 1
}

/** The kubeconfigs that are named, or what counts where none is; none: nothing does. */
export const whereTheApiIs = async ({
  kubeconfig,
  bootstrapKubeconfig,
}: RotationOptions): Promise<ReadonlyArray<string> | undefined> => {
  if (kubeconfig !== undefined || bootstrapKubeconfig !== undefined)
    return [
      ...(kubeconfig === undefined ? [] : [`kubeconfig ${kubeconfig}`]),
      ...(bootstrapKubeconfig === undefined ? [] : [`bootstrap kubeconfig ${bootstrapKubeconfig}`]),
    ]
  const { defaultAccess } = await import('../node/default-access.js')
  const found = defaultAccess()
  return O.isNone(found) ? undefined : [`no kubeconfig is named: uses ${found.value.name}`]
}

/** What is about to be done, with the names that a log is searched for. */
const intention = (
  { nodeName, template, certDir, clientCertificateAuthority }: RotationOptions,
  where: ReadonlyArray<string>,
): string =>
  [
    `keeps a certificate for ${template === undefined ? `node ${nodeName}` : `${template.commonName} (signer ${template.signerName})`} in ${certDir}`,
    ...where,
    ...(clientCertificateAuthority === undefined
      ? []
      : [`CAs of client certificates ${clientCertificateAuthority}`]),
  ].join(', ')

const runAny = async (
  request: RunRequest | ConfigRequest,
  stop: AbortSignal,
  signals: Signals,
): Promise<number> =>
  'config' in request
    ? (await import('./run-config.js')).runConfig(request, stop, signals)
    : run(request, stop, signals)

export const runCommand = command(runFlags, readRunOrConfig, runAny)
